//! Why something is done to a number, as the audit log keeps it for good: so it may not repeat the number.

use utoipa::ToSchema;

use crate::app::number_csv::REASON_MAX;
use crate::domain::phone::PhoneNumber;
use crate::http::fields::{Fields, FromFields};
use crate::http::problem::{ApiError, ApiResult, FieldFault};

#[derive(Debug, ToSchema)]
pub(super) struct ResetRequest {
    /// Goes into the audit log, which shows the number masked: it may not name the number.
    #[schema(
        max_length = 200,
        example = "Called by mistake while testing, ticket 4711"
    )]
    reason: String,
}

impl FromFields for ResetRequest {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let reason = fields.text("reason", REASON_MAX)?;
        Some(Self { reason })
    }
}

impl ResetRequest {
    pub fn reason_about(self, number: &PhoneNumber) -> ApiResult<String> {
        if names(&self.reason, number) {
            let detail =
                "must not name the number: the audit log is kept when the number is erased";
            let fault = FieldFault::new("/reason", "invalid", detail);
            return Err(ApiError::validation(vec![fault]));
        }
        Ok(self.reason)
    }
}

/// However it is written, and without its country's code too: seven digits in a row are what people know a number by.
fn names(text: &str, number: &PhoneNumber) -> bool {
    const KNOWN_BY: usize = 7;
    let written: String = text.chars().filter(char::is_ascii_digit).collect();
    let digits = number.as_str().trim_start_matches('+');
    let end = digits.len().saturating_sub(KNOWN_BY);
    digits.get(end..).is_some_and(|end| written.contains(end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_that_names_the_number_in_any_spelling_is_seen() {
        let number = PhoneNumber::read("+12065550100").expect("a number");
        for text in [
            "+12065550100",
            "asked by (206) 555-0100.",
            "555 0100",
            "5550100",
        ] {
            assert!(names(text, &number), "{text}");
        }
        for text in ["", "ticket 4711", "+12065550101", "0100"] {
            assert!(!names(text, &number), "{text}");
        }
    }
}
