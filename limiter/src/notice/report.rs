//! A notice flow's word that the agent's queue was full: the agent does not know after all, and the decision says so.
//!
//! Invariants: nothing is counted and nothing is stopped; only a task's flow is believed, so no call gets past its limits
//! by naming a notice; only decisions of the event's own instance are touched.

use std::time::Duration;

use serde_json::Value;

use crate::answer::Answer;
use crate::case::Deadlines;
use crate::guard::guarded;
use crate::handler::Limiter;

/// The limiter that decided may still have its last word to write; it has had its time after this.
const WAITS: Duration = Duration::from_secs(4);

#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Report {
    pub(crate) instance_arn: String,
    /// The contact that was denied.
    pub(crate) contact_id: String,
}

impl Report {
    /// None: the event is about a call. A report that names no decision is one about nothing.
    pub(crate) fn read(event: &Value) -> Option<Option<Self>> {
        let text = |pointer: &str| event.pointer(pointer).and_then(Value::as_str);
        let is_report = text("/Details/ContactData/Channel") == Some("TASK")
            && text("/Details/Parameters/NoticeProblem") == Some("queue_full");
        is_report.then(|| {
            let contact_id = text("/Details/Parameters/NoticeOf").filter(|id| !id.is_empty())?;
            Some(Self {
                instance_arn: text("/Details/ContactData/InstanceARN")?.to_owned(),
                contact_id: contact_id.to_owned(),
            })
        })
    }
}

impl Limiter {
    pub(crate) async fn note(&self, report: Option<&Report>, deadlines: Deadlines) -> Answer {
        let Some(report) = report else {
            tracing::warn!("a notice that names no decision met a full queue");
            return Answer::noted();
        };
        let until = deadlines.within(WAITS);
        let noting =
            self.records
                .notice_met_a_full_queue(&report.instance_arn, &report.contact_id, until);
        let contact_id = &report.contact_id;
        match guarded(deadlines.answer, noting).await {
            Ok(noted) => tracing::info!(contact_id, noted, "a notice met a full queue"),
            Err(failure) => {
                tracing::error!(contact_id, %failure, "a notice met a full queue, and that was not noted");
            }
        }
        Answer::noted()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn event(channel: &str, parameters: Value) -> Value {
        json!({"Details": {"ContactData": {"Channel": channel, "InstanceARN": "arn"}, "Parameters": parameters}})
    }

    #[test]
    fn only_a_task_reports_and_a_call_that_says_so_is_a_call() {
        let said = json!({"NoticeOf": "contact", "NoticeProblem": "queue_full"});
        let report = Report {
            instance_arn: "arn".to_owned(),
            contact_id: "contact".to_owned(),
        };
        assert_eq!(
            Report::read(&event("TASK", said.clone())),
            Some(Some(report))
        );
        assert_eq!(Report::read(&event("VOICE", said)), None);
        assert_eq!(
            Report::read(&event("TASK", json!({"NoticeOf": "contact"}))),
            None
        );
        assert_eq!(Report::read(&Value::Null), None);
    }

    #[test]
    fn a_report_without_a_decision_is_not_taken_for_a_call() {
        for about in [
            json!({"NoticeProblem": "queue_full"}),
            json!({"NoticeOf": "", "NoticeProblem": "queue_full"}),
        ] {
            assert_eq!(Report::read(&event("TASK", about)), Some(None));
        }
    }
}
