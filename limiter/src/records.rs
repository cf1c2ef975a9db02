//! Decision records on their way to the store. One that cannot be written now is kept in memory and written beside later
//! invocations, so that what went out uncounted still comes into the history.
//!
//! Failure: the memory is bounded, and dies with the process; a record that is lost is a line in the log.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use ringfence_policy::wire::v1::DecisionRecord;
use tokio::time::Instant;

use crate::adapters::{DecisionTable, Failure, Intent, Standing};
use crate::case::Case;
use crate::guard::guarded;

/// How long a record may hold up an answer that has been decided.
const WAITS: Duration = Duration::from_millis(300);
/// A denial has no call waiting to go out.
const DENIAL_WAITS: Duration = Duration::from_millis(800);
const UNDELIVERED_MAX: usize = 200;
const LATE_PUT_TAKES: Duration = Duration::from_secs(3);

/// The store did not take a record in time. Perhaps it has, and its answer was lost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Unrecorded;

type Undelivered = VecDeque<(Arc<DecisionRecord>, Intent)>;

pub(crate) struct Records {
    table: DecisionTable,
    undelivered: Mutex<Undelivered>,
    delivering: AtomicBool,
}

impl Records {
    pub(crate) fn new(table: DecisionTable) -> Self {
        Self {
            table,
            undelivered: Mutex::default(),
            delivering: AtomicBool::new(false),
        }
    }

    pub(crate) async fn put(
        &self,
        record: &DecisionRecord,
        intent: Intent,
    ) -> Result<Option<Standing>, Failure> {
        self.table.put(record, intent).await
    }

    /// See [`DecisionTable::notice_met_a_full_queue`].
    pub(crate) async fn notice_met_a_full_queue(
        &self,
        instance_arn: &str,
        contact_id: &str,
        until: Instant,
    ) -> Result<bool, Failure> {
        self.table
            .notice_met_a_full_queue(instance_arn, contact_id, until)
            .await
    }

    /// Writes a record of which the decision has been made: an answer waits for it, but not for long. Returns what stands
    /// against it, if anything does.
    pub(crate) async fn write(
        &self,
        case: &Case,
        record: &DecisionRecord,
        intent: Intent,
    ) -> Result<Option<Standing>, Unrecorded> {
        let waits = match intent {
            Intent::Deny | Intent::Conclude => DENIAL_WAITS,
            Intent::Provisional | Intent::LetGo => WAITS,
        };
        case.measures.store_round();
        let until = case.deadlines.within(waits);
        match guarded(until, self.table.put(record, intent)).await {
            Ok(standing) => Ok(standing),
            Err(failure) => {
                tracing::error!(contact_id = record.contact_id, %failure, "decision not recorded");
                // A denial is written once more when it is known what came of it.
                if intent != Intent::Deny {
                    case.measures.record_undelivered();
                    self.later(record.clone(), intent);
                }
                Err(Unrecorded)
            }
        }
    }

    /// Keeps a record until the store takes it again.
    pub(crate) fn later(&self, record: DecisionRecord, intent: Intent) {
        if let Some(lost) = add(&mut self.undelivered(), record, intent) {
            tracing::error!(
                contact_id = lost.contact_id,
                outcome = lost.outcome.as_str(),
                "a decision record is lost: too many are undelivered"
            );
        }
    }

    /// Tries to write what is undelivered while the invocation goes on; where the process is halted before the end, it goes
    /// on with the next call.
    pub(crate) fn deliver_beside(self: &Arc<Self>) {
        if self.undelivered().is_empty() || self.delivering.swap(true, Ordering::AcqRel) {
            return;
        }
        let records = self.clone();
        tokio::spawn(async move {
            while records.deliver_oldest().await {}
            records.delivering.store(false, Ordering::Release);
        });
    }

    /// Whether it was taken and more are waiting.
    async fn deliver_oldest(&self) -> bool {
        let Some((record, intent)) = self.undelivered().front().cloned() else {
            return false;
        };
        let until = Instant::now() + LATE_PUT_TAKES;
        if guarded(until, self.table.put(&record, intent))
            .await
            .is_err()
        {
            return false;
        }
        tracing::info!(contact_id = record.contact_id, "decision recorded late");
        let mut undelivered = self.undelivered();
        undelivered.retain(|(kept, _)| !Arc::ptr_eq(kept, &record));
        !undelivered.is_empty()
    }

    fn undelivered(&self) -> MutexGuard<'_, Undelivered> {
        self.undelivered
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Adds a record, in the place of its contact's earlier one; returns the one that is given up for it, if any.
fn add(
    undelivered: &mut Undelivered,
    record: DecisionRecord,
    intent: Intent,
) -> Option<Arc<DecisionRecord>> {
    undelivered.retain(|(kept, _)| {
        (&kept.contact_id, &kept.instance_arn) != (&record.contact_id, &record.instance_arn)
    });
    let lost = (undelivered.len() >= UNDELIVERED_MAX)
        .then(|| undelivered.pop_front())
        .flatten();
    undelivered.push_back((Arc::new(record), intent));
    lost.map(|(lost, _)| lost)
}

#[cfg(test)]
mod tests {
    use ringfence_policy::wire::v1::{Mode, Outcome, SCHEMA};

    use super::*;

    fn record(contact: usize) -> DecisionRecord {
        serde_json::from_value(serde_json::json!({
            "schema": SCHEMA, "instance_arn": "arn", "instance_id": "ins_1", "tenant_id": "ten_1",
            "contact_id": contact.to_string(), "at": "2026-11-25T18:00:00Z", "outcome": Outcome::FailedOpen,
            "mode": Mode::Enforce, "policy_id": "pol_1", "policy_version": 1, "revision": 1, "decided_in_ms": 1
        }))
        .unwrap()
    }

    #[test]
    fn the_oldest_gives_way_to_the_newest_and_a_contact_is_kept_once() {
        let mut undelivered = Undelivered::new();
        for contact in 0..UNDELIVERED_MAX {
            assert!(add(&mut undelivered, record(contact), Intent::LetGo).is_none());
        }
        assert!(add(&mut undelivered, record(7), Intent::Conclude).is_none());
        let lost = add(&mut undelivered, record(1000), Intent::LetGo).unwrap();
        assert_eq!(lost.contact_id, "0");
        assert_eq!(undelivered.len(), UNDELIVERED_MAX);
        let of_seven = undelivered
            .iter()
            .filter(|(kept, _)| kept.contact_id == "7");
        assert_eq!(
            of_seven.map(|(_, intent)| *intent).collect::<Vec<_>>(),
            [Intent::Conclude]
        );
    }
}
