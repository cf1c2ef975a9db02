//! What follows a denial: the contact is stopped, what was reserved is released, the agent is told, and the record says
//! what came of it. The call counts as denied whatever fails here.

use futures::future::{OptionFuture, join};
use ringfence_policy::Plan;
use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus, StopStatus};

use crate::adapters::Stopped;
use crate::answer::Answer;
use crate::case::Case;
use crate::counting::Counted;
use crate::guard::guarded;
use crate::handler::Limiter;
use crate::notice::{Why, task};

impl Limiter {
    pub(crate) async fn deny(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        counted: &Counted,
        mut record: DecisionRecord,
    ) -> Answer {
        let release = guarded(
            case.deadlines.effects,
            self.counting.release(case, plan, counted),
        );
        let why = counted
            .decision
            .deciding
            .as_ref()
            .map(|deciding| Why::Limit {
                rule_id: deciding.rule_id.as_str(),
                retry_at: deciding.retry_at,
                stretch: deciding.stretch,
            });
        let ((), released) =
            join(self.stop_and_tell(case, &mut record, why.as_ref()), release).await;
        if let Err(failure) = released {
            tracing::error!(contact_id = case.call.contact_id, %failure, "reservation not released");
        }
        self.keep(case, &record).await;
        self.denied_answer(case, &record)
    }

    /// The contact was denied before and is delivered again: the same answer, and the stop once more.
    pub(crate) async fn deny_again(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        counted: &Counted,
        mut record: DecisionRecord,
    ) -> Answer {
        let release = guarded(
            case.deadlines.effects,
            self.counting.release(case, plan, counted),
        );
        let told = record.notice == NoticeStatus::Sent;
        let rule_id = record.rule_id.clone();
        let why = match (&rule_id, record.retry_at, &counted.decision.deciding) {
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
            (Some(rule_id), Some(retry_at), _) => Some(Why::Limit {
                rule_id,
                retry_at,
                stretch: retry_at,
            }),
            _ => Some(Why::Unavailable),
        };
        let (stop_before, stop_error_before) = (record.stop, record.stop_error.clone());
        let ((), released) =
            join(self.stop_and_tell(case, &mut record, why.as_ref()), release).await;
        if let Err(failure) = released {
            tracing::error!(contact_id = case.call.contact_id, %failure, "reservation not released");
        }
        if stop_before == StopStatus::Stopped {
            (record.stop, record.stop_error) = (stop_before, stop_error_before);
        }
        self.keep(case, &record).await;
        self.denied_answer(case, &record)
    }

    pub(crate) async fn deny_uncounted(&self, case: &Case, mut record: DecisionRecord) -> Answer {
        self.stop_and_tell(case, &mut record, Some(&Why::Unavailable))
            .await;
        self.keep(case, &record).await;
        self.denied_answer(case, &record)
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
        let task = task(case, why);
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
