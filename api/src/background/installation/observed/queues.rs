//! How the customer's queues call out.

use std::collections::BTreeMap;

use crate::aws::{AwsError, AwsErrorKind, ConnectInstance};

use super::super::desired::Remembered;
use super::super::unread::{Reading, UnreadQueue};
use super::{Observed, Onlooker};

/// Queues between two tellings: about as many seconds.
const TOLD_EVERY: usize = 10;

/// Every queue listed, and every one in our hands: a list that is read page by page, while queues go, may pass over one.
pub(super) async fn observe_queues<C: ConnectInstance, O: Onlooker>(
    connect: &C,
    remembered: &Remembered,
    onlooker: &O,
    observed: &mut Observed,
) -> Result<(), AwsError> {
    let listed = connect.queues().await?;
    let attached = remembered.queues.iter().filter(|(_, queue)| queue.attached);
    let names: BTreeMap<&String, &String> = attached
        .map(|(id, queue)| (id, &queue.name))
        .chain(listed.iter().map(|queue| (&queue.id, &queue.name)))
        .collect();
    let mut reading = Reading::default();
    let mut names: Vec<(&String, &String)> = names.into_iter().collect();
    // What could be read before tells soonest what is denied now.
    names.sort_by_key(|(id, _)| !remembered.is_attached(id));
    for (done, (id, name)) in names.iter().enumerate() {
        if done.is_multiple_of(TOLD_EVERY) {
            onlooker.looked(done, names.len()).await;
        }
        match connect.queue(id).await {
            Ok(queue) => {
                reading.succeeded();
                observed.queues.push(queue);
            }
            Err(err) if err.kind == AwsErrorKind::NotFound => {}
            Err(err) => {
                let err = reading.bear(id, err)?;
                let name = (*name).clone();
                let queue = UnreadQueue { name, err };
                observed.unread.queues.insert((*id).clone(), queue);
            }
        }
    }
    reading.ended()
}
