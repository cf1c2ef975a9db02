//! What chance decides.

use std::time::Duration;

use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};

use super::{Edit, Event, Loss, Moment, OWN_WHISPERS, Request, Squatter, Whisper};

/// About as many requests as an installation of a few queues makes.
const REQUESTS: u32 = 26;
/// Kinds of edits that [`Dice::edit`] knows.
pub const EDITS: u64 = 20;
/// Ways of losing access, and standing still.
const OTHERS: u64 = 3;

pub struct Dice(StdRng);

impl Dice {
    pub fn of(seed: u64) -> Self {
        Self(StdRng::seed_from_u64(seed))
    }

    pub fn between(&mut self, least: usize, most: usize) -> usize {
        self.0.random_range(least..=most)
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random_bool(probability)
    }

    pub fn whisper(&mut self) -> Whisper {
        match self.between(0, 3) {
            0 => Whisper::None,
            1 => Whisper::Default,
            _ => Whisper::Own(self.own()),
        }
    }

    fn own(&mut self) -> usize {
        self.between(0, OWN_WHISPERS - 1)
    }

    pub fn request(&mut self, queues: usize) -> Request {
        let existing_whisper = match self.between(0, 9) {
            0 | 1 => "refuse",
            2 | 3 => "replace",
            _ => "merge",
        };
        let some: Vec<usize> = (0..queues).filter(|_| self.chance(0.6)).collect();
        let all = some.is_empty() || self.chance(0.6);
        let has_filter = self.chance(0.3);
        Request {
            existing_whisper,
            queues: (!all).then_some(some),
            drift: if self.chance(0.3) { "report" } else { "mend" },
            prefix_filter: if has_filter { &["+1", "+86"] } else { &[] },
            on_limiter_unavailable: if self.chance(0.3) { "deny" } else { "allow" },
        }
    }

    pub fn moment(&mut self) -> Moment {
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

    fn connect_moment(&mut self) -> Moment {
        Moment {
            service: "connect",
            ..self.moment()
        }
    }

    fn kill(&mut self) -> Event {
        match self.between(0, 7) {
            0 | 1 => Event::KillOne(Duration::from_millis(self.0.random_range(50..2500))),
            2 => Event::Stall(self.connect_moment()),
            _ => Event::Kill(self.moment()),
        }
    }

    fn loses_access(&mut self, loss: Loss) -> Event {
        Event::LoseAccess {
            at: self.connect_moment(),
            loss,
        }
    }

    fn edit(&mut self, kind: u64, queues: usize) -> Edit {
        let queue = self.between(0, queues - 1);
        let place = self.between(0, 3);
        match kind {
            0 => Edit::RenameQueue { queue },
            1 => Edit::Repoint {
                queue,
                to: Whisper::Default,
            },
            2 | 3 => Edit::Repoint {
                queue,
                to: Whisper::Own(self.own()),
            },
            4 => Edit::PointAtOurs { queue, place },
            5 => Edit::DeleteOurs(place),
            6 => Edit::RewriteOurs(place),
            7 => Edit::UntagOurs(place),
            8 => Edit::ArchiveOurs(place),
            9 => Edit::RenameOurs(place),
            10 => Edit::Draft(self.between(0, 20)),
            11 => Edit::RewriteOwn(self.own()),
            12 => Edit::DeleteOwn(self.own()),
            13 => Edit::ArchiveOwn(self.own()),
            14 => Edit::BloatOwn(self.own()),
            15 => Edit::RenameDefault,
            16 => Edit::OpenQueue {
                whisper: self.whisper(),
            },
            17 => Edit::CloseQueue { queue },
            18 => Edit::TakePermission,
            _ if self.chance(0.5) => Edit::Squat(Squatter::Whisper),
            _ => Edit::Squat(Squatter::QueueFlow),
        }
    }

    fn edited(&mut self, kind: u64, queues: usize, workers: usize) -> Event {
        Event::Edit {
            edit: self.edit(kind, queues),
            at: self.connect_moment(),
            // Beside a second worker, only a dead one surely does nothing meanwhile.
            kill: workers > 1 || self.chance(0.5),
        }
    }

    fn any_edit(&mut self, queues: usize, workers: usize) -> Event {
        let kind = self.0.random_range(0..EDITS);
        self.edited(kind, queues, workers)
    }

    pub fn removing(&mut self, queues: usize, workers: usize) -> Event {
        match self.between(0, 19) {
            0..=8 => self.any_edit(queues, workers),
            9 => self.loses_access(Loss::ExternalId),
            10 => self.loses_access(Loss::Permission),
            _ => self.kill(),
        }
    }

    pub fn installing(&mut self, queues: usize, workers: usize) -> Event {
        match self.between(0, 14) {
            0..=4 => self.any_edit(queues, workers),
            5 => Event::Ask {
                at: self.moment(),
                request: self.request(queues),
            },
            6 | 7 => Event::Move(self.moment()),
            _ => self.kill(),
        }
    }

    /// What the run of this seed does in any case.
    pub fn in_turn(&mut self, seed: u64, queues: usize, workers: usize) -> Event {
        match seed % (EDITS + OTHERS) {
            0 => self.loses_access(Loss::ExternalId),
            1 => self.loses_access(Loss::Permission),
            2 => Event::Stall(self.connect_moment()),
            edit => self.edited(edit - OTHERS, queues, workers),
        }
    }
}
