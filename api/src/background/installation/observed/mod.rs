//! What is in the instance and at the limiter function right now.
//!
//! Failure: an unreadable instance is an error, except one that is gone, which is a fact: nothing is left in it. A single
//! queue or whisper of the customer's that cannot be read is another: see [`Unread`].

mod ours;
mod queues;
mod theirs;

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use crate::aws::{AwsError, AwsErrorKind, ConnectInstance, FlowSummary, FlowType, Queue};
use crate::domain::installation::ExistingWhisper;
use crate::flow;

use super::desired::{Desired, FlowKey, Remembered};
use super::unread::{Reading, Unread};
use ours::{observe_gone, observe_our_flows};
use queues::observe_queues;
use theirs::{observe_default, observe_formers, observe_originals};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    pub permission_granted: bool,
    /// The instance may invoke the fallback function; none where none is wanted, or the role may not look.
    pub fallback_granted: Option<bool>,
    /// Ours by tag.
    pub flows: BTreeMap<FlowKey, OurFlow>,
    /// Flows with our tag that no key of today needs, such as a copy made twice by a lost answer.
    pub surplus: Vec<OurFlow>,
    /// Flows that we made and that lost our tags: never changed or deleted, but what runs them is in our hands.
    pub untagged: Vec<OurFlow>,
    pub names: BTreeSet<String>,
    pub default_outbound: Option<Original>,
    /// Whispers of the customer's that queues use, by id.
    pub originals: BTreeMap<String, Original>,
    /// Every outbound whisper of the instance, by id.
    pub whisper_names: BTreeMap<String, String>,
    pub queues: Vec<Queue>,
    /// Whispers that were deleted, and that queues in our hands still name.
    pub gone: BTreeSet<String>,
    pub unread: Unread,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OurFlow {
    pub id: String,
    pub name: String,
    pub key: FlowKey,
    pub content: String,
    pub sha256: Option<String>,
    pub usable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Original {
    pub id: String,
    pub content: String,
}

impl Observed {
    #[must_use]
    pub fn is_ours(&self, flow_id: &str) -> bool {
        self.key_of(flow_id).is_some() || self.gone.contains(flow_id)
    }

    #[must_use]
    pub fn queue(&self, queue_id: &str) -> Option<&Queue> {
        self.queues.iter().find(|queue| queue.id == queue_id)
    }

    /// The whisper that the queue shows.
    #[must_use]
    pub fn flow_shown(&self, queue_id: &str) -> Option<&str> {
        self.queue(queue_id)
            .and_then(|queue| queue.outbound.flow_id.as_deref())
    }

    #[must_use]
    pub fn key_of(&self, flow_id: &str) -> Option<&FlowKey> {
        self.flows
            .values()
            .chain(&self.surplus)
            .chain(&self.untagged)
            .find(|flow| flow.id == flow_id)
            .map(|flow| &flow.key)
    }
}

/// Who is told how far a look has come: queues read, of how many.
pub trait Onlooker: Sync {
    fn looked(&self, done: usize, total: usize) -> impl Future<Output = ()> + Send;
}

/// Reads the instance. `None`: there is no such instance any more.
pub async fn observe<C: ConnectInstance, O: Onlooker>(
    connect: &C,
    desired: &Desired,
    remembered: &Remembered,
    permission_granted: bool,
    onlooker: &O,
) -> Result<Option<Observed>, AwsError> {
    let mut summaries = match connect.flows().await {
        Ok(summaries) => summaries,
        Err(err) if err.kind == AwsErrorKind::NotFound => return Ok(None),
        Err(err) => return Err(err),
    };
    let mut observed = Observed {
        permission_granted,
        ..Observed::default()
    };
    let deleted =
        observe_our_flows(connect, desired, remembered, &summaries, &mut observed).await?;
    let mut reading = Reading::default();
    if !observed.flows.is_empty() {
        reading.succeeded();
    }
    // A queue that names one of them must not look as if it had a whisper of the customer's.
    summaries.retain(|flow| !deleted.contains(&flow.id));
    observed.names = summaries.iter().map(|flow| flow.name.clone()).collect();
    observed.whisper_names = whispers(&summaries);
    observe_queues(connect, remembered, onlooker, &mut observed).await?;
    observe_gone(connect, desired, remembered, &mut observed, &mut reading).await?;
    observe_formers(connect, remembered, &mut observed, &mut reading).await?;
    match &desired.request {
        Some(request) if request.existing_whisper != ExistingWhisper::Replace => {
            let default = default_outbound(&summaries).map(|summary| summary.id.as_str());
            observe_default(connect, default, &mut observed, &mut reading).await?;
            if request.existing_whisper == ExistingWhisper::Merge {
                observe_originals(connect, request, remembered, &mut observed, &mut reading)
                    .await?;
            }
        }
        Some(_) | None => {
            observed.default_outbound = default_outbound(&summaries).map(|summary| Original {
                id: summary.id.clone(),
                content: String::new(),
            });
        }
    }
    reading.ended()?;
    Ok(Some(observed))
}

fn whispers(summaries: &[FlowSummary]) -> BTreeMap<String, String> {
    summaries
        .iter()
        .filter(|flow| flow.flow_type == Some(FlowType::OutboundWhisper) && flow.usable)
        .map(|flow| (flow.id.clone(), flow.name.clone()))
        .collect()
}

fn default_outbound(summaries: &[FlowSummary]) -> Option<&FlowSummary> {
    summaries.iter().find(|flow| {
        flow.flow_type == Some(FlowType::OutboundWhisper)
            && flow.name == flow::DEFAULT_OUTBOUND_NAME
    })
}

/// It was deleted, or never published: no queue can run it.
fn is_no_whisper(err: &AwsError) -> bool {
    matches!(
        err.kind,
        AwsErrorKind::NotFound | AwsErrorKind::NotPublished
    )
}

/// The customer's own whisper of a queue: what it runs now or, behind ours, what it ran before.
#[must_use]
pub fn former_whisper(
    queue: &Queue,
    remembered: &Remembered,
    observed: &Observed,
) -> Option<String> {
    let now = queue.outbound.flow_id.as_deref()?;
    if !observed.is_ours(now) {
        return Some(now.to_owned());
    }
    match remembered.queues.get(&queue.id) {
        Some(queue) => queue.previous_flow_id.clone(),
        None => observed
            .key_of(now)
            .or_else(|| remembered.key_of(now))
            .and_then(FlowKey::original_flow_id)
            .map(str::to_owned),
    }
}
