//! The one round in which an attempt is counted: a place in the line of every meter, and the record beside it. And what
//! becomes of those places afterwards.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::future::{Either, join_all, select, try_join, try_join_all};
use ringfence_policy::decide::decide;
use ringfence_policy::{ContactKey, Decision, Entry, EntryStatus, Listing, Log, Plan, compact};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout_at};

use crate::adapters::{
    AsStored, COMPACTED_AT_ONCE, Failure, Intent, ListingTable, Meter, MeterTable, Places,
    Standing, StoredLog,
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
    /// These three in the order of the plan's meters.
    meters: Vec<Meter>,
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
    meters: MeterTable,
    listings: ListingTable,
    records: Arc<Records>,
    compacting: Arc<Semaphore>,
}

/// What came of the provisional record.
struct Recorded {
    earlier: Option<Standing>,
    written: bool,
}

impl Counting {
    pub(crate) fn new(meters: MeterTable, listings: ListingTable, records: Arc<Records>) -> Self {
        Self {
            meters,
            listings,
            records,
            compacting: Arc::new(Semaphore::new(COMPACTED_AT_A_TIME)),
        }
    }

    pub(crate) async fn count(&self, case: &Case, plan: &Plan<'_>) -> Result<Counted, Failure> {
        case.measures.store_round();
        let meters = self.meters_of(case, plan);
        let record = case.provisional_record(plan);
        let entry = plan.entry(case.now);
        let counting = try_join(append(case, plan, &meters, entry), self.listing(case, plan));
        let recording = self.records.put(&record, Intent::Provisional);
        let ((stored, listing), recorded) = both(case, counting, recording).await?;
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
            decision: decide(plan, &logs, listing.as_ref(), case.now),
            repeated: logs
                .iter()
                .any(|log| is_repeated(log, case.attempt.contact)),
            meters,
            logs,
            as_stored,
            earlier: recorded.earlier,
            recorded: recorded.written,
        })
    }

    fn meters_of(&self, case: &Case, plan: &Plan<'_>) -> Vec<Meter> {
        let home_region = case.snapshot.home_region.as_deref();
        let keys = plan.meters().iter();
        keys.map(|key| self.meters.meter(key, home_region))
            .collect()
    }

    /// Whether the number is on a list.
    async fn listing(&self, case: &Case, plan: &Plan<'_>) -> Result<Option<Listing>, Failure> {
        match case.customer() {
            Some(number) if case.asks_for_listings(plan) => {
                let tenant = &case.snapshot.tenant_id;
                self.listings.find(tenant, number.as_str()).await
            }
            _ => Ok(None),
        }
    }

    /// After a denial, or for an exempt number: what was reserved no longer counts, or counts as a denied attempt. One
    /// meter that cannot be reached keeps no other from being released.
    pub(crate) async fn release(
        &self,
        case: &Case,
        counted: &Counted,
        places: Places,
    ) -> Result<(), Failure> {
        if places == Places::OwnIfAlone && counted.repeated {
            return Ok(());
        }
        let own_entries = counted.decision.own_entries.iter();
        let seen = counted.meters.iter().zip(&counted.logs);
        let marks = seen.zip(own_entries).map(|((meter, log), own)| {
            // Where an earlier delivery was denied, this one's places are not kept either.
            let status = own.mark().unwrap_or(EntryStatus::Void);
            let status = match places {
                Places::All => status,
                Places::OwnIfAlone => status.alone(),
            };
            meter.mark(case.attempt.contact, status, log, places)
        });
        join_all(marks).await.into_iter().collect()
    }

    /// After a denial without a count: what may have been reserved nevertheless no longer counts. The store may also take
    /// it later than this, so a released place is left in every line, behind which it counts for nothing.
    pub(crate) async fn release_uncounted(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        places: Places,
    ) -> Result<(), Failure> {
        // Whose places they are is not known.
        if places == Places::OwnIfAlone {
            return Ok(());
        }
        let released = Entry {
            status: EntryStatus::Void,
            ..plan.entry(case.now)
        };
        let meters = self.meters_of(case, plan);
        let marks = meters.iter().enumerate().map(|(index, meter)| async move {
            let expires_at = expires_at(case, plan, index);
            let seen = meter.append(released, expires_at).await?;
            meter
                .mark(released.contact, released.status, &seen.log, places)
                .await
        });
        join_all(marks).await.into_iter().collect()
    }

    /// For a denied call that may go out all the same: it counts as any other, from now on. Its former places are not
    /// given back, because others have been decided since on what stood there: a place that once stopped counting never
    /// counts again, so a repeated delivery never finds more before it than the first one did.
    pub(crate) async fn charge(&self, case: &Case, plan: &Plan<'_>) -> Result<(), Failure> {
        let charged = Entry {
            status: EntryStatus::Charged,
            ..plan.entry(case.now)
        };
        let meters = self.meters_of(case, plan);
        append(case, plan, &meters, charged).await.map(|_| ())
    }

    /// Now and then, whoever finds enough entries that can go removes them, while the answer is on its way.
    pub(crate) fn compact_beside(&self, case: &Case, plan: &Plan<'_>, counted: &Counted) {
        let seen = counted.logs.iter().zip(&counted.as_stored);
        for (index, (meter, (log, as_stored))) in counted.meters.iter().zip(seen).enumerate() {
            if log.places().len() < COMPACTED_FROM {
                continue;
            }
            let Some(compaction) = compact(plan, index, log, case.now, COMPACTED_AT_ONCE)
                .filter(|compaction| compaction.remove.len() >= COMPACTED_FROM)
            else {
                continue;
            };
            let Ok(permit) = self.compacting.clone().try_acquire_owned() else {
                return;
            };
            let Some(request) = meter.compact(log, as_stored, &compaction) else {
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

/// The count decides; a record that is lost costs history, not limits, so it is not waited for much longer.
async fn both<T>(
    case: &Case,
    counting: impl Future<Output = Result<T, Failure>>,
    recording: impl Future<Output = Result<Option<Standing>, Failure>>,
) -> Result<(T, Recorded), Failure> {
    let (counted, recorded) = match select(pin!(counting), pin!(recording)).await {
        Either::Left((counted, recording)) => {
            let until = case.deadlines.decision.min(Instant::now() + RECORD_WAITS);
            (counted?, timeout_at(until, recording).await.ok())
        }
        Either::Right((recorded, counting)) => (counting.await?, Some(recorded)),
    };
    let contact_id = &case.call.contact_id;
    let (earlier, written) = match recorded {
        Some(Ok(earlier)) => (earlier, true),
        Some(Err(failure)) => {
            tracing::error!(contact_id, %failure, "decision not recorded");
            (None, false)
        }
        None => {
            tracing::error!(contact_id, "decision not recorded in time");
            (None, false)
        }
    };
    Ok((counted, Recorded { earlier, written }))
}

async fn append(
    case: &Case,
    plan: &Plan<'_>,
    meters: &[Meter],
    entry: Entry,
) -> Result<Vec<StoredLog>, Failure> {
    let appends = meters
        .iter()
        .enumerate()
        .map(|(index, meter)| meter.append(entry, expires_at(case, plan, index)));
    try_join_all(appends).await
}

fn expires_at(case: &Case, plan: &Plan<'_>, meter: usize) -> i64 {
    let kept = i64::from(plan.memory_seconds(meter)).saturating_add(KEPT_LONGER_SECONDS);
    case.now.as_second().saturating_add(kept)
}

fn is_repeated(log: &Log, contact: ContactKey) -> bool {
    let own = |entry: &&Entry| entry.contact == contact;
    log.places().iter().flatten().filter(own).nth(1).is_some()
}
