//! Which notice a decision record leaves to the control plane, and for how long it is worth sending. Pure.

use jiff::{SignedDuration, Timestamp};
use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus, Outcome, StopStatus};

use crate::store::{NewNotice, NoticeTask};

/// A task about a call of so long ago only confuses.
const KEPT: SignedDuration = SignedDuration::from_hours(1);
/// When the wait that it tells of has been over for so long, too.
const KEPT_PAST_RETRY: SignedDuration = SignedDuration::from_mins(15);
/// It asks to hang up a call that may be ringing.
const KEPT_NOT_STOPPED: SignedDuration = SignedDuration::from_mins(5);

#[must_use]
pub fn notice(record: &DecisionRecord) -> Option<NewNotice> {
    let deferred = record.deferred_notice.as_ref()?;
    (record.notice == NoticeStatus::Deferred).then(|| NewNotice {
        client_token: deferred.client_token.clone(),
        expires_at: expires_at(record),
        task: NoticeTask {
            name: deferred.name.clone(),
            description: deferred.description.clone(),
            attributes: deferred.attributes.clone(),
        },
    })
}

/// Whose notice has gone out or will: whether such an agent takes tasks is worth knowing.
#[must_use]
pub fn told_agent(record: &DecisionRecord) -> Option<String> {
    let told = matches!(record.notice, NoticeStatus::Sent | NoticeStatus::Deferred);
    record.agent_arn.clone().filter(|_| told)
}

fn expires_at(record: &DecisionRecord) -> Timestamp {
    let after = |at: Timestamp, span| at.checked_add(span).unwrap_or(Timestamp::MAX);
    if record.stop == StopStatus::Failed {
        return after(record.at, KEPT_NOT_STOPPED);
    }
    let retry_at = match (record.retry_at, record.outcome) {
        // It says to try again in a moment.
        (None, Outcome::FailedClosed) => Some(record.at),
        (retry_at, _) => retry_at,
    };
    let kept = after(record.at, KEPT);
    retry_at.map_or(kept, |retry_at| kept.min(after(retry_at, KEPT_PAST_RETRY)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(members: serde_json::Value) -> DecisionRecord {
        let mut record = serde_json::json!({
            "schema": 1, "instance_arn": "arn", "instance_id": "i", "tenant_id": "t", "contact_id": "c",
            "at": "2026-01-01T12:00:00Z", "outcome": "denied", "mode": "enforce", "policy_id": "none",
            "policy_version": 0, "revision": 1, "decided_in_ms": 3, "stop": "stopped", "notice": "deferred",
            "deferred_notice": { "name": "n", "description": "d", "attributes": {}, "client_token": "token" },
        });
        record
            .as_object_mut()
            .expect("an object")
            .extend(members.as_object().expect("an object").clone());
        serde_json::from_value(record).expect("a record")
    }

    fn expires(members: serde_json::Value) -> String {
        let notice = notice(&record(members)).expect("a notice");
        notice.expires_at.to_string()
    }

    #[test]
    fn a_notice_is_kept_for_an_hour_and_not_long_past_the_time_it_tells() {
        assert_eq!(expires(serde_json::json!({})), "2026-01-01T13:00:00Z");
        let tomorrow = serde_json::json!({ "retry_at": "2026-01-02T12:00:00Z" });
        assert_eq!(expires(tomorrow), "2026-01-01T13:00:00Z");
        let soon = serde_json::json!({ "retry_at": "2026-01-01T12:01:00Z" });
        assert_eq!(expires(soon), "2026-01-01T12:16:00Z");
        let uncounted = serde_json::json!({ "outcome": "failed_closed" });
        assert_eq!(expires(uncounted), "2026-01-01T12:15:00Z");
        let rings = serde_json::json!({ "stop": "failed", "retry_at": "2026-01-02T12:00:00Z" });
        assert_eq!(expires(rings), "2026-01-01T12:05:00Z");
    }

    #[test]
    fn only_what_was_deferred_is_sent_later() {
        for settled in ["sent", "failed", "no_agent", "queue_full"] {
            let settled = serde_json::json!({ "notice": settled });
            assert!(notice(&record(settled.clone())).is_none(), "{settled}");
        }
    }
}
