//! What each invocation is measured by: one line for CloudWatch, in its embedded metric format.
//!
//! A [`Measures`] lives as long as its invocation and is handed down with it, so simultaneous invocations never mix.
//! Invariant: every dimension has a bounded number of values, the outcomes and the tenants; numbers, agents, rules and
//! contacts are never among them, because each new value is a metric that somebody pays for.

mod emf;
#[cfg(test)]
mod tests;

use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering::Relaxed};
use std::time::Duration;

use jiff::Timestamp;
use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus, Outcome, StopStatus};

use emf::{Directive, Document, Metric};

const OUTCOME: &str = "Outcome";
const TENANT_ID: &str = "TenantId";
const NO_AGE: u64 = u64::MAX;

/// How the invocation ended, as far as that is counted.
#[derive(Debug)]
struct End {
    outcome: Outcome,
    tenant_id: Option<String>,
    stop: StopStatus,
    notice: NoticeStatus,
}

/// Collected while an invocation runs.
#[derive(Debug)]
pub(crate) struct Measures {
    store_rounds: AtomicU32,
    undelivered_records: AtomicU32,
    policy_age_ms: AtomicU64,
    end: OnceLock<End>,
}

impl Default for Measures {
    fn default() -> Self {
        Self {
            store_rounds: AtomicU32::new(0),
            undelivered_records: AtomicU32::new(0),
            policy_age_ms: AtomicU64::new(NO_AGE),
            end: OnceLock::new(),
        }
    }
}

impl Measures {
    /// The answer waits for the store once more. What is asked side by side is one round, repeated requests are too.
    pub(crate) fn store_round(&self) {
        self.store_rounds.fetch_add(1, Relaxed);
    }

    pub(crate) fn record_undelivered(&self) {
        self.undelivered_records.fetch_add(1, Relaxed);
    }

    /// How long ago the policy that decides was last read from its table.
    pub(crate) fn policy_age(&self, age: Duration) {
        let age_ms = u64::try_from(age.as_millis()).unwrap_or(NO_AGE);
        self.policy_age_ms.store(age_ms, Relaxed);
    }

    pub(crate) fn decided(&self, record: &DecisionRecord) {
        self.ended(End {
            outcome: record.outcome,
            tenant_id: Some(record.tenant_id.clone()).filter(|id| !id.is_empty()),
            stop: record.stop,
            notice: record.notice,
        });
    }

    /// Decided without a policy, so without a tenant.
    pub(crate) fn passed(&self, outcome: Outcome) {
        self.ended(End {
            outcome,
            tenant_id: None,
            stop: StopStatus::NotNeeded,
            notice: NoticeStatus::NotNeeded,
        });
    }

    fn ended(&self, end: End) {
        // An invocation is answered once. Should two ends ever be told, the first was the answer's.
        let _ = self.end.set(end);
    }

    /// The line to be written when the invocation has been answered.
    pub(crate) fn line(&self, at: Timestamp, took: Duration, cold_start: bool) -> String {
        let end = self.end.get();
        let mut directives = Vec::with_capacity(3);
        let mut dimensions = Vec::with_capacity(2);
        if let Some(end) = end {
            dimensions.push((OUTCOME, end.outcome.as_str()));
            let mut by_outcome_and_tenant = vec![vec![OUTCOME]];
            if let Some(tenant_id) = &end.tenant_id {
                dimensions.push((TENANT_ID, tenant_id));
                by_outcome_and_tenant.push(vec![TENANT_ID, OUTCOME]);
            }
            let decisions = vec![Metric::count("Decisions", 1)];
            directives.push(Directive::new(by_outcome_and_tenant, decisions));
            let cost = vec![
                Metric::milliseconds("LatencyMs", took),
                Metric::count("StoreRoundTrips", self.store_rounds.load(Relaxed)),
            ];
            directives.push(Directive::new(vec![vec![OUTCOME]], cost));
        }
        directives.push(Directive::new(vec![vec![]], self.as_a_whole(cold_start)));
        let document = Document {
            at,
            dimensions,
            directives,
        };
        // Nothing in it can fail to be written; an empty line would be ignored.
        serde_json::to_string(&document).unwrap_or_default()
    }

    /// What alarms look at, zeros too: a sum that is there and zero is a limiter that runs and is well.
    fn as_a_whole(&self, cold_start: bool) -> Vec<Metric> {
        let end = self.end.get();
        let ended = |is: fn(&End) -> bool| u32::from(end.is_some_and(is));
        let mut metrics = vec![
            Metric::count("FailOpens", ended(|end| end.outcome == Outcome::FailedOpen)),
            Metric::count("StopFailures", ended(|end| end.stop == StopStatus::Failed)),
            Metric::count(
                "DeferredNotices",
                ended(|end| end.notice == NoticeStatus::Deferred),
            ),
            Metric::count(
                "FailedNotices",
                ended(|end| end.notice == NoticeStatus::Failed),
            ),
            Metric::count("UndeliveredRecords", self.undelivered_records.load(Relaxed)),
            Metric::count("MalformedEvents", u32::from(end.is_none())),
            Metric::count("ColdStarts", u32::from(cold_start)),
        ];
        let age_ms = self.policy_age_ms.load(Relaxed);
        if age_ms != NO_AGE {
            metrics.push(Metric::milliseconds(
                "PolicyAgeMs",
                Duration::from_millis(age_ms),
            ));
        }
        metrics
    }
}
