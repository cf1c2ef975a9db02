//! A candidate policy over attempts that were made: what it would have denied. Pure.
//!
//! Every attempt is taken as if nobody had denied it before, and the meters begin empty. Attributes are not on record, so
//! rules that ask for one do not apply.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use ringfence_policy::decide::decide;
use ringfence_policy::{Attempt, ContactKey, Entry, Log, MeterKey, Owner, Plan, Policy, Verdict};

/// How many denials are shown.
const EXAMPLES_MAX: usize = 20;

/// One attempt, as it is on record.
#[derive(Debug, Clone)]
pub struct Recorded<I> {
    pub id: I,
    pub at: Timestamp,
    pub instance_arn: String,
    pub attempt: Attempt,
}

#[derive(Debug, Clone)]
pub struct Denial<I> {
    pub id: I,
    pub at: Timestamp,
    pub rule_id: Option<String>,
    pub retry_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub struct Replayed<I> {
    pub attempts: usize,
    pub denied: usize,
    /// By the rule whose reason would have been told.
    pub by_rule: BTreeMap<String, usize>,
    /// The first ones.
    pub examples: Vec<Denial<I>>,
}

/// In the order of their times.
#[must_use]
pub fn replay<I>(policy: &Policy, tenant_id: &str, attempts: Vec<Recorded<I>>) -> Replayed<I> {
    let mut meters: HashMap<MeterKey, Vec<Entry>> = HashMap::new();
    let mut replayed = Replayed {
        attempts: attempts.len(),
        denied: 0,
        by_rule: BTreeMap::new(),
        examples: Vec::new(),
    };
    for recorded in attempts {
        let owner = Owner {
            instance_arn: &recorded.instance_arn,
            tenant_id,
        };
        let plan = Plan::new(policy, owner, &recorded.attempt);
        let entry = plan.entry(recorded.at);
        let logs: Vec<Log> = plan
            .meters()
            .iter()
            .map(|key| {
                let line = meters.entry(key.clone()).or_default();
                line.push(entry);
                line.iter().copied().collect()
            })
            .collect();
        let decision = decide(&plan, &logs, None, recorded.at);
        for (key, own) in plan.meters().iter().zip(&decision.own_entries) {
            let own_place = meters.get_mut(key).and_then(|line| line.last_mut());
            if let (Some(place), Some(status)) = (own_place, own.mark()) {
                place.status = status;
            }
        }
        // A policy in shadow is replayed to see what it would do.
        if !matches!(decision.verdict, Verdict::Deny | Verdict::WouldDeny) {
            continue;
        }
        replayed.denied += 1;
        let rule_id = decision
            .deciding
            .as_ref()
            .and_then(|deciding| deciding.rule_id.as_ref());
        let rule_id = rule_id.map(ToString::to_string);
        if let Some(rule_id) = &rule_id {
            *replayed.by_rule.entry(rule_id.clone()).or_default() += 1;
        }
        if replayed.examples.len() < EXAMPLES_MAX {
            replayed.examples.push(Denial {
                id: recorded.id,
                at: recorded.at,
                rule_id,
                retry_at: decision.deciding.and_then(|deciding| deciding.retry_at),
            });
        }
    }
    replayed
}

/// Any contact of its own: attempts of a replay are told apart by their place.
#[must_use]
pub fn contact(place: usize) -> ContactKey {
    let mut key = [0; 16];
    let bytes = place.to_be_bytes();
    if let Some(end) = key.get_mut(16 - bytes.len()..) {
        end.copy_from_slice(&bytes);
    }
    ContactKey(key)
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;
    use ringfence_policy::{Number, PolicyDraft};
    use serde_json::json;

    use super::*;

    fn attempts(numbers: &[(&str, i64)]) -> Vec<Recorded<usize>> {
        let begin: Timestamp = "2026-11-25T12:00:00Z".parse().expect("a time");
        let recorded = |(place, (number, second)): (usize, &(&str, i64))| Recorded {
            id: place,
            at: begin + SignedDuration::from_secs(*second),
            instance_arn: "arn:aws:connect:us-east-1:1:instance/i".to_owned(),
            attempt: Attempt {
                contact: contact(place),
                customer: Some(Number::E164((*number).to_owned())),
                customer_country: None,
                caller_id: None,
                agent: None,
                queue: None,
                attributes: BTreeMap::new(),
                dialled: Vec::new(),
            },
        };
        numbers.iter().enumerate().map(recorded).collect()
    }

    fn policy(mode: &str) -> Policy {
        let draft: PolicyDraft = serde_json::from_value(json!({ "mode": mode, "rules": [{
            "id": "two-a-minute", "per": ["customer"], "limit": { "kind": "sliding", "max": 2, "window_seconds": 60 },
        }] }))
        .expect("a draft");
        draft.check().expect("a policy")
    }

    #[test]
    fn what_the_rules_would_have_denied_is_counted_and_what_they_deny_charges_nothing() {
        let made = [
            ("+1", 0),
            ("+2", 1),
            ("+1", 2),
            ("+1", 3),
            ("+1", 61),
            ("+1", 62),
        ];
        for mode in ["enforce", "shadow"] {
            let replayed = replay(&policy(mode), "ten_1", attempts(&made));
            let denied: Vec<usize> = replayed.examples.iter().map(|example| example.id).collect();
            // In shadow the third goes out and counts, so that the last two find two before them.
            let expected: &[usize] = if mode == "enforce" { &[3] } else { &[3, 4, 5] };
            assert_eq!(denied, expected, "{mode}");
            assert_eq!((replayed.attempts, replayed.denied), (6, expected.len()));
            assert_eq!(replayed.by_rule["two-a-minute"], expected.len());
        }
    }
}
