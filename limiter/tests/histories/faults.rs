//! What happens to a request between a limiter and the store: drawn from the history's seed and from what the request
//! is about, so that a history run again meets the same troubles.

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use crate::history::Contact;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trouble {
    Refused(u16, &'static str),
    /// The connection is cut and nothing was done.
    Cut,
    /// Done, and the connection cut before the answer.
    AnswerLost,
    /// The connection is cut at once, and what was asked for is done after so many milliseconds all the same.
    CarriedOutLate(u64),
    /// The process is killed before this is done.
    KilledBefore,
    /// Done, and the process killed before it hears of it.
    KilledAfter,
}

/// What of the store is out of reach for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outage {
    All,
    /// Decision records cannot be written.
    Records,
}

#[derive(Clone, Copy, Debug, Default)]
pub struct Fate {
    pub delay_before_ms: u64,
    pub delay_after_ms: u64,
    pub trouble: Option<Trouble>,
}

/// How much goes wrong in a history, in thousandths of requests.
#[derive(Clone, Copy, Debug, Default)]
pub struct Profile {
    pub seed: u64,
    pub delayed: u32,
    pub troubled: u32,
    pub killed: u32,
    /// Of contacts, rather than requests.
    pub unstoppable: u32,
}

/// The SDK asks three times; two troubles with one request stay hidden from the limiter.
const HIDDEN: u32 = 2;

impl Profile {
    /// `identity` says what a request does to what; `occurrence` counts those before it that said the same.
    pub fn fate(&self, identity: &str, occurrence: u32, of_a_contact: bool) -> Fate {
        let mut dice = self.dice(identity, occurrence);
        let mut fate = Fate::default();
        if dice.random_ratio(self.delayed, 1000) {
            fate.delay_before_ms = dice.random_range(0..12);
            fate.delay_after_ms = dice.random_range(0..6);
        }
        if occurrence == 0 && of_a_contact && dice.random_ratio(self.killed, 1000) {
            let before = dice.random();
            fate.trouble = Some(if before {
                Trouble::KilledBefore
            } else {
                Trouble::KilledAfter
            });
        } else if occurrence < HIDDEN && dice.random_ratio(self.troubled, 1000) {
            fate.trouble = Some(match dice.random_range(0..7) {
                0 => Trouble::Refused(500, "InternalServerError"),
                1 => Trouble::Refused(400, "ThrottlingException"),
                2 => Trouble::Cut,
                3 | 4 => Trouble::CarriedOutLate(dice.random_range(1..150)),
                _ => Trouble::AnswerLost,
            });
        }
        fate
    }

    /// What Connect says to a stop; nothing if it obeys.
    pub fn stop_refusal(&self, contact: Contact, occurrence: u32) -> Option<(u16, &'static str)> {
        let mut dice = self.dice(&format!("stop {contact}"), 0);
        if !dice.random_ratio(self.unstoppable, 1000) {
            return None;
        }
        match dice.random_range(0..4) {
            0 if occurrence == 0 => Some((429, "TooManyRequestsException")),
            0 => None,
            1 => Some((410, "ContactNotFoundException")),
            _ => Some((403, "AccessDeniedException")),
        }
    }

    fn dice(&self, identity: &str, occurrence: u32) -> StdRng {
        let mixed = identity.bytes().fold(self.seed, |mixed, byte| {
            (mixed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        StdRng::seed_from_u64(mixed.wrapping_add(u64::from(occurrence)))
    }
}
