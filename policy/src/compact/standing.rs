//! A log as whoever compacts it sees it: which entries count, which are settled, and which nobody needs any more.

use std::collections::HashMap;
use std::hash::BuildHasherDefault;

use super::places::Places;
use crate::attempt::ContactKey;
use crate::count::{ContactHasher, Counts, Firsts};
use crate::meter::{Entry, Log, Status};

/// Connect repeats an invocation within eight seconds, and ends a chain of them after twenty; the rest is for two hosts
/// whose clocks differ. An entry this old has been decided and marked, and nobody comes back to its place.
const REPEATS_WITHIN_MS: u64 = 25_000;

/// A released place counts for nothing. It is kept to tell a repeated delivery that the attempt was denied, until the record of
/// the denial has been written, which takes no longer than an invocation; the rest is for two hosts whose clocks differ.
const RELEASED_KEPT_MS: u64 = 15_000;

pub(super) type Contacts<V> = HashMap<ContactKey, V, BuildHasherDefault<ContactHasher>>;

#[derive(Debug)]
pub(super) struct Seen {
    pub(super) place: usize,
    pub(super) entry: Entry,
    /// The latest time of this and all earlier entries.
    pub(super) at_ms: u64,
    pub(super) counts: Counts,
    /// A later entry of the same contact would begin to count were this one gone.
    followed: bool,
}

#[derive(Debug)]
pub(super) struct Standing {
    pub(super) seen: Vec<Seen>,
    /// How many entries stand before every attempt that is, or may again be, decided.
    pub(super) settled: usize,
    /// The earliest time at which an attempt is, or may again be, decided.
    pub(super) decided_from_ms: u64,
    contact: ContactKey,
    now_ms: u64,
    /// The latest time that the past keeps.
    remembered_ms: u64,
}

impl Standing {
    pub(super) fn of(log: &Log, contact: ContactKey, now_ms: u64) -> Self {
        let seen = in_line(log);
        let now_ms = seen.last().map_or(now_ms, |last| last.at_ms.max(now_ms));
        let reserved = |seen: &&Seen| seen.entry.status.is_held();
        let repeatable: Contacts<()> = seen
            .iter()
            .rev()
            .take_while(|seen| now_ms.saturating_sub(seen.at_ms) < REPEATS_WITHIN_MS)
            .filter(reserved)
            .map(|seen| (seen.entry.contact, ()))
            .collect();
        let first = seen
            .iter()
            .enumerate()
            .find(|(_, seen)| reserved(seen) && repeatable.contains_key(&seen.entry.contact))
            .map(|(index, seen)| (index, seen.at_ms));
        let (settled, decided_from_ms) = first.unwrap_or((seen.len(), now_ms));
        Self {
            seen,
            settled,
            decided_from_ms,
            contact,
            now_ms,
            remembered_ms: log.past().paced_until_ms,
        }
    }

    /// The settled entries, the latest first.
    pub(super) fn latest_settled(&self) -> impl Iterator<Item = &Seen> {
        self.seen.iter().take(self.settled).rev()
    }

    /// The places of entries that may go, given those that the meter's rules want to see one by one.
    pub(super) fn removable(&self, wanted: &Places) -> impl Iterator<Item = usize> {
        let may_go = move |(index, seen): &(usize, &Seen)| {
            let age = self.now_ms.saturating_sub(seen.at_ms);
            if seen.followed {
                return false;
            }
            if seen.entry.status.is_void() && seen.entry.contact != self.contact {
                return age >= RELEASED_KEPT_MS;
            }
            let needed =
                seen.counts.anything() && (*index >= self.settled || wanted.contains(seen.place));
            !needed && age >= REPEATS_WITHIN_MS
        };
        self.seen
            .iter()
            .enumerate()
            .filter(may_go)
            .map(|(_, seen)| seen.place)
    }

    /// Spares a removed entry that gives a later, remaining one its time: a host whose clock ran ahead wrote it. For those
    /// in `remembered` the past keeps the time.
    pub(super) fn spare_times(&self, removed: &mut Places, remembered: &Places) {
        let mut latest_kept = self.remembered_ms;
        let mut latest_removed: Option<(usize, u64)> = None;
        for seen in &self.seen {
            if remembered.contains(seen.place) {
                latest_kept = latest_kept.max(seen.at_ms);
                continue;
            }
            if removed.contains(seen.place) {
                if latest_removed.is_none_or(|(_, at_ms)| seen.entry.at_ms > at_ms) {
                    latest_removed = Some((seen.place, seen.entry.at_ms));
                }
                continue;
            }
            latest_kept = latest_kept.max(seen.entry.at_ms);
            if latest_kept < seen.at_ms
                && let Some((place, at_ms)) = latest_removed
            {
                removed.remove(place);
                latest_kept = latest_kept.max(at_ms);
            }
        }
    }
}

/// What stands behind an entry in its contact's name.
#[derive(Clone, Copy, Debug)]
enum Follower {
    /// A reservation among others: one that may have come late, and count for nothing where a released place stands.
    Reserved,
    Other,
}

impl Follower {
    /// Whether it may begin to count were that entry gone.
    fn counts_without(self, seen: &Seen) -> bool {
        let hides = seen.entry.status.is_released_for_good() && matches!(self, Self::Reserved);
        seen.counts.anything() || hides
    }
}

fn in_line(log: &Log) -> Vec<Seen> {
    let mut firsts = Firsts::of(log);
    let mut latest = log.past().paced_until_ms;
    let mut seen: Vec<Seen> = Vec::with_capacity(log.places().len());
    for (place, entry) in log.entries() {
        latest = entry.at_ms.max(latest);
        seen.push(Seen {
            place,
            entry: *entry,
            at_ms: latest,
            counts: firsts.counts(place, entry, latest),
            followed: false,
        });
    }
    let mut later: Contacts<Follower> = Contacts::default();
    for seen in seen.iter_mut().rev() {
        let follower = later.get(&seen.entry.contact);
        seen.followed = follower.is_some_and(|follower| follower.counts_without(seen));
        match seen.entry.status {
            Status::Void | Status::VoidAlone => {}
            Status::Admitted => {
                later.insert(seen.entry.contact, Follower::Reserved);
            }
            Status::Denied | Status::Charged | Status::DeniedAlone => {
                later.entry(seen.entry.contact).or_insert(Follower::Other);
            }
        }
    }
    seen
}
