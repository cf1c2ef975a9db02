//! Why a queue is not covered, and which ways round are told to whom.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::domain::installation::{
    Drift, ExistingWhisper, InstallationRequest, OnLimiterUnavailable, QueueSelection,
};
use crate::store::InstallationQueue;

fn request(queues: QueueSelection) -> InstallationRequest {
    InstallationRequest {
        queues,
        existing_whisper: ExistingWhisper::Merge,
        drift: Drift::Mend,
        prefix_filter: BTreeSet::new(),
        on_limiter_unavailable: OnLimiterUnavailable::Allow,
    }
}

fn installed(request: Option<InstallationRequest>, state: QueueState, detail: &str) -> Installed {
    let queue = InstallationQueue {
        queue_id: "q".to_owned(),
        name: "Sales".to_owned(),
        previous_flow_id: None,
        whisper_flow_id: Some("ours".to_owned()),
        state,
        detail: detail.to_owned(),
    };
    Installed {
        request,
        queues: BTreeMap::from([("q".to_owned(), queue)]),
        changed_flows: BTreeSet::new(),
    }
}

fn changed(installed: Installed) -> Installed {
    Installed {
        changed_flows: BTreeSet::from(["ours".to_owned()]),
        ..installed
    }
}

#[test]
fn each_gap_says_why_and_what_to_do() {
    let all = || Some(request(QueueSelection::All));
    let other = Some(request(QueueSelection::Only(["other".to_owned()].into())));
    for (installed, reason, fix) in [
        (
            installed(None, QueueState::Restored, ""),
            "nothing is installed",
            "Install",
        ),
        (
            installed(other, QueueState::Restored, ""),
            "does not name",
            "Add it",
        ),
        (
            installed(all(), QueueState::Refused, "has a whisper of its own"),
            "a whisper of its own",
            "merge or replace",
        ),
        (
            installed(all(), QueueState::LeftAlone, ""),
            "another whisper",
            "install again",
        ),
        (
            installed(all(), QueueState::Pending, ""),
            "not attached yet",
            "Wait",
        ),
        (
            changed(installed(all(), QueueState::Attached, "")),
            "somebody changed the whisper of ours",
            "Install again",
        ),
    ] {
        let gap = gap("q", &installed);
        assert!(gap.reason.contains(reason), "{gap:?}");
        assert!(gap.fix.contains(fix), "{gap:?}");
    }
}

#[test]
fn a_queue_that_runs_connects_default_is_told_from_one_that_nobody_read() {
    let profile = DialProfile {
        id: "p".to_owned(),
        name: "P".to_owned(),
        default_queue_id: None,
        queue_ids: ["read", "unread", "q"].map(str::to_owned).to_vec(),
        read_at: None,
    };
    let at = Timestamp::UNIX_EPOCH;
    let queues = [("read", Some(at)), ("unread", None), ("q", Some(at))];
    let queues = queues.map(|(id, read_at)| DialQueue {
        id: id.to_owned(),
        name: id.to_owned(),
        whisper_flow_id: None,
        read_at,
    });
    let installed = installed(Some(request(QueueSelection::All)), QueueState::Attached, "");
    let found = dialled_queues(&[profile], &queues, &installed);
    let told: Vec<_> = found
        .iter()
        .map(|queue| (queue.queue_id.as_str(), queue.whisper_read_at))
        .collect();
    assert_eq!(told, [("read", Some(at)), ("unread", None), ("q", None)]);
}

#[test]
fn the_ways_round_that_a_tenant_chose_are_told_beside_those_of_everybody() {
    let kinds = |request: Option<&InstallationRequest>| -> Vec<&str> {
        ways_round(request)
            .iter()
            .map(|way| way.kind.as_str())
            .collect()
    };
    let always = kinds(None);
    for kind in ["external_transfers", "api_calls", "queued_callbacks"] {
        assert!(always.contains(&kind), "{kind}");
    }
    let mut chosen = request(QueueSelection::All);
    assert_eq!(
        kinds(Some(&chosen))[always.len()..],
        ["limiter_unavailable"]
    );
    chosen.on_limiter_unavailable = OnLimiterUnavailable::Deny;
    chosen.prefix_filter = ["+1", "+86"].map(str::to_owned).into();
    let told = ways_round(Some(&chosen));
    let last = told.last().expect("a way");
    assert_eq!(last.kind.as_str(), "prefix_filter");
    assert!(last.detail.contains("+1, +86"), "{}", last.detail);
}

#[test]
fn agents_can_dial_from_their_default_queue_and_from_every_other_of_their_profile() {
    let profile = |id: &str, default: Option<&str>, queues: &[&str]| DialProfile {
        id: id.to_owned(),
        name: format!("Profile {id}"),
        default_queue_id: default.map(str::to_owned),
        queue_ids: queues.iter().map(|id| (*id).to_owned()).collect(),
        read_at: None,
    };
    let queue = |id: &str, name: &str| DialQueue {
        id: id.to_owned(),
        name: name.to_owned(),
        whisper_flow_id: Some("own".to_owned()),
        read_at: None,
    };
    let profiles = [
        // Its default need not be among its queues; an agent's own queue is none of ours.
        profile("one", Some("r"), &["q", "agent/ada"]),
        profile("two", Some("q"), &["q"]),
    ];
    let queues = [
        queue("r", "Returns"),
        queue("q", "Sales"),
        queue("n", "Nobody"),
    ];
    let installed = installed(Some(request(QueueSelection::All)), QueueState::Attached, "");
    let found = dialled_queues(&profiles, &queues, &installed);
    let told: Vec<(&str, bool)> = found
        .iter()
        .map(|queue| (queue.name.as_str(), queue.covered))
        .collect();
    assert_eq!(told, [("Returns", false), ("Sales", true)]);
    assert_eq!(found[0].whisper_flow_id.as_deref(), Some("own"));
    assert_eq!(found[1].whisper_flow_id, None);
    let by: Vec<(&str, bool)> = found[1]
        .dialled_by
        .iter()
        .map(|by| (by.profile_id.as_str(), by.is_default))
        .collect();
    assert_eq!(by, [("one", false), ("two", true)]);
}
