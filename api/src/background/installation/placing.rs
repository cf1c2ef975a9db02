//! Where an instance stands among the limiter functions, as a pass needs to know it. Pure.

use std::time::Duration;

use jiff::Timestamp;

use crate::store::{Leaving, Placement};

use super::conditions::ShardStanding;
use super::desired;

/// Longer than any call takes from its flow's beginning to our function, whatever plays before: after the last flow was
/// repointed, calls that began before still go to the former function.
pub(super) const CALLS_END_WITHIN: Duration = Duration::from_secs(300);

pub(super) fn former(leaving: &Leaving, now: Timestamp) -> desired::Leaving {
    let calls_ended = leaving.repointed_at.is_some_and(|repointed_at| {
        let since = now.duration_since(repointed_at).unsigned_abs();
        now >= repointed_at && since >= CALLS_END_WITHIN
    });
    desired::Leaving {
        function_arn: leaving.function_arn.clone(),
        is_repointed: leaving.repointed_at.is_some(),
        calls_ended,
    }
}

pub(super) fn standing(placed: &Placement) -> ShardStanding {
    match (&placed.leaving, placed.is_draining) {
        (Some(_), _) => ShardStanding::Moving,
        (None, true) => ShardStanding::Stranded,
        (None, false) => ShardStanding::Settled,
    }
}
