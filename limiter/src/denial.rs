//! What follows a denial: the contact is stopped, what was reserved is released, the agent is told, and the record says
//! what came of it. The answer stays a denial whatever fails here.
//!
//! The record says "denied" before any reservation is released: a delivery that comes in between finds the denial, never
//! a free place. Where the stop fails the call may go out all the same, so it is charged after all, and the agent is told
//! to hang up.

use futures::future::{OptionFuture, join};
use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus, StopStatus};
use ringfence_policy::{Limit, Plan};

use crate::adapters::{Failure, Stopped};
use crate::answer::Answer;
use crate::case::Case;
use crate::counting::Counted;
use crate::guard::guarded;
use crate::handler::Limiter;
use crate::notice::{Why, task};

/// Stands in the record until the stop has come to an end; should the process not live that long, it is the truth.
const NOT_FINISHED: &str = "the limiter ended before the contact was stopped";

impl Limiter {
    pub(crate) async fn deny(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        counted: &Counted,
        mut record: DecisionRecord,
    ) -> Answer {
        let why = counted
            .decision
            .deciding
            .as_ref()
            .map(|deciding| Why::Limit {
                rule_id: deciding.rule_id.as_str(),
                retry_at: deciding.retry_at,
                stretch: deciding.stretch,
            });
        let pending = unfinished(&record);
        let recorded_and_released = async {
            self.keep(case, &pending).await;
            self.within_effects(case, self.counting.release(case, plan, counted))
                .await;
        };
        join(
            self.stop_and_tell(case, &mut record, why.as_ref()),
            recorded_and_released,
        )
        .await;
        self.conclude_denial(case, plan, record).await
    }

    /// The contact was denied before and is delivered again: the same answer, and the stop once more.
    pub(crate) async fn deny_again(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        counted: Option<&Counted>,
        mut record: DecisionRecord,
    ) -> Answer {
        let told = record.notice == NoticeStatus::Sent;
        let rule_id = record.rule_id.clone();
        let deciding = counted.and_then(|counted| counted.decision.deciding.as_ref());
        let why = match (&rule_id, record.retry_at, deciding) {
            _ if told => None,
            (Some(rule_id), Some(retry_at), Some(deciding))
                if deciding.rule_id.as_str() == rule_id =>
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
            _ => Some(Why::Unavailable),
        };
        let (stop_before, stop_error_before) = (record.stop, record.stop_error.clone());
        let release = async {
            match counted {
                Some(counted) => self.counting.release(case, plan, counted).await,
                None => self.counting.release_uncounted(case, plan).await,
            }
        };
        join(
            self.stop_and_tell(case, &mut record, why.as_ref()),
            self.within_effects(case, release),
        )
        .await;
        if stop_before == StopStatus::Stopped {
            (record.stop, record.stop_error) = (stop_before, stop_error_before);
        }
        self.conclude_denial(case, plan, record).await
    }

    pub(crate) async fn deny_uncounted(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        mut record: DecisionRecord,
    ) -> Answer {
        let release = self.counting.release_uncounted(case, plan);
        join(
            self.stop_and_tell(case, &mut record, Some(&Why::Unavailable)),
            self.within_effects(case, release),
        )
        .await;
        self.conclude_denial(case, plan, record).await
    }

    async fn conclude_denial(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        record: DecisionRecord,
    ) -> Answer {
        if record.stop == StopStatus::Failed {
            join(
                self.keep(case, &record),
                self.within_answer(case, self.counting.charge(case, plan)),
            )
            .await;
        } else {
            self.keep(case, &record).await;
        }
        self.denied_answer(case, &record)
    }

    async fn within_effects(&self, case: &Case, change: impl Future<Output = Result<(), Failure>>) {
        case.measures.store_round();
        if let Err(failure) = guarded(case.deadlines.effects, change).await {
            tracing::error!(contact_id = case.call.contact_id, %failure, "reservation not released");
        }
    }

    async fn within_answer(&self, case: &Case, change: impl Future<Output = Result<(), Failure>>) {
        if let Err(failure) = guarded(case.deadlines.answer, change).await {
            tracing::error!(contact_id = case.call.contact_id, %failure, "call not charged");
        }
    }

    /// The agent is told after the stop, so that the stop has the first claim on the account's quota and on the time left.
    async fn stop_and_tell(&self, case: &Case, record: &mut DecisionRecord, why: Option<&Why<'_>>) {
        match self.contacts.stop(case).await {
            Ok(Stopped::Now) => (record.stop, record.stop_error) = (StopStatus::Stopped, None),
            Ok(Stopped::Already) => {
                (record.stop, record.stop_error) = (StopStatus::AlreadyEnded, None)
            }
            Err(failure) => {
                (record.stop, record.stop_error) = (StopStatus::Failed, Some(failure.to_string()))
            }
        }
        let Some(why) = why else { return };
        let task = task(case, why, record.stop != StopStatus::Failed);
        let started = OptionFuture::from(
            task.as_ref()
                .map(|task| self.contacts.start_task(case, task)),
        )
        .await;
        match started {
            None if case.snapshot.notice_flow_id.is_none() => record.notice = NoticeStatus::NoFlow,
            None => record.notice = NoticeStatus::NoAgent,
            Some(Ok(task_contact_id)) => {
                (record.notice, record.notice_error) = (NoticeStatus::Sent, None);
                record.task_contact_id = task_contact_id;
            }
            Some(Err(failure)) => {
                (record.notice, record.notice_error) =
                    (NoticeStatus::Failed, Some(failure.to_string()));
            }
        }
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
