//! What one run does: everything that chance decides, decided from a seed. Pure.

mod dice;
#[cfg(test)]
mod tests;
mod walk;

use std::time::Duration;

use dice::Dice;

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
    /// mend, report
    pub drift: &'static str,
    pub prefix_filter: &'static [&'static str],
    /// allow, deny
    pub on_limiter_unavailable: &'static str,
}

impl Request {
    pub fn covers(&self, queue: usize) -> bool {
        self.queues
            .as_ref()
            .is_none_or(|some| some.contains(&queue))
    }

    pub fn denies(&self) -> bool {
        self.on_limiter_unavailable == "deny"
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

/// Of several things alike, `place` counts through those that are there.
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
    /// Another caller id name.
    RenameQueue {
        queue: usize,
    },
    OpenQueue {
        whisper: Whisper,
    },
    CloseQueue {
        queue: usize,
    },
    /// A flow of Ringfence's.
    DeleteOurs(usize),
    /// A whisper of Ringfence's: its content becomes something else.
    RewriteOurs(usize),
    /// A flow of Ringfence's loses its tags.
    UntagOurs(usize),
    ArchiveOurs(usize),
    RenameOurs(usize),
    /// A flow of anybody's gets a draft that nobody publishes.
    Draft(usize),
    /// A whisper of the customer's own says something else.
    RewriteOwn(usize),
    DeleteOwn(usize),
    ArchiveOwn(usize),
    /// It grows until nothing can be put in front of it.
    BloatOwn(usize),
    RenameDefault,
    /// The operator's function does not let the instance in any more.
    TakePermission,
    /// The customer makes a flow of their own under a name of Ringfence's.
    Squat(Squatter),
}

impl Edit {
    pub fn name(&self) -> &'static str {
        match self {
            Self::Repoint { .. } => "queue repointed",
            Self::PointAtOurs { .. } => "queue pointed at ours",
            Self::RenameQueue { .. } => "caller id name changed",
            Self::OpenQueue { .. } => "queue opened",
            Self::CloseQueue { .. } => "queue closed",
            Self::DeleteOurs(_) => "ours deleted",
            Self::RewriteOurs(_) => "ours rewritten",
            Self::UntagOurs(_) => "ours untagged",
            Self::ArchiveOurs(_) => "ours archived",
            Self::RenameOurs(_) => "ours renamed",
            Self::Draft(_) => "draft saved",
            Self::RewriteOwn(_) => "own whisper edited",
            Self::DeleteOwn(_) => "own whisper deleted",
            Self::ArchiveOwn(_) => "own whisper archived",
            Self::BloatOwn(_) => "own whisper unmergeable",
            Self::RenameDefault => "default renamed",
            Self::TakePermission => "permission taken",
            Self::Squat(_) => "name taken",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Squatter {
    Whisper,
    /// Names are unique across the types of flows.
    QueueFlow,
}

impl Squatter {
    /// Name and type of its flow.
    pub fn flow(self) -> (&'static str, &'static str) {
        match self {
            Self::Whisper => ("Ringfence outbound whisper", "OUTBOUND_WHISPER"),
            Self::QueueFlow => ("Ringfence notice", "CUSTOMER_QUEUE"),
        }
    }
}

/// How the installer's role is lost for a while.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loss {
    /// Its trust asks for another external id.
    ExternalId,
    /// It may not set queues any more.
    Permission,
}

impl Loss {
    pub fn name(self) -> &'static str {
        match self {
            Self::ExternalId => "external id changed",
            Self::Permission => "role's permission taken",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// All workers are killed in the middle of a request, and started again.
    Kill(Moment),
    /// One worker is killed after a while, whatever it does.
    KillOne(Duration),
    /// All workers stand still in the middle of a request, others take over, and then the former go on.
    Stall(Moment),
    /// The customer changes something while a request is in the middle.
    Edit { at: Moment, edit: Edit, kill: bool },
    /// The customer's role does not do for a while; what is half-way then ends.
    LoseAccess { at: Moment, loss: Loss },
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
        let mut dice = Dice::of(seed);
        let queues: Vec<Whisper> = (0..dice.between(2, 5)).map(|_| dice.whisper()).collect();
        let count = queues.len();
        let request = dice.request(count);
        let workers = if dice.chance(0.3) { 2 } else { 1 };
        let mut installing: Vec<Event> = (0..dice.between(0, 1))
            .map(|_| dice.installing(count, workers))
            .collect();
        // So that a few runs in a row do everything, whatever the dice say.
        let place = dice.between(0, installing.len());
        installing.insert(place, dice.in_turn(seed, count, workers));
        installing.splice(0..0, walk::installing(seed).map(Event::Kill));
        if dice.chance(0.15) {
            installing.push(Event::Remove(dice.moment()));
        }
        let mut removing = vec![Event::Kill(walk::removing(seed))];
        removing.extend((0..dice.between(0, 2)).map(|_| dice.removing(count, workers)));
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

    /// Whether it ever asks for calls to be denied while the limiter is down.
    pub fn denies(&self) -> bool {
        let asks = |event: &Event| matches!(event, Event::Ask { request, .. } if request.denies());
        self.request.denies() || self.installing.iter().any(asks)
    }
}
