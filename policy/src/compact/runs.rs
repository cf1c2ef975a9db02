//! Older admissions, counted in runs: each is counted as if it had come at the latest time in its run.
//!
//! Runs end where a sliding window is divided, in 64 to 128 parts, and where a day of a rule's zone ends. The parts are
//! powers of two of a millisecond, so the parts of a longer window are whole ones of a shorter, and runs that only a longer
//! window still sees can be merged again. Merging moves admissions to a later time only: nobody is ever admitted too much.

use crate::count::civil::{begins, day_of, later};
use crate::count::window::Window;
use crate::past::Run;

/// At least so many parts has a window.
const PARTS: u64 = 64;

/// Some ten kilobytes. Beyond it (many rules with different windows and zones on one meter) all runs are merged in pairs.
const RUNS_MAX: usize = 2_048;

/// Where the runs of a meter end.
#[derive(Debug)]
pub(super) struct Grid<'w> {
    /// Each window, with the earliest time that it still looks at.
    windows: Vec<(&'w Window<'w>, u64)>,
}

impl<'w> Grid<'w> {
    pub(super) fn of(windows: &'w [Window<'w>], decided_from_ms: u64) -> Self {
        let windows = windows
            .iter()
            .map(|window| (window, window.since(decided_from_ms)));
        Self {
            windows: windows.collect(),
        }
    }

    pub(super) fn remembers(&self, at_ms: u64) -> bool {
        self.windows.iter().any(|(_, since_ms)| at_ms >= *since_ms)
    }

    /// The last millisecond to which a run may reach that has an admission at this time: never out of a part of a window
    /// that sees it, nor into a window that does not see it any more.
    fn reaches(&self, at_ms: u64) -> u64 {
        let reach = |(window, since_ms): &(&Window<'_>, u64)| {
            if at_ms >= *since_ms {
                end_of_part(window, at_ms)
            } else {
                since_ms.saturating_sub(1)
            }
        };
        self.windows.iter().map(reach).min().unwrap_or(at_ms)
    }
}

fn end_of_part(window: &Window<'_>, at_ms: u64) -> u64 {
    match window {
        Window::Sliding { ms } => {
            let longest = ms.checked_div(PARTS).unwrap_or(0).max(1);
            let part = 1_u64.checked_shl(longest.ilog2()).unwrap_or(1);
            at_ms | part.saturating_sub(1)
        }
        Window::Days { zone, .. } | Window::Period { zone, .. } => {
            begins(zone, later(day_of(zone, at_ms), 1)).saturating_sub(1)
        }
    }
}

/// The runs, with these admissions (in the order of their times) added and what no window looks at any more left out.
pub(super) fn merge(runs: &[Run], admissions: &[u64], grid: &Grid<'_>) -> Vec<Run> {
    let single = |latest_ms: &u64| Run {
        latest_ms: *latest_ms,
        count: 1,
    };
    let mut all: Vec<Run> = runs
        .iter()
        .copied()
        .chain(admissions.iter().map(single))
        .collect();
    all.retain(|run| grid.remembers(run.latest_ms));
    all.sort_by_key(|run| run.latest_ms);
    let mut merged: Vec<Run> = Vec::new();
    let mut reaches_ms = 0;
    for run in all {
        match merged.last_mut() {
            Some(last) if run.latest_ms <= reaches_ms => join(last, run),
            _ => {
                reaches_ms = grid.reaches(run.latest_ms);
                merged.push(run);
            }
        }
    }
    while merged.len() > RUNS_MAX {
        merged = in_pairs(&merged);
    }
    merged
}

fn in_pairs(runs: &[Run]) -> Vec<Run> {
    let pair = |pair: &[Run]| {
        let mut pair = pair.iter().copied();
        let first = pair.next()?;
        Some(pair.fold(first, |mut first, second| {
            join(&mut first, second);
            first
        }))
    };
    runs.chunks(2).filter_map(pair).collect()
}

fn join(run: &mut Run, later: Run) {
    run.latest_ms = later.latest_ms;
    run.count = run.count.saturating_add(later.count);
}
