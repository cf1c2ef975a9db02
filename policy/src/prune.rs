//! Which entries of a log can never matter again.
//!
//! Pruning must not change any later decision under the same policy, nor take away the place of a contact that may be
//! delivered again. What it keeps also bounds what a changed policy still knows: see `docs/limits.md`.

use jiff::Timestamp;

use crate::attempt::ContactKey;
use crate::meter::{Entry, Log, Status};
use crate::plan::{Plan, milliseconds};
use crate::rule::Limit;

/// A flow asks again within seconds; younger entries keep their place whatever they count for.
const REPEATS_WITHIN_MS: u64 = 60_000;

/// The highest limit there is: no rule looks further back than this many counting entries.
const COUNTING_KEPT: usize = 256;

/// The places, ascending, that may be removed from the log of the plan's meter with this index.
pub fn prunable(plan: &Plan<'_>, meter: usize, log: &Log, now: Timestamp) -> Vec<usize> {
    let limits: Vec<Limit> = plan
        .rules_of(meter)
        .map(|planned| planned.rule.limit())
        .collect();
    let standing = Standing::of(log, milliseconds(now));
    let mut dead: Vec<usize> = standing.dead(&limits);
    dead.extend(
        log.places()
            .iter()
            .enumerate()
            .filter(|(_, entry)| entry.is_none())
            .map(|(place, _)| place),
    );
    dead.sort_unstable();
    dead
}

struct Seen {
    place: usize,
    entry: Entry,
    /// The latest time of this and all earlier entries.
    at_ms: u64,
    counts: bool,
}

struct Standing {
    seen: Vec<Seen>,
    now_ms: u64,
}

impl Standing {
    fn of(log: &Log, now_ms: u64) -> Self {
        let mut counting: Vec<(ContactKey, Status)> = Vec::new();
        let mut latest = 0;
        let mut seen = Vec::new();
        for (place, entry) in log.places().iter().enumerate() {
            let Some(entry) = *entry else { continue };
            latest = entry.at_ms.max(latest);
            let covered = counting.contains(&(entry.contact, Status::Admitted))
                || counting.contains(&(entry.contact, entry.status));
            let counts = entry.status != Status::Void && !covered;
            if counts {
                counting.push((entry.contact, entry.status));
            }
            seen.push(Seen {
                place,
                entry,
                at_ms: latest,
                counts,
            });
        }
        Self {
            seen,
            now_ms: latest.max(now_ms),
        }
    }

    fn dead(&self, limits: &[Limit]) -> Vec<usize> {
        let horizons: Vec<(Limit, u64)> = limits
            .iter()
            .map(|limit| (*limit, self.horizon(*limit)))
            .collect();
        let mut newer_counting: usize = 0;
        let mut dead: Vec<bool> = Vec::with_capacity(self.seen.len());
        for seen in self.seen.iter().rev() {
            let age = self.now_ms.saturating_sub(seen.at_ms);
            let wanted = seen.counts
                && newer_counting < COUNTING_KEPT
                && horizons.iter().any(|(limit, horizon)| {
                    counts_for(*limit, seen.entry.status) && seen.at_ms >= *horizon
                });
            if seen.counts {
                newer_counting = newer_counting.saturating_add(1);
            }
            dead.push(!wanted && age >= REPEATS_WITHIN_MS);
        }
        dead.reverse();
        self.without_changing_time(&dead)
    }

    /// The time from which on entries matter to a limit.
    fn horizon(&self, limit: Limit) -> u64 {
        let memory_ms = u64::from(limit.memory_seconds()).saturating_mul(1000);
        match limit {
            Limit::Sliding { .. } => self.now_ms.saturating_sub(memory_ms).saturating_add(1),
            Limit::UntilQuiet { .. } => {
                let mut later = self.now_ms;
                for seen in self.seen.iter().rev().filter(|seen| seen.counts) {
                    if later.saturating_sub(seen.at_ms) > memory_ms {
                        break;
                    }
                    later = seen.at_ms;
                }
                later
            }
        }
    }

    /// Spares a dead entry that gives a later, living one its time: a host whose clock ran ahead wrote it.
    fn without_changing_time(&self, dead: &[bool]) -> Vec<usize> {
        let mut removed: Vec<usize> = Vec::new();
        let mut latest_kept: u64 = 0;
        let mut latest_dead: Option<(usize, u64)> = None;
        for (seen, dead) in self.seen.iter().zip(dead) {
            if *dead {
                removed.push(seen.place);
                if latest_dead.is_none_or(|(_, at_ms)| seen.entry.at_ms > at_ms) {
                    latest_dead = Some((seen.place, seen.entry.at_ms));
                }
                continue;
            }
            latest_kept = latest_kept.max(seen.entry.at_ms);
            if latest_kept < seen.at_ms
                && let Some((place, at_ms)) = latest_dead
            {
                removed.retain(|other| *other != place);
                latest_kept = latest_kept.max(at_ms);
            }
        }
        removed
    }
}

fn counts_for(limit: Limit, status: Status) -> bool {
    match (limit, status) {
        (_, Status::Admitted) => true,
        (Limit::UntilQuiet { .. }, Status::Denied) => true,
        (Limit::Sliding { .. }, Status::Denied) | (_, Status::Void) => false,
    }
}
