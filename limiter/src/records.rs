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

    /// Writes a record of which the decision has been made: an answer waits for it, but not for long. Returns what stands
    /// against it, if anything does.
    pub(crate) async fn write(
        &self,
        case: &Case,
        record: &DecisionRecord,
        intent: Intent,
    ) -> Option<Standing> {
        let waits = match intent {
            Intent::Deny | Intent::Conclude => DENIAL_WAITS,
            Intent::Provisional | Intent::LetGo => WAITS,
        };
        case.measures.store_round();
        let until = case.deadlines.within(waits);
        match guarded(until, self.table.put(record, intent)).await {
            Ok(standing) => standing,
            Err(failure) => {
                tracing::error!(contact_id = record.contact_id, %failure, "decision not recorded");
                // A denial is written once more when it is known what came of it.
                if intent != Intent::Deny {
                    case.measures.record_undelivered();
                    self.later(record.clone(), intent);
                }
                None
            }
        }
    }

    /// Keeps a record until the store takes it again. A contact's later record takes the place of its earlier one.
    pub(crate) fn later(&self, record: DecisionRecord, intent: Intent) {
        let mut undelivered = self.undelivered();
        undelivered.retain(|(kept, _)| {
            (&kept.contact_id, &kept.instance_arn) != (&record.contact_id, &record.instance_arn)
        });
        if undelivered.len() >= UNDELIVERED_MAX
            && let Some((lost, _)) = undelivered.pop_front()
        {
            tracing::error!(
                contact_id = lost.contact_id,
                outcome = lost.outcome.as_str(),
                "a decision record is lost: too many are undelivered"
            );
        }
        undelivered.push_back((Arc::new(record), intent));
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
