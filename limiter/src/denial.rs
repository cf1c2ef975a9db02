//! What follows a denial: it is put on record; the contact is stopped and the agent told; what was reserved is released;
//! and the record says what came of it.
//!
//! The record comes before the release: a delivery that comes in between finds the denial, never a free place; and a
//! denial that gives way to another delivery, which has settled that the contact goes, has released nothing that others
//! could have taken meanwhile. A denial that cannot be recorded releases its own places alone, and none where it is not the
//! only delivery: another one, which cannot know of it, may let the contact go. All else runs side by side. Where the stop fails the call may go out all the same, so it is
//! charged after all, and the agent is told to hang up. The answer stays a denial whatever fails here.

use std::panic::AssertUnwindSafe;
use std::pin::pin;

use futures::FutureExt;
use futures::future::{Either, join, select};
use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus, Outcome, StopStatus};
use ringfence_policy::{Limit, Plan};
use tokio::time::Instant;

use crate::adapters::{Intent, Places, Standing, Stopped};
use crate::answer::Answer;
use crate::case::Case;
use crate::config::TestPanic;
use crate::counting::Counted;
use crate::guard::guarded;
use crate::handler::Limiter;
use crate::notice::{Why, is_told};
use crate::records::Unrecorded;

/// The reason of a denial that no rule made.
const BLOCKED: &str = "blocked";
/// Stands in the record until the stop has come to an end; should the process not live that long, it is the truth.
const NOT_FINISHED: &str = "the limiter ended before the contact was stopped";

/// A denial that is to be carried out.
pub(crate) struct Denial<'c> {
    /// Absent where the attempt could not be counted.
    counted: Option<&'c Counted>,
    record: DecisionRecord,
    recording: Recording,
}

/// Whether other deliveries of the contact can know of the denial.
#[derive(Clone, Copy, PartialEq)]
enum Recording {
    ToBePut,
    /// An earlier delivery has put it on record, or this one has.
    Done,
    Failed,
}

impl<'c> Denial<'c> {
    pub(crate) fn counted(counted: &'c Counted, record: DecisionRecord) -> Self {
        Self {
            counted: Some(counted),
            record,
            recording: Recording::ToBePut,
        }
    }

    pub(crate) fn uncounted(record: DecisionRecord) -> Self {
        Self {
            counted: None,
            record,
            recording: Recording::ToBePut,
        }
    }

    /// One that the store did not take.
    pub(crate) fn unrecorded(counted: &'c Counted, record: DecisionRecord) -> Self {
        Self {
            counted: Some(counted),
            record,
            recording: Recording::Failed,
        }
    }

    /// One that needs no more than to be carried out.
    pub(crate) fn on_record(counted: Option<&'c Counted>, record: DecisionRecord) -> Self {
        Self {
            counted,
            record,
            recording: Recording::Done,
        }
    }

    /// Whether what is on record already stands in place of this denial. One that counted nothing knows less than any other.
    fn gives_way_to(&self, standing: &Standing) -> bool {
        standing.settled || (standing.denied && self.counted.is_none())
    }

    /// What the agent is told, unless that has been done.
    fn why(&self, case: &Case) -> Option<Why<'_>> {
        let record = &self.record;
        if is_told(record.notice) {
            return None;
        }
        let deciding = self
            .counted
            .and_then(|counted| counted.decision.deciding.as_ref());
        match (&record.rule_id, record.retry_at, deciding) {
            (Some(rule_id), Some(retry_at), Some(deciding))
                if deciding
                    .rule_id
                    .as_ref()
                    .is_some_and(|decided| decided.as_str() == rule_id) =>
            {
                Some(Why::Limit {
                    rule_id,
                    retry_at,
                    stretch: deciding.stretch,
                })
            }
            // A series is known by its first attempt, which only the first delivery has seen: better no notice than two.
            (Some(rule_id), Some(_), _) if counts_a_series(case, rule_id) => None,
            (Some(rule_id), Some(retry_at), _) => Some(Why::Limit {
                rule_id,
                retry_at,
                stretch: retry_at,
            }),
            (None, until, _) if record.reason.as_deref() == Some(BLOCKED) => {
                Some(Why::Blocked { until })
            }
            _ if record.outcome == Outcome::FailedClosed => Some(Why::Unavailable),
            _ => None,
        }
    }
}

impl Limiter {
    /// Carries the denial out, unless another delivery of the same contact has settled that it goes.
    pub(crate) async fn deny(&self, case: &Case, plan: &Plan<'_>, denial: Denial<'_>) -> Answer {
        let mut record = denial.record.clone();
        let recording = self.put_on_record(case, &denial).shared();
        let settled = {
            let settled = pin!(async {
                match recording.clone().await {
                    Ok(Some(standing)) if denial.gives_way_to(&standing) => standing,
                    _ => std::future::pending().await,
                }
            });
            let effects = self.carry_out(case, plan, &denial, &mut record, recording.clone());
            // The first is asked first, so nothing is released that another delivery has settled.
            match select(settled, pin!(effects)).await {
                Either::Left((standing, _)) => Some(standing),
                Either::Right((standing, _)) => standing,
            }
        };
        match settled {
            Some(standing) if standing.denied => {
                Box::pin(self.deny_again(case, plan, None, standing)).await
            }
            Some(standing) => {
                self.let_go_as_settled(case, plan, denial.counted, &standing)
                    .await
            }
            None => self.denied_answer(case, &record),
        }
    }

    /// The contact was denied before and is delivered again: the same answer, and the stop once more.
    pub(crate) async fn deny_again(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        counted: Option<&Counted>,
        standing: Standing,
    ) -> Answer {
        let record = standing
            .record
            .unwrap_or_else(|| case.record(Outcome::Denied));
        let denial = Denial::on_record(counted, record);
        self.deny(case, plan, denial).await
    }

    /// What stands against the denial, if anything does.
    async fn put_on_record(
        &self,
        case: &Case,
        denial: &Denial<'_>,
    ) -> Result<Option<Standing>, Unrecorded> {
        match denial.recording {
            Recording::Done => Ok(None),
            Recording::Failed => Err(Unrecorded),
            Recording::ToBePut => {
                let pending = unfinished(&denial.record);
                self.records.write(case, &pending, Intent::Deny).await
            }
        }
    }

    /// Returns what another delivery has settled, where that became known only at the end.
    async fn carry_out(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        denial: &Denial<'_>,
        record: &mut DecisionRecord,
        recording: impl Future<Output = Result<Option<Standing>, Unrecorded>> + Clone,
    ) -> Option<Standing> {
        let recorded = recording.clone();
        let releasing = async {
            let places = match recorded.await {
                Ok(_) => Places::All,
                Err(Unrecorded) => Places::OwnIfAlone,
            };
            let until = case.deadlines.effects;
            self.release(case, plan, denial.counted, places, until)
                .await;
        };
        let stopping = async {
            let why = denial.why(case);
            let may_tell = async {
                // Whether the agent was told by an earlier delivery stands on the record alone.
                if denial.counted.is_none() {
                    let _ = recording.clone().await;
                }
            };
            let stop_and_tell = self.stop_and_tell(case, record, why.as_ref(), may_tell);
            // The last word comes last, whatever became of the first.
            let ((), _) = join(stop_and_tell, recording.clone()).await;
            if denial.recording == Recording::Done && *record == denial.record {
                return None;
            }
            let concluding = self.records.write(case, record, Intent::Conclude);
            concluding.await.unwrap_or(None)
        };
        let ((), against) = join(releasing, stopping).await;
        let settled = against.filter(|standing| standing.settled);
        let is_exempt = settled.as_ref().is_some_and(Standing::is_exempt);
        if !is_exempt && (record.stop == StopStatus::Failed || settled.is_some()) {
            let charging = self.counting.charge(case, plan);
            if let Err(failure) = guarded(case.deadlines.answer, charging).await {
                tracing::error!(contact_id = case.call.contact_id, %failure, "call not charged");
            }
        }
        settled
    }

    pub(crate) async fn release(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        counted: Option<&Counted>,
        places: Places,
        until: Instant,
    ) {
        let released = match counted {
            Some(counted) => self.counting.release(case, counted, places).boxed(),
            None => self.counting.release_uncounted(case, plan, places).boxed(),
        };
        if let Err(failure) = guarded(until, released).await {
            tracing::error!(contact_id = case.call.contact_id, %failure, "reservation not released");
        }
    }

    /// The agent is told after the stop, so that the stop has the first claim on the account's quota and on the time left.
    async fn stop_and_tell(
        &self,
        case: &Case,
        record: &mut DecisionRecord,
        why: Option<&Why<'_>>,
        may_tell: impl Future<Output = ()>,
    ) {
        self.stop(case, record).await;
        let Some(why) = why else { return };
        may_tell.await;
        let telling = async {
            TestPanic::Notice.strike(self.test_panic);
            self.tell(case, record, why).await;
        };
        let telling = AssertUnwindSafe(telling).catch_unwind();
        if telling.await.is_err() {
            record.notice = NoticeStatus::Failed;
            record.notice_error = Some("the limiter failed".to_owned());
        }
    }

    async fn stop(&self, case: &Case, record: &mut DecisionRecord) {
        let (stop, error) = match self.contacts.stop(case).await {
            Ok(Stopped::Now) => (StopStatus::Stopped, None),
            // An earlier delivery may have stopped it.
            Ok(Stopped::Already) if record.stop == StopStatus::Stopped => return,
            Ok(Stopped::Already) => (StopStatus::AlreadyEnded, None),
            Err(_) if record.stop == StopStatus::Stopped => return,
            Err(failure) => (StopStatus::Failed, Some(failure.to_string())),
        };
        (record.stop, record.stop_error) = (stop, error);
    }

    fn denied_answer(&self, case: &Case, record: &DecisionRecord) -> Answer {
        let stopped = matches!(record.stop, StopStatus::Stopped | StopStatus::AlreadyEnded);
        let answer = self.answer(case, record, false);
        answer.with("Stopped", if stopped { "true" } else { "false" })
    }
}

fn counts_a_series(case: &Case, rule_id: &str) -> bool {
    let rule = case.snapshot.policy.rule(rule_id);
    rule.is_some_and(|rule| matches!(rule.limit(), Limit::UntilQuiet { .. }))
}

fn unfinished(record: &DecisionRecord) -> DecisionRecord {
    DecisionRecord {
        stop: StopStatus::Failed,
        stop_error: Some(NOT_FINISHED.to_owned()),
        ..record.clone()
    }
}
