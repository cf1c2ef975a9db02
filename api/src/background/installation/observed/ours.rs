//! Flows of ours, by tag or by memory, and those that were ours and are gone.

use std::collections::BTreeSet;

use crate::aws::{AwsError, AwsErrorKind, ConnectInstance, Flow, FlowSummary, Queue};
use crate::flow;

use super::super::desired::{Desired, FlowKey, Remembered};
use super::super::unread::{Reading, UnreadQueue};
use super::{Observed, OurFlow, is_no_whisper};

/// Answers the flows that were deleted since they were listed.
pub(super) async fn observe_our_flows<C: ConnectInstance>(
    connect: &C,
    desired: &Desired,
    remembered: &Remembered,
    summaries: &[FlowSummary],
    observed: &mut Observed,
) -> Result<BTreeSet<String>, AwsError> {
    let mut deleted = BTreeSet::new();
    let remembered_ids: BTreeSet<&str> = remembered
        .flows
        .values()
        .map(|flow| flow.flow_id.as_str())
        .collect();
    let mut candidates: Vec<&FlowSummary> = summaries
        .iter()
        .filter(|flow| {
            remembered_ids.contains(flow.id.as_str())
                || flow.flow_type.is_some() && flow::is_name_of_ours(&flow.name)
        })
        .collect();
    // What is remembered comes first, so that a second copy is the surplus one.
    candidates.sort_by_key(|flow| (!remembered_ids.contains(flow.id.as_str()), flow.id.clone()));
    for candidate in candidates {
        let found = match connect.flow(&candidate.id).await {
            Ok(found) => found,
            Err(err) if err.kind == AwsErrorKind::NotFound => {
                deleted.insert(candidate.id.clone());
                continue;
            }
            // A draft of the customer's: all that there is of it is its name.
            Err(err) if err.kind == AwsErrorKind::NotPublished => continue,
            Err(err) => return Err(err),
        };
        observed.take(found, desired, remembered);
    }
    Ok(deleted)
}

impl Observed {
    /// The queues that name this flow, which may be there or not.
    fn take_for_unread(&mut self, flow_id: &str, err: &AwsError) {
        let names_it = |queue: &mut Queue| queue.outbound.flow_id.as_deref() == Some(flow_id);
        for queue in self.queues.extract_if(.., names_it) {
            let unread = UnreadQueue {
                name: queue.name,
                err: err.clone(),
            };
            self.unread.queues.insert(queue.id, unread);
        }
    }

    /// Puts a flow with its like, unless it is the customer's.
    fn take(&mut self, found: Flow, desired: &Desired, remembered: &Remembered) {
        let tagged = tagged_key(&found, &desired.instance_id);
        let Some(key) = tagged.as_ref().or_else(|| remembered.key_of(&found.id)) else {
            return;
        };
        let ours = OurFlow {
            id: found.id,
            name: found.name,
            key: key.clone(),
            content: found.content,
            sha256: found.sha256,
            usable: found.usable,
        };
        if tagged.is_none() {
            self.untagged.push(ours);
        } else if self.flows.contains_key(&ours.key) {
            self.surplus.push(ours);
        } else {
            self.flows.insert(ours.key.clone(), ours);
        }
    }
}

fn tagged_key(found: &Flow, instance_id: &str) -> Option<FlowKey> {
    let tag = |key: &str| found.tags.get(key).map(String::as_str);
    let is_ours = tag(flow::TAG_MANAGED_BY) == Some(flow::TAG_MANAGED_BY_VALUE)
        && tag(flow::TAG_INSTANCE) == Some(instance_id);
    FlowKey::from_parts(tag(flow::TAG_FLOW)?, tag(flow::TAG_ORIGINAL)).filter(|_| is_ours)
}

/// A queue in our hands may name a flow that was deleted, also since the flows were listed. Whose it was, nobody can tell by
/// then; it is of no use to the customer either, so what the queue had before ours is what counts.
pub(super) async fn observe_gone<C: ConnectInstance>(
    connect: &C,
    desired: &Desired,
    remembered: &Remembered,
    observed: &mut Observed,
    reading: &mut Reading,
) -> Result<(), AwsError> {
    let named: BTreeSet<String> = observed
        .queues
        .iter()
        .filter_map(|queue| Some((queue, queue.outbound.flow_id.as_ref()?)))
        .filter(|(queue, flow_id)| {
            observed.key_of(flow_id).is_none()
                && (remembered.is_attached(&queue.id) || remembered.key_of(flow_id).is_some())
        })
        .map(|(_, flow_id)| flow_id.clone())
        .collect();
    for flow_id in named {
        match connect.flow(&flow_id).await {
            Ok(found) => {
                reading.succeeded();
                observed.take(found, desired, remembered);
            }
            Err(err) if is_no_whisper(&err) => {
                reading.succeeded();
                observed.whisper_names.remove(&flow_id);
                observed.gone.insert(flow_id);
            }
            Err(err) if remembered.key_of(&flow_id).is_some() => return Err(err),
            Err(err) => {
                let err = reading.bear(&flow_id, err)?;
                // What was listed is there. Of others nobody can tell, nor what the queue is to get back.
                if !observed.whisper_names.contains_key(&flow_id) {
                    observed.take_for_unread(&flow_id, &err);
                }
            }
        }
    }
    Ok(())
}
