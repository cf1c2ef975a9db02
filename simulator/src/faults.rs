//! Faults on demand: rules that make requests fail, wait, or lose their answer.
//!
//! Delays add up; of the rules that refuse, the oldest that strikes wins. A rule with a count is gone once it has struck
//! that often. A rule spares requests to the control API, which is not part of AWS.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::aws::AwsError;
use crate::quotas::throttled;

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
    /// Nothing behind the front door answers.
    Unavailable,
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
        match (self.kind, self.delay_ms) {
            (Kind::DelayMs, None) => bad("delay_ms", "is needed for this kind"),
            (Kind::DelayMs, Some(delay)) if delay > 120_000 => {
                bad("delay_ms", "must be at most 120000")
            }
            (kind, Some(_)) if kind != Kind::DelayMs => {
                bad("delay_ms", "belongs to the kind delay_ms alone")
            }
            _ => Ok(()),
        }
    }

    fn concerns(&self, service: &str, operation: &str, account_id: &str) -> bool {
        let matches = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        self.service == service
            && matches(&self.operation, operation)
            && matches(&self.account_id, account_id)
    }
}

/// What happens to one request.
#[derive(Debug, Default)]
pub struct Effects {
    pub delay: Duration,
    pub refuse: Option<AwsError>,
    pub lose_response: bool,
}

#[derive(Debug, Default)]
pub struct Faults(Mutex<Vec<Rule>>);

impl Faults {
    pub fn add(&self, rule: Rule) -> Result<(), BadRule> {
        rule.check()?;
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(rule);
        Ok(())
    }

    pub fn clear(&self) {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clear();
    }

    pub fn list(&self) -> Vec<Rule> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// `dice` gives numbers from 0 up to, but not including, 1.
    pub fn strike(
        &self,
        service: &str,
        operation: &str,
        account_id: &str,
        dice: &mut dyn FnMut() -> f64,
    ) -> Effects {
        let mut rules = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut effects = Effects::default();
        for rule in rules
            .iter_mut()
            .filter(|rule| rule.concerns(service, operation, account_id))
        {
            if effects.refuse.is_some()
                || rule
                    .probability
                    .is_some_and(|probability| dice() >= probability)
            {
                continue;
            }
            if rule.skip > 0 {
                rule.skip -= 1;
                continue;
            }
            match rule.kind {
                Kind::DelayMs => {
                    effects.delay += Duration::from_millis(rule.delay_ms.unwrap_or_default())
                }
                Kind::LostResponse => effects.lose_response = true,
                kind => effects.refuse = Some(refusal(kind, service, operation)),
            }
            if let Some(count) = &mut rule.count {
                *count -= 1;
            }
        }
        rules.retain(|rule| rule.count != Some(0));
        effects
    }
}

fn refusal(kind: Kind, service: &str, operation: &str) -> AwsError {
    match (kind, service) {
        (Kind::Throttle, _) => throttled(service, operation),
        (Kind::AccessDenied, "sts") => {
            AwsError::new(403, "AccessDenied", "Access denied by a fault on demand")
        }
        (Kind::AccessDenied, "dynamodb") => AwsError::new(
            400,
            "AccessDeniedException",
            "Access denied by a fault on demand",
        ),
        (Kind::AccessDenied, _) => AwsError::new(
            403,
            "AccessDeniedException",
            "Access denied by a fault on demand",
        ),
        (Kind::Unavailable, _) => AwsError::new(
            503,
            "ServiceUnavailable",
            "Service is unavailable by a fault on demand",
        ),
        (_, "connect") => AwsError::new(
            500,
            "InternalServiceException",
            "An error by a fault on demand",
        ),
        (_, "dynamodb") => {
            AwsError::new(500, "InternalServerError", "An error by a fault on demand")
        }
        (_, "lambda") => AwsError::new(500, "ServiceException", "An error by a fault on demand"),
        _ => AwsError::new(500, "InternalFailure", "An error by a fault on demand"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Rule {
        serde_json::from_str(json).expect("a rule")
    }

    fn strike(faults: &Faults, operation: &str, account: &str) -> Effects {
        faults.strike("connect", operation, account, &mut || 0.5)
    }

    #[test]
    fn a_rule_strikes_what_it_concerns_as_often_as_it_says() {
        let faults = Faults::default();
        let twice = rule(
            r#"{"service": "connect", "operation": "StopContact", "account_id": "1", "kind": "throttle", "count": 2}"#,
        );
        faults.add(twice).expect("kept");
        assert!(strike(&faults, "DescribeQueue", "1").refuse.is_none());
        assert!(strike(&faults, "StopContact", "2").refuse.is_none());
        for _ in 0..2 {
            let refused = strike(&faults, "StopContact", "1").refuse.expect("refused");
            assert_eq!(
                (refused.status, refused.code.as_str()),
                (429, "TooManyRequestsException")
            );
        }
        assert!(strike(&faults, "StopContact", "1").refuse.is_none());
        assert_eq!(faults.list(), Vec::new());
    }

    #[test]
    fn a_rule_may_let_the_first_requests_pass() {
        let faults = Faults::default();
        let third = rule(
            r#"{"service": "connect", "operation": "StopContact", "kind": "throttle", "skip": 2, "count": 1}"#,
        );
        faults.add(third).expect("kept");
        let struck: Vec<bool> = (0..4)
            .map(|_| strike(&faults, "StopContact", "1").refuse.is_some())
            .collect();
        assert_eq!(struck, [false, false, true, false]);
    }

    #[test]
    fn chance_decides_by_the_dice() {
        let faults = Faults::default();
        faults
            .add(rule(
                r#"{"service": "connect", "kind": "error_500", "probability": 0.5}"#,
            ))
            .expect("kept");
        assert!(
            strike(&faults, "ListQueues", "1").refuse.is_none(),
            "0.5 is not below 0.5"
        );
        let effects = faults.strike("connect", "ListQueues", "1", &mut || 0.49);
        assert_eq!(effects.refuse.map(|refused| refused.status), Some(500));
    }

    #[test]
    fn delays_add_up_and_an_answer_may_be_lost_as_well() {
        let faults = Faults::default();
        faults
            .add(rule(
                r#"{"service": "connect", "kind": "delay_ms", "delay_ms": 30}"#,
            ))
            .expect("kept");
        faults
            .add(rule(
                r#"{"service": "connect", "kind": "delay_ms", "delay_ms": 12}"#,
            ))
            .expect("kept");
        faults
            .add(rule(r#"{"service": "connect", "kind": "lost_response"}"#))
            .expect("kept");
        let effects = strike(&faults, "ListQueues", "1");
        assert_eq!(effects.delay, Duration::from_millis(42));
        assert!(effects.lose_response && effects.refuse.is_none());
    }

    #[test]
    fn rules_that_make_no_sense_are_refused_by_field() {
        for (json, field) in [
            (r#"{"service": "s3", "kind": "throttle"}"#, "service"),
            (
                r#"{"service": "sts", "kind": "throttle", "probability": 1.5}"#,
                "probability",
            ),
            (
                r#"{"service": "sts", "kind": "throttle", "count": 0}"#,
                "count",
            ),
            (r#"{"service": "sts", "kind": "delay_ms"}"#, "delay_ms"),
            (
                r#"{"service": "sts", "kind": "throttle", "delay_ms": 5}"#,
                "delay_ms",
            ),
        ] {
            let refused = Faults::default().add(rule(json)).expect_err("refused");
            assert_eq!(refused.field, field, "{json}");
        }
        assert!(serde_json::from_str::<Rule>(r#"{"service": "sts", "kind": "explode"}"#).is_err());
    }
}
