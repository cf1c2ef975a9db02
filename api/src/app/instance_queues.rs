//! The queues of an instance as they are right now, a page of them at a time: each costs a request of its own.
//!
//! Failure: whatever Connect answers is passed on; half a list would look like missing coverage.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::aws::{AwsError, AwsErrorKind, ConnectInstance, FlowType, QueueSummary};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveQueue {
    pub queue_id: String,
    pub queue_arn: String,
    pub name: String,
    pub whisper_flow_id: Option<String>,
    pub whisper_flow_name: Option<String>,
    pub caller_id_number_id: Option<String>,
    /// The queue's whisper is one of ours.
    pub covered: bool,
}

/// Where a queue stands in the list: by its name, then by its id.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct QueuePlace {
    pub name: String,
    pub id: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueuePage {
    pub queues: Vec<LiveQueue>,
    /// Of the last one, where others follow.
    pub more_after: Option<QueuePlace>,
}

/// Reads so many standard queues behind that place; `ours` are the ids of the whispers that Ringfence installed.
pub async fn instance_queues<C: ConnectInstance>(
    connect: &C,
    ours: &[String],
    after: Option<&QueuePlace>,
    limit: usize,
) -> Result<QueuePage, AwsError> {
    let mut listed: Vec<(QueuePlace, String)> = connect
        .queues()
        .await?
        .into_iter()
        .map(|QueueSummary { id, arn, name }| (QueuePlace { name, id }, arn))
        .filter(|(place, _)| after.is_none_or(|after| place > after))
        .collect();
    listed.sort();
    let has_more = listed.len() > limit;
    listed.truncate(limit);
    let last = listed.last().map(|(place, _)| place.clone());
    let names: BTreeMap<String, String> = connect
        .flows()
        .await?
        .into_iter()
        .filter(|flow| flow.flow_type == Some(FlowType::OutboundWhisper))
        .map(|flow| (flow.id, flow.name))
        .collect();
    let mut queues = Vec::new();
    for (place, queue_arn) in listed {
        let queue = match connect.queue(&place.id).await {
            Ok(queue) => queue,
            Err(err) if err.kind == AwsErrorKind::NotFound => continue,
            Err(err) => return Err(err),
        };
        let whisper = queue.outbound.flow_id;
        queues.push(LiveQueue {
            queue_id: queue.id,
            queue_arn,
            name: queue.name,
            whisper_flow_name: whisper.as_ref().and_then(|id| names.get(id).cloned()),
            covered: whisper.as_ref().is_some_and(|id| ours.contains(id)),
            whisper_flow_id: whisper,
            caller_id_number_id: queue.outbound.caller_id_number_id,
        });
    }
    Ok(QueuePage {
        queues,
        more_after: last.filter(|_| has_more),
    })
}
