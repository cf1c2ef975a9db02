//! One rule: which requests it concerns, and what becomes of them.

use serde::{Deserialize, Serialize};

use super::Struck;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    Throttle,
    #[serde(rename = "error_500")]
    Error500,
    AccessDenied,
    /// Waits for `delay_ms` first.
    DelayMs,
    /// Performs the request and then cuts the connection.
    LostResponse,
    /// Cuts the connection, and performs the request after `delay_ms` all the same.
    Late,
    /// Nothing behind the front door answers.
    Unavailable,
    /// Keeps the request unperformed until it is let go, then drops it: as if its sender had died just before sending.
    HoldRequest,
    /// Performs the request and keeps the answer until it is let go, then drops it: as if its sender had died just after.
    HoldResponse,
}

impl Kind {
    /// Whether the sender is told wrongly or not at all what became of its request, and not merely later.
    pub(super) fn fails(self) -> bool {
        !matches!(self, Self::DelayMs | Self::HoldRequest | Self::HoldResponse)
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// As in the credential scope: connect, sts, lambda, dynamodb.
    pub service: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<String>,
    /// Of the caller.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// A text that stands in the path, the query or the body, such as the id of an instance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub containing: Option<String>,
    pub kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub delay_ms: Option<u64>,
    /// Between 0 and 1; always when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub probability: Option<f64>,
    /// How many requests it lets pass before it strikes.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub skip: u32,
    /// How often it still strikes; without end when absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
}

fn is_zero(number: &u32) -> bool {
    *number == 0
}

/// A rule that cannot be kept: which member, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BadRule {
    pub field: &'static str,
    pub message: &'static str,
}

impl Rule {
    pub fn check(&self) -> Result<(), BadRule> {
        let bad = |field, message| Err(BadRule { field, message });
        if !["connect", "sts", "lambda", "dynamodb"].contains(&self.service.as_str()) {
            return bad("service", "must be connect, sts, lambda or dynamodb");
        }
        if self
            .probability
            .is_some_and(|probability| !(0.0..=1.0).contains(&probability))
        {
            return bad("probability", "must be between 0 and 1");
        }
        if self.count == Some(0) {
            return bad("count", "must be at least 1");
        }
        let waits = matches!(self.kind, Kind::DelayMs | Kind::Late);
        match self.delay_ms {
            None if waits => bad("delay_ms", "is needed for this kind"),
            Some(delay) if waits && delay > 120_000 => bad("delay_ms", "must be at most 120000"),
            Some(_) if !waits => bad("delay_ms", "belongs to the kinds delay_ms and late alone"),
            _ => Ok(()),
        }
    }

    pub(super) fn concerns(&self, request: &Struck<'_>) -> bool {
        let matches = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        self.service == request.service
            && matches(&self.operation, request.operation)
            && matches(&self.account_id, request.account_id)
            && self
                .containing
                .as_ref()
                .is_none_or(|text| request.contains(text))
    }
}
