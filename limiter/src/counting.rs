//! The one round in which an attempt is counted: a place in the line of every meter, and the record beside it.

use std::pin::pin;

use futures::future::{Either, join_all, select, try_join_all};
use ringfence_policy::decide::decide;
use ringfence_policy::wire::v1::DecisionRecord;
use ringfence_policy::{Decision, EntryStatus, Log, OwnEntry, Plan, prunable};
use tokio::time::{Instant, timeout_at};

use crate::adapters::{DecisionTable, Failure, MeterTable, StoredLog};
use crate::case::Case;

/// A meter outlives its longest rule by this, so that deletion by the store never races with the decision.
const KEPT_LONGER_SECONDS: i64 = 24 * 60 * 60;
/// How long a decision that has been counted waits for its record.
const RECORD_WAITS: std::time::Duration = std::time::Duration::from_millis(300);
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
        case.measures.store_round();
        let (logs, earlier) = self.append_and_record(case, plan).await?;
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

    /// The count decides; a record that is lost costs history, not limits, so it is not waited for much longer.
    async fn append_and_record(
        &self,
        case: &Case,
        plan: &Plan<'_>,
    ) -> Result<(Vec<StoredLog>, Option<DecisionRecord>), Failure> {
        let record = case.provisional_record(plan);
        let recording = pin!(self.decisions.put_first(&record));
        let appending = pin!(self.append(case, plan));
        let (logs, recorded) = match select(appending, recording).await {
            Either::Left((logs, recording)) => {
                let until = case.deadlines.decision.min(Instant::now() + RECORD_WAITS);
                (logs?, timeout_at(until, recording).await.ok())
            }
            Either::Right((recorded, appending)) => (appending.await?, Some(recorded)),
        };
        let contact_id = &case.call.contact_id;
        let earlier = match recorded {
            Some(Ok(earlier)) => earlier,
            Some(Err(failure)) => {
                case.measures.record_undelivered();
                tracing::error!(contact_id, %failure, "decision not recorded");
                None
            }
            None => {
                case.measures.record_undelivered();
                tracing::error!(contact_id, "decision not recorded in time");
                None
            }
        };
        Ok((logs, earlier))
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

    /// After a denial: what was reserved no longer counts, or counts as a denied attempt. One meter that cannot be
    /// reached keeps no other from being released.
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
            let contact = case.attempt.contact;
            self.meters
                .mark(key, contact, &[EntryStatus::Admitted], status, seen)
        });
        join_all(marks).await.into_iter().collect()
    }

    /// After a denial without a count: what may have been reserved nevertheless no longer counts.
    pub(crate) async fn release_uncounted(
        &self,
        case: &Case,
        plan: &Plan<'_>,
    ) -> Result<(), Failure> {
        self.change_own(case, plan, &[EntryStatus::Admitted], EntryStatus::Void)
            .await
    }

    /// After a stop that failed: the call may well go out, so it counts as any other.
    pub(crate) async fn charge(&self, case: &Case, plan: &Plan<'_>) -> Result<(), Failure> {
        let released = [EntryStatus::Void, EntryStatus::Denied];
        self.change_own(case, plan, &released, EntryStatus::Admitted)
            .await
    }

    async fn change_own(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        from: &[EntryStatus],
        status: EntryStatus,
    ) -> Result<(), Failure> {
        let changes = plan.meters().iter().map(|key| async move {
            let seen = self.meters.read(key).await?;
            let contact = case.attempt.contact;
            self.meters.mark(key, contact, from, status, &seen).await
        });
        join_all(changes).await.into_iter().collect()
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
            case.measures.store_round();
            if let Err(failure) = self.meters.prune(key, seen, &dead).await {
                tracing::warn!(%failure, "meter not pruned");
            }
        }
    }
}
