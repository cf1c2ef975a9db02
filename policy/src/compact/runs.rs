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

#[cfg(test)]
mod tests {
    use jiff::tz::{TimeZone, offset};

    use super::*;
    use crate::past::Past;

    const HOUR_MS: u64 = 3_600_000;
    const START_MS: u64 = 1_795_000_000_000;
    const DAYS: u32 = 366;

    /// Zones three hours apart, in one of which a day ends every three hours.
    fn zones() -> Vec<TimeZone> {
        (-4..4)
            .map(|third| TimeZone::fixed(offset(3 * third)))
            .collect()
    }

    fn windows(zones: &[TimeZone]) -> Vec<Window<'_>> {
        let window = |zone| Window::Days { days: DAYS, zone };
        zones.iter().map(window).collect()
    }

    /// One in each run that the zones allow.
    fn admissions(from: u64, count: u64) -> Vec<u64> {
        (from..from + count)
            .map(|number| START_MS + number * 3 * HOUR_MS)
            .collect()
    }

    fn counted(runs: &[Run], since_ms: u64) -> usize {
        let since = runs.iter().filter(|run| run.latest_ms >= since_ms);
        since.map(|run| run.count as usize).sum()
    }

    /// How many more are counted than there were, at most, wherever in the window one begins to count.
    fn surplus(runs: &[Run], admissions: &[u64], grid: &Grid<'_>) -> usize {
        let remembered: Vec<u64> = admissions
            .iter()
            .copied()
            .filter(|at_ms| grid.remembers(*at_ms))
            .collect();
        let surplus = remembered.iter().enumerate().map(|(index, since_ms)| {
            let real = remembered.len() - index;
            let counted = counted(runs, *since_ms);
            assert!(counted >= real, "{counted} of {real}: an admission is lost");
            counted - real
        });
        surplus.max().unwrap()
    }

    #[test]
    fn a_past_within_its_bound_joins_nothing() {
        let zones = zones();
        let windows = windows(&zones);
        let admissions = admissions(0, RUNS_MAX as u64);
        let grid = Grid::of(&windows, *admissions.last().unwrap());
        let runs = merge(&[], &admissions, &grid);
        assert_eq!(runs.len(), RUNS_MAX);
        assert_eq!(
            surplus(&runs, &admissions, &grid),
            0,
            "each is counted at its time"
        );
    }

    #[test]
    fn a_past_beyond_its_bound_joins_neighbours_loses_none_and_counts_none_earlier() {
        let zones = zones();
        let windows = windows(&zones);
        let mut all = admissions(0, RUNS_MAX as u64 + 1);
        let grid = Grid::of(&windows, *all.last().unwrap());
        let mut runs = merge(&[], &all, &grid);
        assert_eq!(
            runs.len(),
            RUNS_MAX.div_ceil(2) + 1,
            "in pairs, and the odd one"
        );
        assert_eq!(
            surplus(&runs, &all, &grid),
            1,
            "at a neighbour's time, no later"
        );
        let mut joined_again = false;
        for _ in 0..4 {
            let more = admissions(all.len() as u64, 512);
            all.extend(&more);
            let grid = Grid::of(&windows, *all.last().unwrap());
            let before = runs.len();
            runs = merge(&runs, &more, &grid);
            assert!(runs.len() <= RUNS_MAX, "{}", runs.len());
            joined_again |= runs.len() < before;
            assert!(
                surplus(&runs, &all, &grid) <= 3,
                "two neighbours' neighbours"
            );
            let past = Past {
                runs: runs.clone(),
                ..Past::default()
            };
            assert!(past.encode().len() < 13_000, "{}", past.encode().len());
        }
        assert!(joined_again, "the bound was met twice");
    }
}
