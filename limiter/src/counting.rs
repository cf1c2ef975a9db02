//! The one round in which an attempt is counted: a place in the line of every meter, and the record beside it.

use futures::future::{join, try_join_all};
use ringfence_policy::decide::decide;
use ringfence_policy::wire::v1::DecisionRecord;
use ringfence_policy::{Decision, EntryStatus, Log, OwnEntry, Plan, prunable};
use tokio::time::timeout_at;

use crate::adapters::{DecisionTable, Failure, MeterTable, StoredLog};
use crate::case::Case;

/// A meter outlives its longest rule by this, so that deletion by the store never races with the decision.
const KEPT_LONGER_SECONDS: i64 = 24 * 60 * 60;
/// Pruning costs a write; it waits until there is something to gain.
const PRUNED_FROM: usize = 32;

pub(crate) struct Counted {
    pub(crate) decision: Decision,
    pub(crate) logs: Vec<StoredLog>,
    /// The record of an earlier delivery of the same contact.
    pub(crate) earlier: Option<DecisionRecord>,
}

pub(crate) struct Counting {
    pub(crate) meters: MeterTable,
    pub(crate) decisions: DecisionTable,
}

impl Counting {
    pub(crate) async fn count(&self, case: &Case, plan: &Plan<'_>) -> Result<Counted, Failure> {
        let record = case.provisional_record(plan);
        let recording = timeout_at(case.deadlines.decision, self.decisions.put_first(&record));
        let (logs, earlier) = join(self.append(case, plan), recording).await;
        let logs = logs?;
        // The count decides; a record that is lost costs history, not limits.
        let earlier = match earlier {
            Ok(Ok(earlier)) => earlier,
            Ok(Err(failure)) => {
                tracing::error!(contact_id = case.call.contact_id, %failure, "decision not recorded");
                None
            }
            Err(_) => {
                tracing::error!(
                    contact_id = case.call.contact_id,
                    "decision not recorded in time"
                );
                None
            }
        };
        let read: Vec<Log> = logs.iter().map(|stored| stored.log.clone()).collect();
        let malformed: usize = read.iter().map(Log::malformed).sum();
        if malformed > 0 {
            tracing::warn!(
                contact_id = case.call.contact_id,
                malformed,
                "unreadable entries in meters"
            );
        }
        Ok(Counted {
            decision: decide(plan, &read, case.now),
            logs,
            earlier,
        })
    }

    async fn append(&self, case: &Case, plan: &Plan<'_>) -> Result<Vec<StoredLog>, Failure> {
        let entry = plan.entry(case.now);
        let appends = plan.meters().iter().enumerate().map(|(meter, key)| {
            let kept = i64::from(plan.memory_seconds(meter)).saturating_add(KEPT_LONGER_SECONDS);
            self.meters
                .append(key, entry, case.now.as_second().saturating_add(kept))
        });
        try_join_all(appends).await
    }

    /// After a denial: what was reserved no longer counts, or counts as a denied attempt.
    pub(crate) async fn release(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        counted: &Counted,
    ) -> Result<(), Failure> {
        let own_entries = plan
            .meters()
            .iter()
            .zip(&counted.logs)
            .zip(&counted.decision.own_entries);
        let marks = own_entries.map(|((key, seen), own)| {
            let status = match own {
                OwnEntry::CountAsDenied => EntryStatus::Denied,
                // An earlier delivery was denied, so this one's places are not kept either.
                OwnEntry::Void | OwnEntry::Keep => EntryStatus::Void,
            };
            self.meters.mark(key, case.attempt.contact, status, seen)
        });
        try_join_all(marks).await.map(|_| ())
    }

    /// Now and then, whoever finds enough dead entries removes them.
    pub(crate) async fn prune(&self, case: &Case, plan: &Plan<'_>, logs: &[StoredLog]) {
        for (meter, (key, seen)) in plan.meters().iter().zip(logs).enumerate() {
            if seen.log.places().len() < PRUNED_FROM {
                continue;
            }
            let dead = prunable(plan, meter, &seen.log, case.now);
            if dead.len() < PRUNED_FROM {
                continue;
            }
            if let Err(failure) = self.meters.prune(key, seen, &dead).await {
                tracing::warn!(%failure, "meter not pruned");
            }
        }
    }
}
