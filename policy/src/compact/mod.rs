//! What a log need not keep, and what has to be remembered of it: removing dead entries, folding old admissions.
//!
//! Compacting changes no later decision of a limit of at most 256 under the same policies; a higher limit never admits more
//! for it, and denies at worst 1/64 of its window too long. It takes away no place that a contact may come back to. The
//! removal and the new past are one write, on condition that the past and each removed place are still what was read.
//! What is kept also bounds what a changed policy still knows: see `docs/limits.md`.

mod links;
mod paced;
mod places;
mod runs;
mod standing;

use jiff::Timestamp;

use crate::count::millis;
use crate::count::window::Window;
use crate::limit::Limit;
use crate::meter::Log;
use crate::past::Past;
use crate::plan::{Plan, milliseconds};
use links::series;
use places::Places;
use runs::{Grid, merge};
use standing::Standing;

/// Up to this maximum, a rule sees so many of its latest admissions one by one; above it, it counts runs.
const COUNTED_SINGLY: usize = 256;

/// What to write to a meter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Compaction {
    /// The places to remove, ascending.
    pub remove: Vec<usize>,
    /// The meter's new past, if it changes.
    pub past: Option<Vec<u8>>,
}

/// What may be removed from the log of the plan's meter with this index, at most so many places at once.
pub fn compact(
    plan: &Plan<'_>,
    meter: usize,
    log: &Log,
    now: Timestamp,
    at_most: usize,
) -> Option<Compaction> {
    let limits: Vec<&Limit> = plan.limits_of(meter).collect();
    let standing = Standing::of(log, plan.contact, milliseconds(now));
    let (remove, past) = if limits.iter().any(|limit| limit.is_pace()) {
        paced::fold(&limits, &standing, log, at_most)
    } else {
        windowed(&limits, &standing, log, at_most)
    };
    (!remove.is_empty()).then(|| Compaction {
        remove,
        past: past.map(|past| past.encode()),
    })
}

fn windowed(
    limits: &[&Limit],
    standing: &Standing,
    log: &Log,
    at_most: usize,
) -> (Vec<usize>, Option<Past>) {
    let none = Places::none_of(log);
    let wanted = none
        .clone()
        .with(limits.iter().flat_map(|limit| wanted(limit, standing)));
    let removable = none.clone().with(standing.removable(&wanted));
    let mut removed = first(at_most, log, &removable);
    standing.spare_times(&mut removed, &none);
    let windows: Vec<Window<'_>> = limits
        .iter()
        .filter_map(|limit| Window::of(limit))
        .collect();
    let grid = Grid::of(&windows, standing.decided_from_ms);
    let folded: Vec<u64> = standing
        .seen
        .iter()
        .filter(|seen| seen.counts.admitted && removed.contains(seen.place))
        .map(|seen| seen.at_ms)
        .filter(|at_ms| grid.remembers(*at_ms))
        .collect();
    let past = (!folded.is_empty()).then(|| Past {
        runs: merge(&log.past().runs, &folded, &grid),
        ..log.past().clone()
    });
    (removed.ascending().collect(), past)
}

pub(crate) fn counts_singly(limit: &Limit) -> bool {
    usize::try_from(limit.admits()).is_ok_and(|max| max <= COUNTED_SINGLY)
}

/// The places of the settled entries that this limit has to see one by one.
fn wanted(limit: &Limit, standing: &Standing) -> Vec<usize> {
    match (limit, Window::of(limit)) {
        (Limit::UntilQuiet { quiet_seconds, .. }, _) => series(standing, millis(*quiet_seconds)),
        (_, Some(window)) if counts_singly(limit) => {
            let since_ms = window.since(standing.decided_from_ms);
            standing
                .latest_settled()
                .filter(|seen| seen.counts.admitted)
                .take_while(|seen| seen.at_ms >= since_ms)
                .take(COUNTED_SINGLY)
                .map(|seen| seen.place)
                .collect()
        }
        _ => Vec::new(),
    }
}

/// The first so many of these places and of the unreadable ones: one write has room for no more.
fn first(at_most: usize, log: &Log, going: &Places) -> Places {
    let unreadable = |place: usize| log.places().get(place).is_some_and(Option::is_none);
    let places =
        (0..log.places().len()).filter(|place| unreadable(*place) || going.contains(*place));
    Places::none_of(log).with(places.take(at_most))
}
