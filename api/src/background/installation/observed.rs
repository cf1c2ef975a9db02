//! What is in the instance and at the limiter function right now.
//!
//! Failure: an unreadable instance is an error, except one that is gone, which is a fact: nothing is left in it.

use std::collections::{BTreeMap, BTreeSet};
use std::future::Future;

use crate::aws::{AwsError, AwsErrorKind, ConnectInstance, Flow, FlowSummary, FlowType, Queue};
use crate::domain::installation::{ExistingWhisper, InstallationRequest};
use crate::flow;

use super::desired::{Desired, FlowKey, Remembered};

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Observed {
    pub permission_granted: bool,
    /// The instance may invoke the fallback function; none where none is wanted, or the role may not look.
    pub fallback_granted: Option<bool>,
    /// Ours by tag.
    pub flows: BTreeMap<FlowKey, OurFlow>,
    /// Flows with our tag that no key of today needs, such as a copy made twice by a lost answer.
    pub surplus: Vec<OurFlow>,
    /// Names of ours that somebody else's flows carry.
    pub taken_names: BTreeSet<String>,
    pub names: BTreeSet<String>,
    pub default_outbound: Option<Original>,
    /// Whispers of the customer's that queues use, by id.
    pub originals: BTreeMap<String, Original>,
    /// Every outbound whisper of the instance, by id.
    pub whisper_names: BTreeMap<String, String>,
    pub queues: Vec<Queue>,
    /// Whispers of ours that were deleted, and that queues still name.
    pub gone: BTreeSet<String>,
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

    /// The whisper that the queue shows.
    #[must_use]
    pub fn flow_shown(&self, queue_id: &str) -> Option<&str> {
        self.queues
            .iter()
            .find(|queue| queue.id == queue_id)
            .and_then(|queue| queue.outbound.flow_id.as_deref())
    }

    #[must_use]
    pub fn key_of(&self, flow_id: &str) -> Option<&FlowKey> {
        self.flows
            .values()
            .chain(&self.surplus)
            .find(|flow| flow.id == flow_id)
            .map(|flow| &flow.key)
    }
}

/// Who is told how far a look has come: queues read, of how many.
pub trait Onlooker: Sync {
    fn looked(&self, done: usize, total: usize) -> impl Future<Output = ()> + Send;
}

/// Queues between two tellings: about as many seconds.
const TOLD_EVERY: usize = 10;

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
    // A queue that names one of them must not look as if it had a whisper of the customer's.
    summaries.retain(|flow| !deleted.contains(&flow.id));
    observed.names = summaries.iter().map(|flow| flow.name.clone()).collect();
    observed.whisper_names = whispers(&summaries);
    let queues = connect.queues().await?;
    for (done, summary) in queues.iter().enumerate() {
        if done.is_multiple_of(TOLD_EVERY) {
            onlooker.looked(done, queues.len()).await;
        }
        match connect.queue(&summary.id).await {
            Ok(queue) => observed.queues.push(queue),
            Err(err) if err.kind == AwsErrorKind::NotFound => {}
            Err(err) => return Err(err),
        }
    }
    observed.queues.sort_by(|a, b| a.id.cmp(&b.id));
    observe_gone(connect, remembered, &summaries, &mut observed).await?;
    match &desired.request {
        Some(request) if request.existing_whisper != ExistingWhisper::Replace => {
            observe_originals(connect, request, remembered, &summaries, &mut observed).await?;
        }
        Some(_) | None => {
            observed.default_outbound = default_outbound(&summaries).map(|summary| Original {
                id: summary.id.clone(),
                content: String::new(),
            });
        }
    }
    Ok(Some(observed))
}

fn whispers(summaries: &[FlowSummary]) -> BTreeMap<String, String> {
    summaries
        .iter()
        .filter(|flow| flow.flow_type == FlowType::OutboundWhisper && flow.usable)
        .map(|flow| (flow.id.clone(), flow.name.clone()))
        .collect()
}

fn default_outbound(summaries: &[FlowSummary]) -> Option<&FlowSummary> {
    summaries.iter().find(|flow| {
        flow.flow_type == FlowType::OutboundWhisper && flow.name == flow::DEFAULT_OUTBOUND_NAME
    })
}

/// Answers the flows that were deleted since they were listed.
async fn observe_our_flows<C: ConnectInstance>(
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
                || flow.name == flow::NOTICE_NAME
                || flow.name.starts_with(flow::WHISPER_NAME)
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
            Err(err) => return Err(err),
        };
        match our_flow(found, &desired.instance_id) {
            None => {
                observed.taken_names.insert(candidate.name.clone());
            }
            Some(ours) if observed.flows.contains_key(&ours.key) => observed.surplus.push(ours),
            Some(ours) => {
                observed.flows.insert(ours.key.clone(), ours);
            }
        }
    }
    Ok(deleted)
}

fn our_flow(found: Flow, instance_id: &str) -> Option<OurFlow> {
    let tag = |key: &str| found.tags.get(key).map(String::as_str);
    let ours = tag(flow::TAG_MANAGED_BY) == Some(flow::TAG_MANAGED_BY_VALUE)
        && tag(flow::TAG_INSTANCE) == Some(instance_id);
    let key = FlowKey::from_parts(tag(flow::TAG_FLOW)?, tag(flow::TAG_ORIGINAL))?;
    ours.then_some(OurFlow {
        id: found.id,
        name: found.name,
        key,
        content: found.content,
        sha256: found.sha256,
        usable: found.usable,
    })
}

/// A queue in our hands may name a flow that was deleted. Whose it was, nobody can tell by then; it is of no use to the
/// customer either, so what the queue had before ours is what counts.
async fn observe_gone<C: ConnectInstance>(
    connect: &C,
    remembered: &Remembered,
    summaries: &[FlowSummary],
    observed: &mut Observed,
) -> Result<(), AwsError> {
    let listed: BTreeSet<&str> = summaries.iter().map(|flow| flow.id.as_str()).collect();
    let named: BTreeSet<&String> = observed
        .queues
        .iter()
        .filter_map(|queue| Some((queue, queue.outbound.flow_id.as_ref()?)))
        .filter(|(queue, flow_id)| {
            !listed.contains(flow_id.as_str())
                && (remembered.is_attached(&queue.id) || remembered.key_of(flow_id).is_some())
        })
        .map(|(_, flow_id)| flow_id)
        .collect();
    let mut gone = BTreeSet::new();
    for flow_id in named {
        // One that was made since the list was read is the customer's.
        if original(connect, flow_id).await?.is_none() {
            gone.insert(flow_id.clone());
        }
    }
    observed.gone = gone;
    Ok(())
}

async fn observe_originals<C: ConnectInstance>(
    connect: &C,
    request: &InstallationRequest,
    remembered: &Remembered,
    summaries: &[FlowSummary],
    observed: &mut Observed,
) -> Result<(), AwsError> {
    if let Some(summary) = default_outbound(summaries) {
        observed.default_outbound = original(connect, &summary.id).await?;
    }
    if request.existing_whisper != ExistingWhisper::Merge {
        return Ok(());
    }
    let default_id = observed
        .default_outbound
        .as_ref()
        .map(|flow| flow.id.clone());
    let wanted: BTreeSet<String> = observed
        .queues
        .iter()
        .filter(|queue| request.queues.covers(&queue.id))
        .filter_map(|queue| former_whisper(queue, remembered, observed))
        .filter(|id| Some(id) != default_id.as_ref())
        .collect();
    for id in wanted {
        if let Some(found) = original(connect, &id).await? {
            observed.originals.insert(id, found);
        }
    }
    Ok(())
}

async fn original<C: ConnectInstance>(
    connect: &C,
    flow_id: &str,
) -> Result<Option<Original>, AwsError> {
    match connect.flow(flow_id).await {
        Ok(flow) => Ok(Some(Original {
            id: flow.id,
            content: flow.content,
        })),
        Err(err) if err.kind == AwsErrorKind::NotFound => Ok(None),
        Err(err) => Err(err),
    }
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
