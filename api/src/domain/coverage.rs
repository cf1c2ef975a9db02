//! What is known of whom agents can dial from: facts of Amazon Connect, each with the time at which it was read.

use jiff::Timestamp;

use super::words::words;

words! {
    /// Calls that no whisper of a queue sees or stops.
    WayRoundKind {
        ExternalTransfers => "external_transfers",
        TransferBlocks => "transfer_blocks",
        ApiCalls => "api_calls",
        QueuedCallbacks => "queued_callbacks",
        Campaigns => "campaigns",
        EmergencyNumbers => "emergency_numbers",
        PrefixFilter => "prefix_filter",
        LimiterUnavailable => "limiter_unavailable",
    }
}

/// How far reading has come.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reading {
    /// When somebody last wished for one. Before `began_at`: the one under way serves it. Not before `computed_at`: none
    /// has yet.
    pub asked_at: Option<Timestamp>,
    /// Of the one under way.
    pub began_at: Option<Timestamp>,
    /// When it had listed profiles and queues.
    pub listed_at: Option<Timestamp>,
    /// Permissions that it lacked so far.
    pub refused: Vec<String>,
    /// Why it does not go on for the moment; empty: it does.
    pub problem: String,
    /// Failures in a row.
    pub attempts: u32,
    /// When the last whole one ended.
    pub computed_at: Option<Timestamp>,
    /// Another is to be, sooner or later.
    pub is_due: bool,
    /// Permissions that the last whole one lacked.
    pub missing_permissions: Vec<String>,
}

impl Reading {
    /// One goes on, or is about to: the first, or one that is wished for.
    #[must_use]
    pub fn is_under_way(&self) -> bool {
        self.is_due
            && (self.began_at.is_some()
                || self.computed_at.is_none()
                || self.asked_at >= self.computed_at)
    }
}

/// A routing profile and the queues that it names, whether or not they are standard ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialProfile {
    pub id: String,
    pub name: String,
    /// The queue that its agents dial from unless they choose another.
    pub default_queue_id: Option<String>,
    /// Those that its agents' programs may choose.
    pub queue_ids: Vec<String>,
    pub read_at: Option<Timestamp>,
}

impl DialProfile {
    /// Every queue that its agents can dial from, each once.
    pub fn queues(&self) -> impl Iterator<Item = &String> {
        let default = self.default_queue_id.as_ref();
        let further = self.queue_ids.iter();
        default
            .into_iter()
            .chain(further.filter(move |id| Some(*id) != default))
    }
}

/// What Connect told of a routing profile; none: it refused to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProfileAnswer {
    /// A profile may have no default queue.
    pub default_queue_id: Option<Option<String>>,
    pub queue_ids: Option<Vec<String>>,
}

/// A standard queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DialQueue {
    pub id: String,
    pub name: String,
    /// What it ran when that was last read; none: nothing of its own, or it was never read.
    pub whisper_flow_id: Option<String>,
    /// When its whisper was.
    pub read_at: Option<Timestamp>,
}
