//! Scripts are what their seeds say, and together they do everything.

use std::collections::BTreeSet;

use super::dice::EDITS;
use super::walk::STEPS;
use super::*;

fn scripts(seeds: std::ops::Range<u64>) -> Vec<Script> {
    seeds.map(Script::from_seed).collect()
}

fn edits<'a>(events: impl Iterator<Item = &'a Event>) -> BTreeSet<&'static str> {
    let edit = |event: &Event| match event {
        Event::Edit { edit, .. } => Some(edit.name()),
        _ => None,
    };
    events.filter_map(edit).collect()
}

#[test]
fn a_seed_tells_the_whole_script() {
    for seed in 0..50 {
        let (once, again) = (Script::from_seed(seed), Script::from_seed(seed));
        assert_eq!(format!("{once:?}"), format!("{again:?}"));
    }
}

/// Two kinds are repointing a queue to a whisper of the customer's own, and one to the default.
const NAMES: u64 = EDITS - 2;

#[test]
fn as_many_scripts_as_make_test_plays_hold_every_edit_and_every_loss_of_access() {
    for first in [0, 1, 1000] {
        let scripts = scripts(first..first + 24);
        let events = || scripts.iter().flat_map(|script| &script.installing);
        assert_eq!(edits(events()).len() as u64, NAMES, "from seed {first}");
        for lost in [Loss::ExternalId, Loss::Permission] {
            let there =
                |event: &Event| matches!(event, Event::LoseAccess { loss, .. } if *loss == lost);
            assert!(events().any(there), "{lost:?} from seed {first}");
        }
        assert!(events().any(|event| matches!(event, Event::Stall(_))));
        assert!(
            scripts
                .iter()
                .any(|script| script.request.drift == "report")
        );
        assert!(
            scripts
                .iter()
                .any(|script| !script.request.prefix_filter.is_empty())
        );
        assert!(scripts.iter().any(|script| script.request.denies()));
    }
}

/// Service, number of the request, and whether it took effect.
type Boundary = (&'static str, u32, bool);

/// The kill that comes at this place, whatever else the script does.
fn killed_at(events: &[Event], place: usize) -> Boundary {
    match events.get(place) {
        Some(Event::Kill(at)) => (at.service, at.skip, at.performed),
        other => panic!("{other:?} is no kill"),
    }
}

#[test]
fn as_many_scripts_as_make_test_plays_kill_before_and_after_every_request() {
    for first in [0, 1, 1000] {
        let mut installing = BTreeSet::new();
        let mut removing = BTreeSet::new();
        for script in scripts(first..first + STEPS) {
            installing.insert(killed_at(&script.installing, 0));
            installing.insert(killed_at(&script.installing, 1));
            let (service, request, _) = killed_at(&script.removing, 0);
            removing.insert((service, request));
        }
        assert_eq!(installing.len() as u64, 2 * STEPS, "from seed {first}");
        assert_eq!(removing.len() as u64, STEPS, "from seed {first}");
        for request in 0..20 {
            assert!(removing.contains(&("connect", request)), "{request}");
        }
    }
}

#[test]
fn twice_as_many_scripts_do_so_in_the_first_pass_and_in_removals() {
    let scripts = scripts(1..1 + 2 * STEPS);
    let first: BTreeSet<_> = scripts
        .iter()
        .map(|script| killed_at(&script.installing, 0))
        .collect();
    let removing: BTreeSet<_> = scripts
        .iter()
        .map(|script| killed_at(&script.removing, 0))
        .collect();
    assert_eq!(first.len() as u64, 2 * STEPS);
    assert_eq!(removing, first);
}

#[test]
fn four_hundred_scripts_do_everything() {
    let scripts = scripts(0..400);
    let events = || scripts.iter().flat_map(|script| &script.installing);
    assert!(events().any(|event| matches!(event, Event::KillOne(_))));
    assert!(events().any(|event| matches!(event, Event::Ask { .. })));
    assert!(events().any(|event| matches!(event, Event::Remove(_))));
    assert!(events().any(|event| matches!(event, Event::Move(_))));
    let removing = || scripts.iter().flat_map(|script| &script.removing);
    assert_eq!(edits(removing()).len() as u64, NAMES);
    assert!(removing().any(|event| matches!(event, Event::LoseAccess { .. })));
    for performed in [false, true] {
        for service in ["connect", "lambda", "dynamodb"] {
            let there = |event: &Event| matches!(event, Event::Kill(at) if at.service == service && at.performed == performed);
            assert!(events().any(there), "{service} {performed}");
        }
        let edited =
            |event: &Event| matches!(event, Event::Edit { kill, .. } if *kill == performed);
        assert!(events().any(edited), "edit, kill {performed}");
    }
    assert!(scripts.iter().any(|script| script.workers == 2));
    assert!(scripts.iter().any(|script| !script.with_faults));
}
