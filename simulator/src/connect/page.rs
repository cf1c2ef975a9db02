//! Lists in pages: `MaxResults` and `NextToken`, in the query or in the body.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::failure::Failure;
use super::request::Call;

const DEFAULT_LENGTH: usize = 100;

/// Where a page starts and how long it is.
#[derive(Debug, Clone, Copy)]
pub struct PageRequest {
    start: usize,
    length: usize,
}

impl Call<'_> {
    /// The page asked for in the query.
    pub fn page_request(&self, max: usize) -> Result<PageRequest, Failure> {
        let first = |name: &str| {
            self.query
                .iter()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.as_str())
        };
        let length = first("maxResults")
            .map(|text| {
                text.parse()
                    .map_err(|_| Failure::invalid_parameter("maxResults: a number"))
            })
            .transpose()?;
        page(length, first("nextToken"), max)
    }

    /// The page asked for in the body.
    pub fn body_page_request(&self, max: usize) -> Result<PageRequest, Failure> {
        let length = match self.body.get("MaxResults") {
            None | Some(Value::Null) => None,
            Some(value) => Some(
                value
                    .as_u64()
                    .ok_or_else(|| Failure::invalid_parameter("MaxResults: a number"))?,
            ),
        };
        page(length, self.optional_text("NextToken", 1, 100_000)?, max)
    }

    /// Cuts the page out and names the next one.
    pub fn page(
        &self,
        member: &str,
        items: Vec<Value>,
        page: PageRequest,
    ) -> Result<Value, Failure> {
        let end = (page.start + page.length).min(items.len());
        let more = end < items.len();
        let shown: Vec<Value> = items
            .into_iter()
            .skip(page.start)
            .take(page.length)
            .collect();
        let mut answer = json!({ member: shown });
        if more {
            answer["NextToken"] = json!(URL_SAFE_NO_PAD.encode(format!("from {end}")));
        }
        Ok(answer)
    }
}

fn page(length: Option<u64>, token: Option<&str>, max: usize) -> Result<PageRequest, Failure> {
    let length = match length {
        None => DEFAULT_LENGTH.min(max),
        Some(length) => usize::try_from(length).unwrap_or(usize::MAX),
    };
    if !(1..=max).contains(&length) {
        return Err(Failure::invalid_parameter(&format!(
            "MaxResults: 1 to {max}"
        )));
    }
    let start = |token: &str| {
        let decoded = URL_SAFE_NO_PAD.decode(token).ok()?;
        std::str::from_utf8(&decoded)
            .ok()?
            .strip_prefix("from ")?
            .parse()
            .ok()
    };
    let start = match token {
        None => 0,
        Some(token) => start(token).ok_or_else(|| {
            Failure::invalid_request("The NextToken is not one of this service's.")
        })?,
    };
    Ok(PageRequest { start, length })
}
