//! Where an attempt stands in a meter's line, and how the kinds of limit count what stands before it.
//!
//! Only what the store put before one's own first reservation counts, so of two attempts at the last place the later one
//! sees the earlier. Time never runs backwards in a line: an entry's time is the latest of its own and all earlier ones.

use crate::attempt::ContactKey;
use crate::limit::Limit;
use crate::meter::{Entry, Log, Status};

/// An invocation ends within this time, so an older reservation has been decided.
const DECIDED_WITHIN_MS: u64 = 10_000;

/// A limit's view of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Count {
    pub(crate) count: u32,
    pub(crate) denied: bool,
    /// The first millisecond at which the limit would admit the next attempt; absent where it would at once. A limit that
    /// counts denied attempts may have none left although it did not deny this one.
    pub(crate) blocks_until_ms: Option<u64>,
    /// Names the stretch of denials that this one belongs to: the same for every redial until the limit admits again.
    pub(crate) stretch_ms: u64,
}

#[derive(Clone, Copy, Debug)]
struct Standing {
    at_ms: u64,
    status: Status,
    contact: ContactKey,
}

impl Standing {
    /// The same attempt delivered twice counts at its first place; a denied one does not stand in for an admitted one.
    fn covers(&self, entry: &Entry) -> bool {
        self.contact == entry.contact
            && (self.status == Status::Admitted || entry.status == Status::Denied)
    }
}

/// What stands before an attempt in one meter, and the time at which it is decided.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    before: Vec<Standing>,
    at_ms: u64,
}

impl Line {
    pub(crate) fn of(log: &Log, contact: ContactKey, now_ms: u64) -> Self {
        let mut before: Vec<Standing> = Vec::with_capacity(log.places().len());
        let mut latest = 0;
        for entry in log.places().iter().flatten() {
            latest = entry.at_ms.max(latest);
            if entry.contact == contact {
                // A former delivery that was denied has been marked; only a reservation is a place in the line.
                if entry.status == Status::Admitted {
                    return Self {
                        before,
                        at_ms: latest,
                    };
                }
                continue;
            }
            if entry.status != Status::Void && !before.iter().any(|earlier| earlier.covers(entry)) {
                before.push(Standing {
                    at_ms: latest,
                    status: entry.status,
                    contact: entry.contact,
                });
            }
        }
        Self {
            before,
            at_ms: latest.max(now_ms),
        }
    }

    /// `enforced`: whether the rule denies what it counts too many of; `own_counts`: whether this attempt will itself
    /// count for rules that count denied attempts.
    pub(crate) fn count(&self, limit: &Limit, enforced: bool, own_counts: bool) -> Count {
        match limit {
            Limit::UntilQuiet {
                block_at,
                quiet_seconds,
            } => self.until_quiet(*block_at, millis(*quiet_seconds), own_counts),
            Limit::Sliding {
                max,
                window_seconds,
            } => self.sliding(*max, millis(*window_seconds), enforced),
            // Drafts refuse these kinds, so no rule has one.
            Limit::ConsecutiveDays { .. } | Limit::Calendar { .. } | Limit::Pace { .. } => Count {
                count: 0,
                denied: false,
                blocks_until_ms: None,
                stretch_ms: self.at_ms,
            },
        }
    }

    fn until_quiet(&self, block_at: u32, quiet_ms: u64, own_counts: bool) -> Count {
        let mut count: u32 = 0;
        let mut later = self.at_ms;
        for entry in self.before.iter().rev() {
            if later.saturating_sub(entry.at_ms) > quiet_ms {
                break;
            }
            count = count.saturating_add(1);
            later = entry.at_ms;
        }
        let denied = count.saturating_add(1) >= block_at;
        let blocks = count
            .saturating_add(1)
            .saturating_add(u32::from(own_counts))
            >= block_at;
        let latest = if own_counts {
            self.at_ms
        } else {
            self.before.last().map_or(self.at_ms, |entry| entry.at_ms)
        };
        Count {
            count,
            denied,
            blocks_until_ms: blocks.then(|| latest.saturating_add(quiet_ms).saturating_add(1)),
            stretch_ms: later,
        }
    }

    fn sliding(&self, max: u32, window_ms: u64, enforced: bool) -> Count {
        let admitted: Vec<u64> = self
            .before
            .iter()
            .filter(|entry| entry.status == Status::Admitted)
            .map(|entry| entry.at_ms)
            .collect();
        let (count, frees_a_place) = within(&admitted, self.at_ms, max, window_ms);
        let Some(free_at_ms) = frees_a_place else {
            return Count {
                count,
                denied: false,
                blocks_until_ms: None,
                stretch_ms: self.at_ms,
            };
        };
        // Denied is denied; but of how long, a crowd of reservations about to be released tells too much.
        let settled = if enforced {
            self.settled(&admitted, max, window_ms)
        } else {
            Vec::new()
        };
        let (count, free_at_ms) = match within(&settled, self.at_ms, max, window_ms) {
            (settled, Some(sooner)) => (settled, sooner),
            (_, None) => (count, free_at_ms),
        };
        Count {
            count,
            denied: true,
            blocks_until_ms: Some(free_at_ms),
            stretch_ms: free_at_ms,
        }
    }

    /// The admitted entries without those that are young and stand beyond the maximum: the rule is denying them just now,
    /// and they have only not been marked yet.
    fn settled(&self, admitted: &[u64], max: u32, window_ms: u64) -> Vec<u64> {
        let mut settled: Vec<u64> = Vec::with_capacity(admitted.len());
        for at_ms in admitted {
            let young = self.at_ms.saturating_sub(*at_ms) < DECIDED_WITHIN_MS;
            let beyond = young && within(&settled, *at_ms, max, window_ms).1.is_some();
            if !beyond {
                settled.push(*at_ms);
            }
        }
        settled
    }
}

/// How many of these times, which ascend, are within the window; and, once they are `max`, when the first place frees.
fn within(times: &[u64], at_ms: u64, max: u32, window_ms: u64) -> (u32, Option<u64>) {
    let mut count: u32 = 0;
    let mut frees_a_place = None;
    for time in times
        .iter()
        .rev()
        .take_while(|time| at_ms.saturating_sub(**time) < window_ms)
    {
        count = count.saturating_add(1);
        if count == max {
            frees_a_place = Some(time.saturating_add(window_ms));
        }
    }
    (count, frees_a_place)
}

fn millis(seconds: u32) -> u64 {
    u64::from(seconds).saturating_mul(1000)
}
