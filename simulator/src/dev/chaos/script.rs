//! What one run does: everything that chance decides, decided from a seed. Pure.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

/// The whisper that the customer gives a queue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whisper {
    None,
    Default,
    /// One of the customer's own.
    Own(usize),
}

pub const OWN_WHISPERS: usize = 2;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// refuse, merge, replace
    pub existing_whisper: &'static str,
    /// Which queues by place; `None`: all.
    pub queues: Option<Vec<usize>>,
}

impl Request {
    pub fn covers(&self, queue: usize) -> bool {
        self.queues
            .as_ref()
            .is_none_or(|some| some.contains(&queue))
    }
}

/// A request of the workers to a service, counted from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Moment {
    pub service: &'static str,
    pub skip: u32,
    /// After it took effect, its answer not yet sent; or before.
    pub performed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Edit {
    Repoint {
        queue: usize,
        to: Whisper,
    },
    /// At one of Ringfence's own whispers, the one of this place.
    PointAtOurs {
        queue: usize,
        place: usize,
    },
    Rename {
        queue: usize,
    },
    /// Of Ringfence's flows, the one of this place.
    DeleteOurs(usize),
    /// Its content becomes something else.
    RewriteOurs(usize),
    /// The customer makes a flow of their own under a name of Ringfence's.
    Squat,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// All workers are killed in the middle of a request, and started again.
    Kill(Moment),
    /// One worker is killed after a while, whatever it does.
    KillOne(Duration),
    /// The customer changes a queue while a request is in the middle.
    Edit { at: Moment, edit: Edit, kill: bool },
    /// The tenant asks for something else meanwhile.
    Ask { at: Moment, request: Request },
    /// The tenant asks for everything to go, half-way.
    Remove(Moment),
    /// The operator moves the instance to another limiter function meanwhile.
    Move(Moment),
}

#[derive(Debug, Clone)]
pub struct Script {
    pub seed: u64,
    pub queues: Vec<Whisper>,
    pub request: Request,
    pub workers: usize,
    pub with_faults: bool,
    pub installing: Vec<Event>,
    pub removing: Vec<Event>,
}

impl Script {
    pub fn from_seed(seed: u64) -> Self {
        let mut dice = Dice(StdRng::seed_from_u64(seed));
        let queues: Vec<Whisper> = (0..dice.between(2, 5)).map(|_| dice.whisper()).collect();
        let count = queues.len();
        let request = dice.request(count);
        let workers = if dice.chance(0.3) { 2 } else { 1 };
        let mut installing = Vec::new();
        for _ in 0..dice.between(1, 4) {
            let event = dice.installing(count, workers);
            let is_last = matches!(event, Event::Remove(_));
            installing.push(event);
            if is_last {
                break;
            }
        }
        let removing = (0..dice.between(1, 3))
            .map(|_| dice.removing(count, workers))
            .collect();
        Self {
            seed,
            queues,
            request,
            workers,
            with_faults: dice.chance(0.7),
            installing,
            removing,
        }
    }
}

/// About as many requests as an installation of a few queues makes.
const REQUESTS: u32 = 26;

struct Dice(StdRng);

impl Dice {
    fn between(&mut self, least: usize, most: usize) -> usize {
        self.0.random_range(least..=most)
    }

    fn chance(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    fn whisper(&mut self) -> Whisper {
        match self.between(0, 3) {
            0 => Whisper::None,
            1 => Whisper::Default,
            _ => self.own(),
        }
    }

    fn own(&mut self) -> Whisper {
        Whisper::Own(self.between(0, OWN_WHISPERS - 1))
    }

    fn request(&mut self, queues: usize) -> Request {
        let existing_whisper = match self.between(0, 9) {
            0 | 1 => "refuse",
            2 | 3 => "replace",
            _ => "merge",
        };
        let some: Vec<usize> = (0..queues).filter(|_| self.chance(0.6)).collect();
        let all = some.is_empty() || self.chance(0.6);
        Request {
            existing_whisper,
            queues: (!all).then_some(some),
        }
    }

    fn moment(&mut self) -> Moment {
        let service = match self.between(0, 9) {
            0 => "lambda",
            1 => "dynamodb",
            _ => "connect",
        };
        let skip = match service {
            "connect" => self.0.random_range(0..REQUESTS),
            _ => self.0.random_range(0..2),
        };
        Moment {
            service,
            skip,
            performed: self.chance(0.5),
        }
    }

    fn kill(&mut self) -> Event {
        if self.chance(0.25) {
            Event::KillOne(Duration::from_millis(self.0.random_range(50..2500)))
        } else {
            Event::Kill(self.moment())
        }
    }

    /// Of the first so many kinds of edits.
    fn edit(&mut self, queues: usize, workers: usize, kinds: usize) -> Event {
        let queue = self.between(0, queues - 1);
        let edit = match self.between(0, kinds) {
            3 => Edit::DeleteOurs(self.between(0, 3)),
            4 => Edit::PointAtOurs {
                queue,
                place: self.between(0, 3),
            },
            5 => Edit::RewriteOurs(self.between(0, 3)),
            6 => Edit::Squat,
            0 => Edit::Rename { queue },
            1 => Edit::Repoint {
                queue,
                to: Whisper::Default,
            },
            _ => Edit::Repoint {
                queue,
                to: self.own(),
            },
        };
        let at = Moment {
            service: "connect",
            ..self.moment()
        };
        // Beside a second worker, only a dead one surely does nothing meanwhile.
        let kill = workers > 1 || self.chance(0.5);
        Event::Edit { at, edit, kill }
    }

    fn removing(&mut self, queues: usize, workers: usize) -> Event {
        if self.chance(0.4) {
            self.edit(queues, workers, 4)
        } else {
            self.kill()
        }
    }

    fn installing(&mut self, queues: usize, workers: usize) -> Event {
        match self.between(0, 14) {
            0..=3 => self.edit(queues, workers, 6),
            4 => Event::Ask {
                at: self.moment(),
                request: self.request(queues),
            },
            5 => Event::Remove(self.moment()),
            6 | 7 => Event::Move(self.moment()),
            _ => self.kill(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_tells_the_whole_script() {
        for seed in 0..50 {
            let (once, again) = (Script::from_seed(seed), Script::from_seed(seed));
            assert_eq!(format!("{once:?}"), format!("{again:?}"));
        }
    }

    #[test]
    fn two_hundred_scripts_do_everything() {
        let scripts: Vec<Script> = (0..200).map(Script::from_seed).collect();
        let events = || scripts.iter().flat_map(|script| &script.installing);
        assert!(events().any(|event| matches!(event, Event::KillOne(_))));
        assert!(events().any(|event| matches!(event, Event::Ask { .. })));
        assert!(events().any(|event| matches!(event, Event::Remove(_))));
        assert!(events().any(|event| matches!(event, Event::Move(_))));
        for kind in [Edit::DeleteOurs(0), Edit::RewriteOurs(0), Edit::Squat] {
            let kind = std::mem::discriminant(&kind);
            let there = |event: &Event| matches!(event, Event::Edit { edit, .. } if std::mem::discriminant(edit) == kind);
            assert!(events().any(there));
        }
        let removing = || scripts.iter().flat_map(|script| &script.removing);
        let edited = |is_it: fn(&Edit) -> bool| {
            removing().any(|event| matches!(event, Event::Edit { edit, .. } if is_it(edit)))
        };
        assert!(edited(|edit| matches!(edit, Edit::Repoint { .. })));
        assert!(edited(|edit| matches!(edit, Edit::PointAtOurs { .. })));
        assert!(edited(|edit| matches!(edit, Edit::DeleteOurs(_))));
        for performed in [false, true] {
            for service in ["connect", "lambda", "dynamodb"] {
                let there = |event: &Event| matches!(event, Event::Kill(at) if at.service == service && at.performed == performed);
                assert!(events().any(there), "{service} {performed}");
            }
            let edited =
                |event: &Event| matches!(event, Event::Edit { kill, .. } if *kill == performed);
            assert!(events().any(edited), "edit, kill {performed}");
        }
        assert!(scripts.iter().any(|script| script.workers == 2));
        assert!(scripts.iter().any(|script| !script.with_faults));
    }
}
