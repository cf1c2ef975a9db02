//! What a reading has still to ask Amazon Connect for. Pure.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Installed;
use crate::domain::coverage::{DialProfile, DialQueue};

/// The rest of a reading that has listed profiles and queues.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ahead {
    pub profiles: Vec<String>,
    /// Queues that agents can dial from, as far as is known, and that are not known to run our whisper.
    pub queues: Vec<String>,
    /// Profiles and queues that are read already.
    pub done: usize,
}

impl Ahead {
    #[must_use]
    pub fn total(&self) -> usize {
        self.done + self.profiles.len() + self.queues.len()
    }

    /// Two for each profile, and one for each queue.
    #[must_use]
    pub fn requests(&self) -> usize {
        2 * self.profiles.len() + self.queues.len()
    }
}

/// What was read since `began_at` is not read again, and what the role refused to is not read at all.
#[must_use]
pub fn ahead(
    began_at: Timestamp,
    profiles: &[DialProfile],
    queues: &[DialQueue],
    installed: &Installed,
    refused: &[String],
) -> Ahead {
    let is_fresh = |read_at: Option<Timestamp>| read_at.is_some_and(|at| at >= began_at);
    let dialled: BTreeSet<&String> = profiles.iter().flat_map(DialProfile::queues).collect();
    let may_read_queues = !refused
        .iter()
        .any(|action| action == "connect:DescribeQueue");
    let mut ahead = Ahead::default();
    for profile in profiles {
        if is_fresh(profile.read_at) {
            ahead.done += 1;
        } else {
            ahead.profiles.push(profile.id.clone());
        }
    }
    for queue in queues {
        if is_fresh(queue.read_at) {
            ahead.done += 1;
        } else if may_read_queues && dialled.contains(&queue.id) && !installed.covers(&queue.id) {
            ahead.queues.push(queue.id.clone());
        }
    }
    ahead
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::installation::QueueState;
    use crate::store::InstallationQueue;

    fn at(second: i64) -> Timestamp {
        Timestamp::new(second, 0).expect("a time")
    }

    fn profile(id: &str, queues: &[&str], read_at: Option<i64>) -> DialProfile {
        DialProfile {
            id: id.to_owned(),
            name: id.to_owned(),
            default_queue_id: None,
            queue_ids: queues.iter().map(|id| (*id).to_owned()).collect(),
            read_at: read_at.map(at),
        }
    }

    fn queue(id: &str, read_at: Option<i64>) -> DialQueue {
        DialQueue {
            id: id.to_owned(),
            name: id.to_owned(),
            whisper_flow_id: None,
            read_at: read_at.map(at),
        }
    }

    #[test]
    fn what_was_read_before_this_reading_began_is_read_again_and_the_rest_is_not() {
        let profiles = [
            profile("read", &["a", "b", "ours"], Some(10)),
            profile("old", &["c"], Some(9)),
            profile("new", &[], None),
        ];
        let queues = [
            queue("a", Some(11)),
            queue("b", Some(3)),
            queue("c", None),
            queue("nobodys", None),
            queue("ours", None),
        ];
        let ours = InstallationQueue {
            queue_id: "ours".to_owned(),
            name: "Ours".to_owned(),
            previous_flow_id: None,
            whisper_flow_id: Some("whisper".to_owned()),
            state: QueueState::Attached,
            detail: String::new(),
        };
        let installed = Installed {
            request: None,
            queues: BTreeMap::from([("ours".to_owned(), ours)]),
            changed_flows: BTreeSet::new(),
        };
        let blind = ["connect:DescribeQueue".to_owned()];
        let without = super::ahead(at(10), &profiles, &queues, &installed, &blind);
        assert_eq!((without.queues.len(), without.requests()), (0, 4));
        let ahead = ahead(at(10), &profiles, &queues, &installed, &[]);
        assert_eq!(ahead.profiles, ["old", "new"]);
        assert_eq!(ahead.queues, ["b", "c"]);
        assert_eq!((ahead.done, ahead.total(), ahead.requests()), (2, 6, 6));
    }
}
