//! Starts the task, and writes down what came of it.

use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus, StopStatus};

use super::{Why, task};
use crate::adapters::Started;
use crate::case::Case;
use crate::handler::Limiter;

/// Whether a contact that is delivered again needs no second notice: the agent was told, will be, or could not be.
pub(crate) fn is_told(notice: NoticeStatus) -> bool {
    matches!(
        notice,
        NoticeStatus::Sent | NoticeStatus::Deferred | NoticeStatus::QueueFull
    )
}

impl Limiter {
    pub(crate) async fn tell(&self, case: &Case, record: &mut DecisionRecord, why: &Why<'_>) {
        let stopped = record.stop != StopStatus::Failed;
        let task = match task(case, why, stopped) {
            Ok(task) => task,
            Err(nobody) => {
                record.notice = nobody;
                return;
            }
        };
        (record.notice_error, record.deferred_notice) = (None, None);
        match self.contacts.start_task(case, &task).await {
            Started::Now(task_contact_id) => {
                record.notice = NoticeStatus::Sent;
                record.task_contact_id = task_contact_id;
            }
            Started::Later(failure) => {
                record.notice = NoticeStatus::Deferred;
                record.notice_error = Some(failure.to_string());
                record.deferred_notice = Some(task.content);
            }
            Started::Never(failure) => {
                record.notice = NoticeStatus::Failed;
                record.notice_error = Some(failure.to_string());
            }
        }
    }
}
