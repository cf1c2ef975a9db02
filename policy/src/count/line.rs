//! Where an attempt stands in a meter's line, and what stands before it.
//!
//! Only what the store put before one's own first reservation counts, so of two attempts at the last place the later one
//! sees the earlier. Time never runs backwards in a line: an entry's time is the latest of its own and all earlier ones.
//! The same attempt delivered twice counts at its first place.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use crate::attempt::ContactKey;
use crate::meter::{Entry, Log, Status};
use crate::past::{Past, Run};

/// Up to here it is faster to look through the log again than to remember who stood in it.
const FEW: usize = 24;

/// Attempts that count from the same time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) at_ms: u64,
    pub(crate) attempts: u32,
    /// Denied attempts count for `until_quiet` alone.
    pub(crate) admitted: bool,
}

/// What stands before an attempt in one meter, and the time at which it is decided.
#[derive(Debug)]
pub(crate) struct Line<'l> {
    /// In the order of their times.
    pub(crate) before: Vec<Standing>,
    pub(crate) at_ms: u64,
    /// An earlier delivery of this attempt was denied, and marked as such.
    pub(crate) denied_before: bool,
    pub(crate) past: &'l Past,
}

impl<'l> Line<'l> {
    pub(crate) fn of(log: &'l Log, contact: ContactKey, now_ms: u64) -> Self {
        let mut line = Self {
            before: Vec::with_capacity(log.places().len()),
            at_ms: now_ms,
            denied_before: false,
            past: log.past(),
        };
        let mut firsts = Firsts::of(log);
        let mut latest = line.past.paced_until_ms;
        let mut stands = false;
        for (place, entry) in log.entries() {
            latest = latest.max(entry.at_ms);
            if entry.contact == contact {
                // A former delivery that was denied has been marked; only a reservation is a place in the line.
                if entry.status == Status::Admitted {
                    stands = true;
                    break;
                }
                line.denied_before = true;
            } else if firsts.counts(place, entry) {
                line.before.push(Standing {
                    at_ms: latest,
                    attempts: 1,
                    admitted: entry.status == Status::Admitted,
                });
            }
        }
        line.at_ms = if stands { latest } else { latest.max(now_ms) };
        line.put_in(&log.past().runs);
        line
    }

    fn put_in(&mut self, runs: &[Run]) {
        if runs.is_empty() {
            return;
        }
        self.before.extend(runs.iter().map(|run| Standing {
            at_ms: run.latest_ms,
            attempts: run.count,
            admitted: true,
        }));
        self.before.sort_by_key(|standing| standing.at_ms);
    }

    /// The admitted attempts, the latest first.
    pub(crate) fn latest_admitted(&self) -> impl Iterator<Item = &Standing> {
        self.before
            .iter()
            .rev()
            .filter(|standing| standing.admitted)
    }

    /// The admitted attempts, the earliest first.
    pub(crate) fn admitted(&self) -> impl Iterator<Item = &Standing> {
        self.before.iter().filter(|standing| standing.admitted)
    }
}

/// Tells an attempt's first place that counts from its repeats.
pub(crate) enum Firsts<'l> {
    Few(&'l Log),
    Many(HashMap<ContactKey, Status, BuildHasherDefault<ContactHasher>>),
}

impl<'l> Firsts<'l> {
    pub(crate) fn of(log: &'l Log) -> Self {
        let places = log.places().len();
        if places <= FEW {
            Self::Few(log)
        } else {
            Self::Many(HashMap::with_capacity_and_hasher(
                places,
                BuildHasherDefault::default(),
            ))
        }
    }

    /// To be asked of every entry in turn: whether it counts, given those before it.
    pub(crate) fn counts(&mut self, place: usize, entry: &Entry) -> bool {
        if entry.status == Status::Void {
            return false;
        }
        // A denied attempt does not stand in for an admitted one.
        let covers =
            |earlier: Status| earlier == Status::Admitted || entry.status == Status::Denied;
        match self {
            Self::Few(log) => {
                !log.entries()
                    .take_while(|(other, _)| *other < place)
                    .any(|(_, earlier)| {
                        earlier.contact == entry.contact
                            && earlier.status != Status::Void
                            && covers(earlier.status)
                    })
            }
            Self::Many(seen) => {
                let covered = seen
                    .get(&entry.contact)
                    .is_some_and(|earlier| covers(*earlier));
                if !covered {
                    seen.insert(entry.contact, entry.status);
                }
                !covered
            }
        }
    }
}

/// Contacts are random already, and chosen by Connect: folding their bytes is as good as hashing them.
#[derive(Default)]
pub(crate) struct ContactHasher(u64);

impl Hasher for ContactHasher {
    fn write(&mut self, bytes: &[u8]) {
        for part in bytes.chunks(8) {
            let mut word = [0; 8];
            for (byte, of) in word.iter_mut().zip(part) {
                *byte = *of;
            }
            self.0 = (self.0.rotate_left(29) ^ u64::from_le_bytes(word))
                .wrapping_mul(0x9e37_79b9_7f4a_7c15);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
