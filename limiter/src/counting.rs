//! The one round in which an attempt is counted: a place in the line of every meter, and the record beside it. And what
//! becomes of those places afterwards.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, join_all, select, try_join_all};
use ringfence_policy::decide::decide;
use ringfence_policy::{ContactKey, Decision, Entry, EntryStatus, Log, Plan, compact};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::adapters::{
    AsStored, COMPACTED_AT_ONCE, Failure, Intent, MeterTable, Standing, StoredLog,
};
use crate::case::Case;
use crate::records::Records;

/// A meter outlives its longest rule by this, so that deletion by the store never races with the decision.
const KEPT_LONGER_SECONDS: i64 = 24 * 60 * 60;
/// How long a decision that has been counted waits for its record.
const RECORD_WAITS: Duration = Duration::from_millis(300);
/// Compacting costs a write; it waits until there is something to gain.
const COMPACTED_FROM: usize = 32;
const COMPACTED_AT_A_TIME: usize = 4;

pub(crate) struct Counted {
    pub(crate) decision: Decision,
    /// In the order of the plan's meters.
    logs: Vec<Log>,
    as_stored: Vec<AsStored>,
    /// What an earlier delivery of the same contact has put on record.
    pub(crate) earlier: Option<Standing>,
    /// Another delivery of the same contact has taken a place in a meter, whether or not it has left a record.
    pub(crate) repeated: bool,
    /// Whether the provisional record is in the store.
    pub(crate) recorded: bool,
}

pub(crate) struct Counting {
    meters: Arc<MeterTable>,
    records: Arc<Records>,
    compacting: Arc<Semaphore>,
}

/// What came of the provisional record.
struct Recorded {
    earlier: Option<Standing>,
    written: bool,
}

impl Counting {
    pub(crate) fn new(meters: MeterTable, records: Arc<Records>) -> Self {
        Self {
            meters: Arc::new(meters),
            records,
            compacting: Arc::new(Semaphore::new(COMPACTED_AT_A_TIME)),
        }
    }

    pub(crate) async fn count(&self, case: &Case, plan: &Plan<'_>) -> Result<Counted, Failure> {
        case.measures.store_round();
        let (stored, recorded) = self.append_and_record(case, plan).await?;
        let (logs, as_stored): (Vec<Log>, Vec<AsStored>) = stored
            .into_iter()
            .map(|stored| (stored.log, stored.as_stored))
            .unzip();
        let malformed: usize = logs.iter().map(Log::malformed).sum();
        if malformed > 0 {
            tracing::warn!(
                contact_id = case.call.contact_id,
                malformed,
                "unreadable entries in meters"
            );
        }
        Ok(Counted {
            decision: decide(plan, &logs, None, case.now),
            repeated: logs
                .iter()
                .any(|log| is_repeated(log, case.attempt.contact)),
            logs,
            as_stored,
            earlier: recorded.earlier,
            recorded: recorded.written,
        })
    }

    /// The count decides; a record that is lost costs history, not limits, so it is not waited for much longer.
    async fn append_and_record(
        &self,
        case: &Case,
        plan: &Plan<'_>,
    ) -> Result<(Vec<StoredLog>, Recorded), Failure> {
        let record = case.provisional_record(plan);
        let recording = pin!(self.records.put(&record, Intent::Provisional));
        let appending = pin!(self.append(case, plan));
        let (logs, recorded) = match select(appending, recording).await {
            Either::Left((logs, recording)) => {
                let until = case.deadlines.decision.min(Instant::now() + RECORD_WAITS);
                (logs?, timeout_at(until, recording).await.ok())
            }
            Either::Right((recorded, appending)) => (appending.await?, Some(recorded)),
        };
        let contact_id = &case.call.contact_id;
        let unwritten = Recorded {
            earlier: None,
            written: false,
        };
        let recorded = match recorded {
            Some(Ok(earlier)) => Recorded {
                earlier,
                written: true,
            },
            Some(Err(failure)) => {
                tracing::error!(contact_id, %failure, "decision not recorded");
                unwritten
            }
            None => {
                tracing::error!(contact_id, "decision not recorded in time");
                unwritten
            }
        };
        Ok((logs, recorded))
    }

    async fn append(&self, case: &Case, plan: &Plan<'_>) -> Result<Vec<StoredLog>, Failure> {
        let entry = plan.entry(case.now);
        let appends = plan.meters().iter().enumerate().map(|(meter, key)| {
            self.meters
                .append(key, entry, expires_at(case, plan, meter))
        });
        try_join_all(appends).await
    }

    /// After a denial, or for an exempt number: what was reserved no longer counts, or counts as a denied attempt. One
    /// meter that cannot be reached keeps no other from being released.
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
            // Where an earlier delivery was denied, this one's places are not kept either.
            let status = own.mark().unwrap_or(EntryStatus::Void);
            self.meters.mark(key, case.attempt.contact, status, seen)
        });
        join_all(marks).await.into_iter().collect()
    }

    /// After a denial without a count: what may have been reserved nevertheless no longer counts.
    pub(crate) async fn release_uncounted(
        &self,
        case: &Case,
        plan: &Plan<'_>,
    ) -> Result<(), Failure> {
        let marks = plan.meters().iter().map(|key| async move {
            let seen = self.meters.read(key).await?;
            let contact = case.attempt.contact;
            self.meters
                .mark(key, contact, EntryStatus::Void, &seen.log)
                .await
        });
        join_all(marks).await.into_iter().collect()
    }

    /// For a denied call that may go out all the same: it counts as any other, from now on. Its former places are not
    /// given back, because others have been decided since on what stood there: a place that once stopped counting never
    /// counts again, so a repeated delivery never finds more before it than the first one did.
    pub(crate) async fn charge(&self, case: &Case, plan: &Plan<'_>) -> Result<(), Failure> {
        self.append(case, plan).await.map(|_| ())
    }

    /// Now and then, whoever finds enough entries that can go removes them, while the answer is on its way.
    pub(crate) fn compact_beside(&self, case: &Case, plan: &Plan<'_>, counted: &Counted) {
        let seen = counted.logs.iter().zip(&counted.as_stored);
        for (meter, (key, (log, as_stored))) in plan.meters().iter().zip(seen).enumerate() {
            if log.places().len() < COMPACTED_FROM {
                continue;
            }
            let Some(compaction) = compact(plan, meter, log, case.now, COMPACTED_AT_ONCE)
                .filter(|compaction| compaction.remove.len() >= COMPACTED_FROM)
            else {
                continue;
            };
            let Ok(permit) = self.compacting.clone().try_acquire_owned() else {
                return;
            };
            let Some(request) = self.meters.compact(key, log, as_stored, &compaction) else {
                continue;
            };
            tokio::spawn(async move {
                if let Err(failure) = request.send().await {
                    tracing::warn!(%failure, "meter not compacted");
                }
                drop(permit);
            });
        }
    }
}

fn expires_at(case: &Case, plan: &Plan<'_>, meter: usize) -> i64 {
    let kept = i64::from(plan.memory_seconds(meter)).saturating_add(KEPT_LONGER_SECONDS);
    case.now.as_second().saturating_add(kept)
}

fn is_repeated(log: &Log, contact: ContactKey) -> bool {
    let own = |entry: &&Entry| entry.contact == contact;
    log.places().iter().flatten().filter(own).nth(1).is_some()
}
