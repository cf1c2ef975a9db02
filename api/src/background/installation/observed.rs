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
    observed.queues = observe_queues(connect, remembered, onlooker).await?;
    observe_gone(connect, desired, remembered, &mut observed).await?;
    observe_formers(connect, remembered, &mut observed).await?;
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

/// Every queue listed, and every one in our hands: a list that is read page by page, while queues go, may pass over one.
async fn observe_queues<C: ConnectInstance, O: Onlooker>(
    connect: &C,
    remembered: &Remembered,
    onlooker: &O,
) -> Result<Vec<Queue>, AwsError> {
    let listed = connect.queues().await?;
    let attached = remembered.queues.iter().filter(|(_, queue)| queue.attached);
    let ids: BTreeSet<&String> = listed
        .iter()
        .map(|queue| &queue.id)
        .chain(attached.map(|(id, _)| id))
        .collect();
    let mut queues = Vec::new();
    for (done, id) in ids.iter().enumerate() {
        if done.is_multiple_of(TOLD_EVERY) {
            onlooker.looked(done, ids.len()).await;
        }
        match connect.queue(id).await {
            Ok(queue) => queues.push(queue),
            Err(err) if err.kind == AwsErrorKind::NotFound => {}
            Err(err) => return Err(err),
        }
    }
    Ok(queues)
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
async fn observe_gone<C: ConnectInstance>(
    connect: &C,
    desired: &Desired,
    remembered: &Remembered,
    observed: &mut Observed,
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
            Ok(found) => observed.take(found, desired, remembered),
            Err(err) if is_no_whisper(&err) => {
                observed.whisper_names.remove(&flow_id);
                observed.gone.insert(flow_id);
            }
            Err(err) => return Err(err),
        }
    }
    Ok(())
}

/// What a queue is to get back is given up for lost only when asked for by itself: lists are read page by page, and grow old.
async fn observe_formers<C: ConnectInstance>(
    connect: &C,
    remembered: &Remembered,
    observed: &mut Observed,
) -> Result<(), AwsError> {
    let attached = remembered.queues.values().filter(|queue| queue.attached);
    let formers: BTreeSet<&String> = attached
        .filter_map(|queue| queue.previous_flow_id.as_ref())
        .filter(|id| !observed.whisper_names.contains_key(*id) && !observed.gone.contains(*id))
        .collect();
    for flow_id in formers {
        match connect.flow(flow_id).await {
            Ok(found) if found.usable => {
                observed.whisper_names.insert(found.id, found.name);
            }
            Ok(_) => {}
            Err(err) if is_no_whisper(&err) => {}
            Err(err) => return Err(err),
        }
    }
    Ok(())
}

/// It was deleted, or never published: no queue can run it.
fn is_no_whisper(err: &AwsError) -> bool {
    matches!(
        err.kind,
        AwsErrorKind::NotFound | AwsErrorKind::NotPublished
    )
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
    let mut missing = BTreeSet::new();
    loop {
        let next = observed
            .queues
            .iter()
            .filter(|queue| request.queues.covers(&queue.id))
            .filter_map(|queue| former_whisper(queue, remembered, observed))
            .filter(|id| Some(id) != default_id.as_ref())
            .find(|id| !observed.originals.contains_key(id) && !missing.contains(id));
        let Some(id) = next else { return Ok(()) };
        if let Some(found) = original(connect, &id).await? {
            observed.originals.insert(id, found);
            continue;
        }
        // Deleted since it was last asked for: then what was there before it is wanted.
        let is_named = |queue: &&Queue| queue.outbound.flow_id.as_ref() == Some(&id);
        let mut named = observed.queues.iter().filter(is_named);
        if named.any(|queue| remembered.is_attached(&queue.id)) {
            observed.gone.insert(id.clone());
        }
        missing.insert(id);
    }
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
        Err(err) if is_no_whisper(&err) => Ok(None),
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
