//! What is to happen in a history, made up from its seed: policies, who dials when and through which process, what is
//! delivered twice, and how much goes wrong.

use jiff::Timestamp;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;
use rand::{RngExt, SeedableRng};

use crate::faults::{Outage, Profile};
use crate::history::Contact;
use crate::invented::{self, Size};
use crate::lists::Entry;
use crate::rules::{Dialled, Policy};

/// Connect repeats an invocation within seconds.
const REPEATED_WITHIN_MS: i64 = 12_000;
/// An invocation is over by then; so nothing stays under way while more time than this goes by.
const UNDER_WAY_MS: i64 = 3_000;
/// How far a host's clock may be off.
const SKEW_MS: i64 = 2_000;

#[derive(Clone, Debug)]
pub struct Dial {
    pub contact: Contact,
    pub dialled: Dialled,
    pub process: usize,
    /// What this process's clock is off by, just now.
    pub skew_ms: i64,
}

#[derive(Clone, Debug)]
pub enum Step {
    Dial(Dial),
    /// Time goes by.
    Pass(i64),
    /// Everything under way comes to its end.
    Settle,
    Publish(usize),
    /// A customer's number is put on a list, or taken off.
    List {
        customer: u8,
        entry: Option<Entry>,
    },
    Kill(usize),
    Outage(Option<Outage>),
    Calm,
    /// Fresh contacts dial, one after another, until one is denied.
    Probe {
        first: Dial,
        at_most: u64,
    },
}

#[derive(Clone, Debug)]
pub struct Program {
    pub seed: u64,
    pub starts_ms: i64,
    pub policies: Vec<Policy>,
    pub steps: Vec<Step>,
    pub profile: Profile,
    pub instances: u8,
    pub customers: u8,
}

/// How a history's world is furnished.
struct Cast {
    instances: u8,
    customers: u8,
    callers: u8,
    others: u8,
    processes: usize,
    skews: Vec<i64>,
    jumps: bool,
}

struct Author {
    dice: StdRng,
    size: Size,
    cast: Cast,
    /// Numbers are listed meanwhile.
    lists: bool,
    /// When the latest entry of a list ends, if it does.
    expires_ms: Option<i64>,
    steps: Vec<Step>,
    now_ms: i64,
    /// Time gone by since everything was settled.
    unsettled_ms: i64,
    contacts: Contact,
    /// To be delivered again; with the time of the first delivery.
    again: Vec<(Dial, i64)>,
}

impl Program {
    pub fn of(seed: u64, processes: usize) -> Self {
        let mut dice = StdRng::seed_from_u64(seed);
        let starts_ms = invented::start(&mut dice);
        let size = Size::draw(&mut dice);
        let cast = Cast::invent(&mut dice, processes, size);
        let policies = invented::policies(&mut dice, size);
        let profile = profile(seed, &mut dice);
        let (instances, customers) = (cast.instances, cast.customers);
        let lists = policies.iter().any(|policy| policy.reads_lists);
        let mut author = Author {
            dice,
            size,
            cast,
            lists,
            expires_ms: None,
            steps: Vec::new(),
            now_ms: starts_ms,
            unsettled_ms: 0,
            contacts: 0,
            again: Vec::new(),
        };
        author.write(&policies);
        Self {
            seed,
            starts_ms,
            policies,
            steps: author.steps,
            profile,
            instances,
            customers,
        }
    }
}

fn profile(seed: u64, dice: &mut StdRng) -> Profile {
    let sometimes = |dice: &mut StdRng, often: f64, most: u32| {
        if dice.random_bool(often) {
            dice.random_range(1..=most)
        } else {
            0
        }
    };
    Profile {
        seed,
        delayed: sometimes(dice, 0.8, 400),
        troubled: sometimes(dice, 0.5, 80),
        killed: sometimes(dice, 0.3, 80),
        unstoppable: sometimes(dice, 0.3, 250),
    }
}

impl Cast {
    fn invent(dice: &mut StdRng, processes: usize, size: Size) -> Self {
        let crowded = size != Size::Usual;
        let skewed = dice.random_bool(0.5);
        let skews = (0..processes).map(|_| {
            if skewed {
                dice.random_range(-SKEW_MS..=SKEW_MS)
            } else {
                0
            }
        });
        let skews = skews.collect();
        Self {
            instances: if !crowded && dice.random_bool(0.3) {
                2
            } else {
                1
            },
            customers: if crowded { 1 } else { dice.random_range(1..=3) },
            callers: if crowded { 1 } else { dice.random_range(1..=2) },
            others: if crowded { 1 } else { dice.random_range(1..=2) },
            processes,
            skews,
            jumps: skewed && dice.random_bool(0.3),
        }
    }
}

impl Author {
    fn write(&mut self, policies: &[Policy]) {
        let mut current = 0;
        self.steps.push(Step::Publish(0));
        let rounds = self.size.rounds(&mut self.dice);
        let outage_in = self
            .dice
            .random_bool(0.1)
            .then(|| self.dice.random_range(0..rounds));
        for round in 0..rounds {
            if outage_in == Some(round) {
                let out = *[Outage::All, Outage::Records]
                    .choose(&mut self.dice)
                    .unwrap();
                self.steps.push(Step::Outage(Some(out)));
            }
            if self.lists && self.dice.random_bool(0.6) {
                self.list();
            }
            self.round();
            if outage_in == Some(round) {
                self.settle();
                self.steps.push(Step::Outage(None));
            }
            if current + 1 < policies.len() && self.dice.random_bool(0.4) {
                current += 1;
                self.steps.push(Step::Publish(current));
            }
            if self.dice.random_bool(0.03) {
                let process = self.dice.random_range(0..self.cast.processes);
                self.steps.push(Step::Kill(process));
            }
            let ms = self.between_rounds(&policies[current]);
            self.pass(ms);
            self.repeat();
        }
        self.end(&policies[current]);
    }

    /// In a crowd there is more to see when most of it stays within the window.
    fn between_rounds(&mut self, policy: &Policy) -> i64 {
        let left_ms = self.expires_ms.map_or(0, |at_ms| at_ms - self.now_ms);
        if left_ms > 0 && self.dice.random_bool(0.4) {
            return left_ms + self.dice.random_range(-1..=1);
        }
        if self.size == Size::Usual || self.dice.random_bool(0.1) {
            invented::pause(&mut self.dice, policy, self.now_ms)
        } else {
            self.dice.random_range(0..30_000)
        }
    }

    /// Some dial at once, or one after another.
    fn round(&mut self) {
        let together = self.size != Size::Usual || self.dice.random_bool(0.6);
        for _ in 0..self.size.dials(&mut self.dice) {
            let dial = self.dial();
            self.steps.push(Step::Dial(dial.clone()));
            if self.dice.random_bool(0.25) {
                if together && self.dice.random_bool(0.5) {
                    let process = self.dice.random_range(0..self.cast.processes);
                    self.deliver_again(dial, process);
                } else {
                    self.again.push((dial, self.now_ms));
                }
            }
            if self.lists && self.dice.random_bool(0.2) {
                self.list();
            }
            if !together {
                self.settle();
                if self.dice.random_bool(0.5) {
                    let ms = self.dice.random_range(0..1500);
                    self.pass(ms);
                }
            } else if self.dice.random_bool(0.3) {
                let ms = self.dice.random_range(0..200);
                self.pass(ms);
            }
        }
    }

    fn list(&mut self) {
        let customer = self.dice.random_range(0..self.cast.customers);
        let entry = invented::entry(&mut self.dice, self.now_ms);
        self.expires_ms = entry.and_then(|entry| entry.expires_at_ms);
        self.steps.push(Step::List { customer, entry });
    }

    fn end(&mut self, policy: &Policy) {
        self.steps.push(Step::Calm);
        self.settle();
        let ms = invented::pause(&mut self.dice, policy, self.now_ms);
        self.pass(ms);
        self.repeat();
        self.settle();
        for _ in 0..self.dice.random_range(1..=2) {
            let first = self.dial();
            let at_most = self.dice.random_range(4..=8);
            self.contacts += at_most;
            self.steps.push(Step::Probe { first, at_most });
        }
    }

    fn dial(&mut self) -> Dial {
        self.contacts += 1;
        let process = self.dice.random_range(0..self.cast.processes);
        let dialled = Dialled {
            instance: self.dice.random_range(0..self.cast.instances),
            customer: self.dice.random_range(0..self.cast.customers),
            caller_id: self.dice.random_range(0..self.cast.callers),
            agent: self.dice.random_range(0..self.cast.others),
            queue: self.dice.random_range(0..self.cast.others),
            campaign: self.dice.random_range(0..self.cast.others),
        };
        let skew_ms = self.skew(process);
        Dial {
            contact: self.contacts,
            dialled,
            process,
            skew_ms,
        }
    }

    fn skew(&mut self, process: usize) -> i64 {
        if self.cast.jumps && self.dice.random_bool(0.2) {
            return self.dice.random_range(-SKEW_MS..=SKEW_MS);
        }
        self.cast.skews[process]
    }

    fn deliver_again(&mut self, dial: Dial, process: usize) {
        let skew_ms = self.skew(process);
        self.steps.push(Step::Dial(Dial {
            process,
            skew_ms,
            ..dial
        }));
    }

    /// What is due again and not too late for it; once in a while also what is.
    fn repeat(&mut self) {
        for (dial, first_ms) in std::mem::take(&mut self.again) {
            let late = self.now_ms - first_ms > REPEATED_WITHIN_MS;
            if !late || self.dice.random_bool(0.2) {
                let elsewhere = (0..self.cast.processes).collect::<Vec<_>>();
                let process = *elsewhere.choose(&mut self.dice).unwrap();
                self.deliver_again(dial, process);
            }
        }
    }

    fn settle(&mut self) {
        self.steps.push(Step::Settle);
        self.unsettled_ms = 0;
    }

    fn pass(&mut self, ms: i64) {
        if self.unsettled_ms + ms > UNDER_WAY_MS {
            self.settle();
        }
        self.unsettled_ms += ms;
        self.now_ms += ms;
        self.steps.push(Step::Pass(ms));
        debug_assert!(Timestamp::from_millisecond(self.now_ms).is_ok());
    }
}
