//! Whispers of the customer's: what queues are to get back, and what ours go on to.

use std::collections::BTreeSet;

use crate::aws::{AwsError, ConnectInstance, Queue};
use crate::domain::installation::InstallationRequest;

use super::super::desired::Remembered;
use super::super::unread::Reading;
use super::{Observed, Original, former_whisper, is_no_whisper};

/// What a queue is to get back is given up for lost only when asked for by itself: lists are read page by page, and grow old.
pub(super) async fn observe_formers<C: ConnectInstance>(
    connect: &C,
    remembered: &Remembered,
    observed: &mut Observed,
    reading: &mut Reading,
) -> Result<(), AwsError> {
    let attached = remembered.queues.values().filter(|queue| queue.attached);
    let formers: BTreeSet<String> = attached
        .filter_map(|queue| queue.previous_flow_id.clone())
        .filter(|id| !observed.whisper_names.contains_key(id) && !observed.gone.contains(id))
        .collect();
    for flow_id in formers {
        match connect.flow(&flow_id).await {
            Ok(found) => {
                reading.succeeded();
                if found.usable {
                    observed.whisper_names.insert(found.id, found.name);
                }
            }
            Err(err) if is_no_whisper(&err) => reading.succeeded(),
            // Connect itself says so when the queue cannot have it back.
            Err(err) => {
                reading.bear(&flow_id, err)?;
                observed.unread.formers.insert(flow_id.clone());
                observed.whisper_names.insert(flow_id.clone(), flow_id);
            }
        }
    }
    Ok(())
}

pub(super) async fn observe_default<C: ConnectInstance>(
    connect: &C,
    flow_id: Option<&str>,
    observed: &mut Observed,
    reading: &mut Reading,
) -> Result<(), AwsError> {
    let Some(flow_id) = flow_id else {
        return Ok(());
    };
    observed.default_outbound = match original(connect, flow_id, reading).await? {
        Read::There(flow) => Some(flow),
        Read::Gone => None,
        Read::Failed(err) => {
            observed.unread.originals.insert(flow_id.to_owned(), err);
            Some(Original {
                id: flow_id.to_owned(),
                content: String::new(),
            })
        }
    };
    Ok(())
}

pub(super) async fn observe_originals<C: ConnectInstance>(
    connect: &C,
    request: &InstallationRequest,
    remembered: &Remembered,
    observed: &mut Observed,
    reading: &mut Reading,
) -> Result<(), AwsError> {
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
            .flat_map(|queue| originals_of(queue, remembered, observed))
            .flatten()
            .filter(|id| Some(id) != default_id.as_ref())
            .find(|id| {
                let is_read = observed.originals.contains_key(id) || missing.contains(id);
                !is_read && !observed.unread.originals.contains_key(id)
            });
        let Some(id) = next else { return Ok(()) };
        match original(connect, &id, reading).await? {
            Read::There(found) => {
                observed.originals.insert(id, found);
                continue;
            }
            Read::Failed(err) => {
                observed.unread.originals.insert(id, err);
                continue;
            }
            Read::Gone => {}
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

/// Its own whisper, and the one behind ours that it ran before somebody gave it another: it may be pointed back.
fn originals_of(
    queue: &Queue,
    remembered: &Remembered,
    observed: &Observed,
) -> [Option<String>; 2] {
    let known = remembered.queues.get(&queue.id);
    let before = known.filter(|known| known.attached);
    [
        former_whisper(queue, remembered, observed),
        before.and_then(|known| known.previous_flow_id.clone()),
    ]
}

/// What came of reading one whisper of the customer's.
enum Read {
    There(Original),
    Gone,
    Failed(AwsError),
}

async fn original<C: ConnectInstance>(
    connect: &C,
    flow_id: &str,
    reading: &mut Reading,
) -> Result<Read, AwsError> {
    if let Some(err) = reading.failure(flow_id) {
        return Ok(Read::Failed(err.clone()));
    }
    match connect.flow(flow_id).await {
        Ok(flow) => {
            reading.succeeded();
            Ok(Read::There(Original {
                id: flow.id,
                content: flow.content,
            }))
        }
        Err(err) if is_no_whisper(&err) => {
            reading.succeeded();
            Ok(Read::Gone)
        }
        Err(err) => reading.bear(flow_id, err).map(Read::Failed),
    }
}
