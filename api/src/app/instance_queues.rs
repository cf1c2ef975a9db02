//! The queues of an instance as they are right now.
//!
//! Failure: whatever Connect answers is passed on; half a list would look like missing coverage.

use std::collections::BTreeMap;

use crate::aws::{AwsError, AwsErrorKind, ConnectInstance, FlowType};

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

/// Reads every standard queue; `ours` are the ids of the whispers that Ringfence installed.
pub async fn instance_queues<C: ConnectInstance>(
    connect: &C,
    ours: &[String],
) -> Result<Vec<LiveQueue>, AwsError> {
    let names: BTreeMap<String, String> = connect
        .flows()
        .await?
        .into_iter()
        .filter(|flow| flow.flow_type == FlowType::OutboundWhisper)
        .map(|flow| (flow.id, flow.name))
        .collect();
    let mut found = Vec::new();
    for summary in connect.queues().await? {
        let queue = match connect.queue(&summary.id).await {
            Ok(queue) => queue,
            Err(err) if err.kind == AwsErrorKind::NotFound => continue,
            Err(err) => return Err(err),
        };
        let whisper = queue.outbound.flow_id;
        found.push(LiveQueue {
            queue_id: queue.id,
            queue_arn: summary.arn,
            name: queue.name,
            whisper_flow_name: whisper.as_ref().and_then(|id| names.get(id).cloned()),
            covered: whisper.as_ref().is_some_and(|id| ours.contains(id)),
            whisper_flow_id: whisper,
            caller_id_number_id: queue.outbound.caller_id_number_id,
        });
    }
    found.sort_by(|a, b| {
        a.name
            .cmp(&b.name)
            .then_with(|| a.queue_id.cmp(&b.queue_id))
    });
    Ok(found)
}
