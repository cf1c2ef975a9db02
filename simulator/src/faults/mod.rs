//! Faults on demand: rules that make requests fail, wait, or lose their answer.
//!
//! Delays add up; of the rules that refuse, the oldest that strikes wins. A rule with a count is gone once it has struck
//! that often. A rule spares requests to the control API, which is not part of AWS.

mod holds;
mod refusal;
mod rule;

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::aws::AwsError;
use refusal::refusal;

pub use holds::{Held, Holds};
pub use rule::{BadRule, Kind, Rule};

/// A request that rules may concern.
#[derive(Debug, Clone, Copy)]
pub struct Struck<'r> {
    pub service: &'r str,
    pub operation: &'r str,
    /// Of the caller.
    pub account_id: &'r str,
    pub path: &'r str,
    pub query: &'r str,
    pub body: &'r [u8],
}

impl Struck<'_> {
    fn contains(&self, text: &str) -> bool {
        let needle = text.as_bytes();
        [self.path.as_bytes(), self.query.as_bytes(), self.body]
            .iter()
            .any(|part| needle.is_empty() || part.windows(needle.len()).any(|at| at == needle))
    }
}

/// What happens to one request.
#[derive(Debug, Default)]
pub struct Effects {
    pub delay: Duration,
    pub refuse: Option<AwsError>,
    pub lose_response: bool,
    /// After how long it is performed although its connection has been cut.
    pub late: Option<Duration>,
    pub hold: Option<Hold>,
}

/// That a request is to be kept waiting.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// Only after it has taken effect.
    pub performed: bool,
    /// The text that the rule is about.
    pub about: Option<String>,
}

#[derive(Debug, Default)]
pub struct Faults(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    rules: Vec<Rule>,
    struck: u64,
}

impl Faults {
    pub fn add(&self, rule: Rule) -> Result<(), BadRule> {
        rule.check()?;
        self.lock().rules.push(rule);
        Ok(())
    }

    /// Takes away the rules that are about this text and of this kind, where either is given.
    pub fn clear(&self, containing: Option<&str>, kind: Option<Kind>) {
        let meant = |rule: &Rule| {
            (containing.is_none() || rule.containing.as_deref() == containing)
                && kind.is_none_or(|kind| rule.kind == kind)
        };
        self.lock().rules.retain(|rule| !meant(rule));
    }

    pub fn list(&self) -> Vec<Rule> {
        self.lock().rules.clone()
    }

    /// How many requests have failed of a rule. One that only waited, as it does where a test kills its sender, is none.
    pub fn struck(&self) -> u64 {
        self.lock().struck
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// `dice` gives numbers from 0 up to, but not including, 1.
    pub fn strike(&self, request: &Struck<'_>, dice: &mut dyn FnMut() -> f64) -> Effects {
        let mut inner = self.lock();
        let Inner { rules, struck } = &mut *inner;
        let mut effects = Effects::default();
        for rule in rules.iter_mut().filter(|rule| rule.concerns(request)) {
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
                Kind::Late => {
                    effects.late = Some(Duration::from_millis(rule.delay_ms.unwrap_or_default()));
                }
                Kind::HoldRequest | Kind::HoldResponse => {
                    effects.hold = Some(Hold {
                        performed: rule.kind == Kind::HoldResponse,
                        about: rule.containing.clone(),
                    });
                }
                kind => {
                    effects.refuse = Some(refusal(kind, request.service, request.operation));
                }
            }
            *struck += u64::from(rule.kind.fails());
            if let Some(count) = &mut rule.count {
                *count -= 1;
            }
        }
        rules.retain(|rule| rule.count != Some(0));
        effects
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(json: &str) -> Rule {
        serde_json::from_str(json).expect("a rule")
    }

    fn strike(faults: &Faults, operation: &str, account: &str) -> Effects {
        faults.strike(&request(operation, account), &mut || 0.5)
    }

    fn request<'r>(operation: &'r str, account_id: &'r str) -> Struck<'r> {
        Struck {
            service: "connect",
            operation,
            account_id,
            path: "/queues/i-1/q-1",
            query: "",
            body: b"{}",
        }
    }

    #[test]
    fn a_rule_may_be_about_one_instance_and_is_taken_away_with_it() {
        let faults = Faults::default();
        for instance in ["i-1", "i-2"] {
            let about = format!(
                r#"{{"service": "connect", "containing": "{instance}", "kind": "hold_request"}}"#
            );
            faults.add(rule(&about)).expect("kept");
        }
        assert!(strike(&faults, "DescribeQueue", "1").hold.is_some());
        faults.clear(Some("i-1"), Some(Kind::Throttle));
        assert_eq!(faults.list().len(), 2, "of another kind");
        faults.clear(Some("i-1"), None);
        assert!(strike(&faults, "DescribeQueue", "1").hold.is_none());
        assert_eq!(faults.list().len(), 1);
    }

    #[test]
    fn only_requests_that_fail_count_as_struck() {
        let kinds = [
            ("hold_request", 0),
            ("hold_response", 0),
            ("delay_ms", 0),
            ("throttle", 1),
            ("error_500", 1),
            ("access_denied", 1),
            ("unavailable", 1),
            ("lost_response", 1),
            ("late", 1),
        ];
        for (kind, counts) in kinds {
            let delay = match kind {
                "delay_ms" | "late" => r#", "delay_ms": 1"#,
                _ => "",
            };
            let faults = Faults::default();
            faults
                .add(rule(&format!(
                    r#"{{"service": "connect", "kind": "{kind}"{delay}}}"#
                )))
                .expect("kept");
            strike(&faults, "DescribeQueue", "1");
            assert_eq!(faults.struck(), counts, "{kind}");
        }
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
        let effects = faults.strike(&request("ListQueues", "1"), &mut || 0.49);
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
