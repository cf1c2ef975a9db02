//! A message as it goes out: its body, and its signatures by Standard Webhooks. Pure.
//!
//! Invariant: the body of an event is the same at every attempt; what is signed is the id, the time and that very body.

use aws_lc_rs::hmac;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::domain::ids::EventId;
use crate::domain::webhook::{CustomerNumbers, EventKind, masked};

/// What stands before a signing secret in clear.
pub const SECRET_PREFIX: &str = "whsec_";
/// The member of an event's data that holds a customer's number.
const CUSTOMER_NUMBER: &str = "customer_number";

/// A signing secret as its owner sees it.
#[must_use]
pub fn secret_text(secret: &[u8]) -> String {
    format!("{SECRET_PREFIX}{}", STANDARD.encode(secret))
}

/// What is told of an event.
#[must_use]
pub fn body(kind: EventKind, at: Timestamp, data: &Value, numbers: CustomerNumbers) -> Value {
    let mut data = data.clone();
    if numbers == CustomerNumbers::Masked
        && let Some(Value::String(number)) = data.get_mut(CUSTOMER_NUMBER)
    {
        *number = masked(number);
    }
    json!({ "type": kind.as_str(), "timestamp": at, "data": data })
}

/// The header `webhook-signature`: one signature for each secret, the newest first.
#[must_use]
pub fn signatures<'a>(
    secrets: impl IntoIterator<Item = &'a [u8]>,
    id: EventId,
    unix_seconds: i64,
    body: &str,
) -> String {
    let content = format!("{id}.{unix_seconds}.{body}");
    let signatures: Vec<String> = secrets
        .into_iter()
        .map(|secret| {
            let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
            let tag = hmac::sign(&key, content.as_bytes());
            format!("v1,{}", STANDARD.encode(tag))
        })
        .collect();
    signatures.join(" ")
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn at() -> Timestamp {
        "2026-11-25T12:00:00.25Z".parse().expect("a time")
    }

    #[test]
    fn a_number_is_masked_unless_the_endpoint_asked_for_it() {
        let data = json!({ "customer_number": "+12065550100", "caller_id": "+12065550199" });
        let shown = |numbers| body(EventKind::CallDenied, at(), &data, numbers);
        assert_eq!(
            shown(CustomerNumbers::Masked),
            json!({
                "type": "call.denied",
                "timestamp": "2026-11-25T12:00:00.25Z",
                "data": { "customer_number": "+12•••••••00", "caller_id": "+12065550199" }
            })
        );
        assert_eq!(
            shown(CustomerNumbers::Full)["data"]["customer_number"],
            "+12065550100"
        );
        let nothing = json!({ "customer_number": null });
        let body = body(
            EventKind::CallDenied,
            at(),
            &nothing,
            CustomerNumbers::Masked,
        );
        assert_eq!(body["data"], nothing);
    }

    /// Made with Python's hmac module.
    #[test]
    fn a_signature_is_that_of_the_standard() {
        let id = EventId(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001));
        let secret = [7; 32];
        let signed = signatures([&secret[..]], id, 1_795_000_000, r#"{"a":1}"#);
        assert_eq!(signed, "v1,49TZob2QuUFoWIDU0PgZ8URii+JTis62SuPtwvicSpw=");
        let both = signatures([&secret[..], &[8; 24]], id, 1_795_000_000, r#"{"a":1}"#);
        assert!(both.starts_with(&format!("{signed} v1,")), "{both}");
        assert_eq!(both.split(' ').count(), 2);
    }

    #[test]
    fn a_secret_is_written_as_the_standard_says() {
        assert_eq!(secret_text(&[0; 3]), "whsec_AAAA");
    }
}
