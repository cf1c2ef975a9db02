//! Which entries of a log can never matter again.
//!
//! Pruning must not change any later decision under the same policy, nor take away the place of a contact that may be
//! delivered again. Whoever prunes may remove any part of what is found here and leave the rest. What is kept also bounds
//! what a changed policy still knows: see `docs/limits.md`.

use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use crate::attempt::ContactKey;
use crate::limit::Limit;
use crate::meter::{Entry, Log, Status};
use crate::plan::{Plan, milliseconds};

/// A flow asks again within seconds; an entry this old has been decided and marked, and nobody comes back to its place.
const REPEATS_WITHIN_MS: u64 = 60_000;

/// A call that could not be stopped gets its released place back before its invocation ends, eight seconds after it began;
/// the rest is for two hosts whose clocks differ.
const RELEASED_KEPT_MS: u64 = 15_000;

/// The highest limit there is: no rule looks further back than this many settled entries that count for it.
const COUNTING_KEPT: usize = 256;

/// Entries that may hold the older part of a series together; beyond it a log would outgrow what the store takes.
const LINKS_MAX: usize = 512;

/// The places, ascending, that may be removed from the log of the plan's meter with this index.
pub fn prunable(plan: &Plan<'_>, meter: usize, log: &Log, now: Timestamp) -> Vec<usize> {
    let standing = Standing::of(log, plan.contact, milliseconds(now));
    let mut wanted: HashSet<usize> = HashSet::new();
    for planned in plan.rules_of(meter) {
        wanted.extend(standing.wanted(planned.rule.limit()));
    }
    let mut dead = standing.dead(&wanted);
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
    /// A later entry of the same contact would take over were this one gone.
    followed: bool,
}

struct Standing {
    seen: Vec<Seen>,
    /// How many entries stand before every attempt that is, or may again be, decided.
    settled: usize,
    /// The earliest time at which an attempt is, or may again be, decided.
    decided_from_ms: u64,
    contact: ContactKey,
    now_ms: u64,
}

impl Standing {
    fn of(log: &Log, contact: ContactKey, now_ms: u64) -> Self {
        let mut seen = in_line(log);
        mark_followed(&mut seen);
        let now_ms = seen.last().map_or(now_ms, |last| last.at_ms.max(now_ms));
        let reserved = |seen: &&Seen| seen.entry.status == Status::Admitted;
        let repeatable: HashSet<ContactKey> = seen
            .iter()
            .rev()
            .take_while(|seen| now_ms.saturating_sub(seen.at_ms) < REPEATS_WITHIN_MS)
            .filter(reserved)
            .map(|seen| seen.entry.contact)
            .collect();
        let first = seen
            .iter()
            .enumerate()
            .find(|(_, seen)| reserved(seen) && repeatable.contains(&seen.entry.contact))
            .map(|(index, seen)| (index, seen.at_ms));
        let (settled, decided_from_ms) = first.unwrap_or((seen.len(), now_ms));
        Self {
            seen,
            settled,
            decided_from_ms,
            contact,
            now_ms,
        }
    }

    /// The places of the settled entries that this limit still needs.
    fn wanted(&self, limit: &Limit) -> Vec<usize> {
        let memory_ms = u64::from(limit.memory_seconds()).saturating_mul(1000);
        let counted = self
            .seen
            .iter()
            .take(self.settled)
            .rev()
            .filter(|seen| seen.counts && counts_for(limit, seen.entry.status));
        match limit {
            Limit::Sliding { .. }
            | Limit::ConsecutiveDays { .. }
            | Limit::Calendar { .. }
            | Limit::Pace { .. } => counted
                .take_while(|seen| self.decided_from_ms.saturating_sub(seen.at_ms) < memory_ms)
                .take(COUNTING_KEPT)
                .map(|seen| seen.place)
                .collect(),
            Limit::UntilQuiet { .. } => {
                let mut later = self.decided_from_ms;
                let series: Vec<&Seen> = counted
                    .take_while(|seen| {
                        let belongs = later.saturating_sub(seen.at_ms) <= memory_ms;
                        later = seen.at_ms;
                        belongs
                    })
                    .collect();
                let newest = series.iter().take(COUNTING_KEPT).map(|seen| seen.place);
                newest.chain(links(&series, memory_ms)).collect()
            }
        }
    }

    fn dead(&self, wanted: &HashSet<usize>) -> Vec<usize> {
        let dead: Vec<bool> = self
            .seen
            .iter()
            .enumerate()
            .map(|(index, seen)| {
                let age = self.now_ms.saturating_sub(seen.at_ms);
                if seen.entry.status == Status::Void && seen.entry.contact != self.contact {
                    return age >= RELEASED_KEPT_MS;
                }
                let needed = seen.counts
                    && (index >= self.settled || seen.followed || wanted.contains(&seen.place));
                !needed && age >= REPEATS_WITHIN_MS
            })
            .collect();
        self.without_changing_time(&dead)
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

fn in_line(log: &Log) -> Vec<Seen> {
    let mut counting: HashMap<ContactKey, Status> = HashMap::new();
    let mut latest = 0;
    let mut seen = Vec::with_capacity(log.places().len());
    for (place, entry) in log.places().iter().enumerate() {
        let Some(entry) = *entry else { continue };
        latest = entry.at_ms.max(latest);
        let earlier = counting.get(&entry.contact);
        let covered = earlier == Some(&Status::Admitted) || earlier == Some(&entry.status);
        let counts = entry.status != Status::Void && !covered;
        if counts {
            counting.insert(entry.contact, entry.status);
        }
        seen.push(Seen {
            place,
            entry,
            at_ms: latest,
            counts,
            followed: false,
        });
    }
    seen
}

fn mark_followed(seen: &mut [Seen]) {
    let mut later: HashSet<ContactKey> = HashSet::new();
    for seen in seen.iter_mut().rev() {
        seen.followed = later.contains(&seen.entry.contact);
        if seen.entry.status != Status::Void {
            later.insert(seen.entry.contact);
        }
    }
}

/// The places of the fewest entries without which a silence would seem to part a series (newest first), its first entry
/// among them: that one names the stretch of denials.
fn links(series: &[&Seen], quiet_ms: u64) -> Vec<usize> {
    let mut links: Vec<usize> = Vec::new();
    let mut held_ms: Option<u64> = None;
    let mut oldest_first = series.iter().rev().peekable();
    while let Some(seen) = oldest_first.next() {
        let reaches = |next: &&&Seen| {
            held_ms.is_some_and(|held_ms| next.at_ms.saturating_sub(held_ms) <= quiet_ms)
        };
        if !oldest_first.peek().is_some_and(reaches) {
            links.push(seen.place);
            held_ms = Some(seen.at_ms);
        }
    }
    let forgotten = links.len().saturating_sub(LINKS_MAX);
    links.split_off(forgotten)
}

fn counts_for(limit: &Limit, status: Status) -> bool {
    match (limit, status) {
        (_, Status::Admitted) => true,
        (Limit::UntilQuiet { .. }, Status::Denied) => true,
        (_, Status::Denied | Status::Void) => false,
    }
}
