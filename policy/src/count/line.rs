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

/// For which kinds of limit an entry counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Counts {
    /// For all that count what was admitted.
    pub(crate) admitted: bool,
    /// For `until_quiet`, which counts denied attempts too.
    pub(crate) tried: bool,
}

impl Counts {
    pub(crate) const NOTHING: Self = Self {
        admitted: false,
        tried: false,
    };

    pub(crate) fn anything(self) -> bool {
        self.admitted || self.tried
    }
}

/// Attempts that count from the same time on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Standing {
    pub(crate) at_ms: u64,
    pub(crate) attempts: u32,
    pub(crate) counts: Counts,
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
                if entry.status.is_held() {
                    stands = true;
                    break;
                }
                line.denied_before = true;
                continue;
            }
            let counts = firsts.counts(place, entry, latest);
            if counts.anything() {
                line.before.push(Standing {
                    at_ms: firsts.stands_since(place, entry).unwrap_or(latest),
                    attempts: 1,
                    counts,
                });
            }
        }
        line.at_ms = if stands { latest } else { latest.max(now_ms) };
        line.put_in(&log.past().runs);
        line
    }

    fn put_in(&mut self, runs: &[Run]) {
        if runs.is_empty() && self.before.is_sorted_by_key(|standing| standing.at_ms) {
            return;
        }
        self.before.extend(runs.iter().map(|run| Standing {
            at_ms: run.latest_ms,
            attempts: run.count,
            // What a series needs is still in the log.
            counts: Counts {
                admitted: true,
                tried: false,
            },
        }));
        self.before.sort_by_key(|standing| standing.at_ms);
    }

    /// The admitted attempts, the earliest first.
    pub(crate) fn admitted(&self) -> impl DoubleEndedIterator<Item = &Standing> {
        self.before
            .iter()
            .filter(|standing| standing.counts.admitted)
    }

    /// The attempts, denied ones too, the earliest first.
    pub(crate) fn tried(&self) -> impl DoubleEndedIterator<Item = &Standing> {
        self.before.iter().filter(|standing| standing.counts.tried)
    }
}

/// Tells an attempt's first place that counts from its repeats.
pub(crate) struct Firsts<'l> {
    log: &'l Log,
    /// Of long logs, what stood before in each contact's name.
    seen: Option<HashMap<ContactKey, Before, BuildHasherDefault<ContactHasher>>>,
}

/// What stands before an entry in its contact's name.
#[derive(Clone, Copy, Debug, Default)]
struct Before {
    admitted: bool,
    tried: bool,
    /// The time of the first place that was released for good.
    released_ms: Option<u64>,
}

impl Before {
    fn and(self, entry: &Entry, counts: Counts, at_ms: u64) -> Self {
        let released = entry.status.is_released_for_good();
        Self {
            admitted: self.admitted || counts.admitted,
            tried: self.tried || counts.tried,
            released_ms: self.released_ms.or_else(|| released.then_some(at_ms)),
        }
    }
}

impl<'l> Firsts<'l> {
    pub(crate) fn of(log: &'l Log) -> Self {
        let places = log.places().len();
        let seen = (places > FEW)
            .then(|| HashMap::with_capacity_and_hasher(places, BuildHasherDefault::default()));
        Self { log, seen }
    }

    /// To be asked of every entry in turn, with its time: what it counts for, given those before it.
    pub(crate) fn counts(&mut self, place: usize, entry: &Entry, at_ms: u64) -> Counts {
        let log = self.log;
        let Some(seen) = &mut self.seen else {
            return weighed(log, place, entry, few_before(log, place, entry.contact));
        };
        let before = seen.entry(entry.contact).or_default();
        let counts = weighed(log, place, entry, *before);
        *before = before.and(entry, counts, at_ms);
        counts
    }

    /// Since when an entry counts that was just asked about, where that is not its own time: a repeated delivery counts where the
    /// first one stood, also while only the first one's place has been released. So a release never makes more count than before.
    fn stands_since(&self, place: usize, entry: &Entry) -> Option<u64> {
        if entry.status != Status::Admitted {
            return None;
        }
        match &self.seen {
            Some(seen) => seen.get(&entry.contact)?.released_ms,
            None => few_before(self.log, place, entry.contact).released_ms,
        }
    }
}

fn few_before(log: &Log, place: usize, contact: ContactKey) -> Before {
    let mut before = Before::default();
    let mut latest = log.past().paced_until_ms;
    for (other, entry) in log.entries().take_while(|(other, _)| *other < place) {
        latest = latest.max(entry.at_ms);
        if entry.contact == contact {
            before = before.and(entry, weighed(log, other, entry, before), latest);
        }
    }
    before
}

/// A contact's denied place does not stand in for its admission, but it is the same attempt.
fn weighed(log: &Log, place: usize, entry: &Entry, before: Before) -> Counts {
    let admitted = match entry.status {
        Status::Void | Status::VoidAlone => return Counts::NOTHING,
        Status::Admitted if before.released_ms.is_some() && came_late(log, place, entry) => {
            return Counts::NOTHING;
        }
        Status::Denied | Status::DeniedAlone => false,
        Status::Admitted | Status::Charged => !before.admitted,
    };
    Counts {
        admitted,
        tried: !before.tried,
    }
}

/// Whether the same delivery, which is known by its time, had been released by then: the store took this one late, and
/// nobody knows of it.
fn came_late(log: &Log, place: usize, entry: &Entry) -> bool {
    let mut earlier = log.entries().take_while(|(other, _)| *other < place);
    earlier.any(|(_, earlier)| {
        earlier.status.is_released_for_good()
            && (earlier.contact, earlier.at_ms) == (entry.contact, entry.at_ms)
    })
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
