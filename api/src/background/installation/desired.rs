//! What a tenant wants of an installation, and what Ringfence remembers having done. Pure data.

use std::collections::{BTreeMap, BTreeSet};

use crate::domain::installation::{InstallationRequest, QueueState};

/// Which of our flows a flow is.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum FlowKey {
    Notice,
    /// Goes on to "Default outbound", or dials at once where the tenant chose to replace.
    Whisper,
    /// Goes on to this whisper of the customer's.
    WhisperBefore(String),
}

impl FlowKey {
    /// Value of the tag that tells our flows apart.
    #[must_use]
    pub fn tag(&self) -> &'static str {
        match self {
            Self::Notice => "notice",
            Self::Whisper | Self::WhisperBefore(_) => "whisper",
        }
    }

    #[must_use]
    pub fn original_flow_id(&self) -> Option<&str> {
        match self {
            Self::Notice | Self::Whisper => None,
            Self::WhisperBefore(id) => Some(id),
        }
    }

    /// How the key is written in the database.
    #[must_use]
    pub fn as_text(&self) -> String {
        match self {
            Self::Notice => "notice".to_owned(),
            Self::Whisper => "whisper".to_owned(),
            Self::WhisperBefore(id) => format!("whisper:{id}"),
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        match text.split_once(':') {
            Some((tag, original)) => Self::from_parts(tag, Some(original)),
            None => Self::from_parts(text, None),
        }
    }

    #[must_use]
    pub fn from_parts(tag: &str, original_flow_id: Option<&str>) -> Option<Self> {
        match (tag, original_flow_id) {
            ("notice", _) => Some(Self::Notice),
            ("whisper", None) => Some(Self::Whisper),
            ("whisper", Some(id)) => Some(Self::WhisperBefore(id.to_owned())),
            _ => None,
        }
    }
}

/// The installation as it should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desired {
    /// Ringfence's id of the instance, as it stands in tags and statement ids.
    pub instance_id: String,
    pub function_arn: String,
    /// `None`: nothing of ours should be in the instance.
    pub request: Option<InstallationRequest>,
    /// The tenant asked for this state and it was never reached since: what differs is drift only of what has come so far.
    pub fresh: bool,
    /// Every spelling of the emergency numbers.
    pub emergency: Vec<String>,
    /// The customer's function that stops a call about which the limiter gave no answer; none: such calls go out.
    pub fallback_arn: Option<String>,
    /// The limiter function that it comes from, while it moves.
    pub leaving: Option<Leaving>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    pub function_arn: String,
    /// It was seen that no flow calls it any more.
    pub is_repointed: bool,
    /// And so long ago that no call is under way which began before.
    pub calls_ended: bool,
}

/// What Ringfence remembers of a flow that it published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedFlow {
    pub flow_id: String,
    /// Digest of the content that was meant.
    pub content_sha256: String,
    /// The service's digest of what was published, where it gave one.
    pub service_sha256: Option<String>,
    /// Digest of what it does, as last published; none: it was published before that was written down.
    pub actions_sha256: Option<String>,
    /// The same of an update that may have lost its answer.
    pub sending_sha256: Option<String>,
    /// It was as the tenant last asked for.
    pub settled: bool,
    /// We are deleting it, or have done so and never heard of it.
    pub removing: bool,
}

/// What Ringfence remembers of a queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RememberedQueue {
    pub name: String,
    /// The whisper before ours; none means that the queue had none of its own.
    pub previous_flow_id: Option<String>,
    pub attached: bool,
    pub state: QueueState,
    /// It was as the tenant last asked for.
    pub settled: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Remembered {
    pub flows: BTreeMap<FlowKey, RememberedFlow>,
    /// What was ours, by id: queues may name it still.
    pub deleted: BTreeMap<String, FlowKey>,
    pub queues: BTreeMap<String, RememberedQueue>,
    /// The instance was looked at since the tenant last asked.
    pub looked: bool,
    /// Queues, by id, that no look since could read.
    pub unseen: BTreeSet<String>,
    /// The fallback function that the instance may invoke, or was about to be let.
    pub fallback_arn: Option<String>,
    /// It was seen to admit the instance since the tenant last asked.
    pub fallback_settled: bool,
    /// Limiters know the instance as it is now, notice flow included.
    pub published: bool,
    /// Limiters know something of the instance, whether current or not.
    pub known_to_limiters: bool,
}

impl Remembered {
    /// Which of our flows has this id, or had it.
    #[must_use]
    pub fn key_of(&self, flow_id: &str) -> Option<&FlowKey> {
        self.flows
            .iter()
            .find(|(_, flow)| flow.flow_id == flow_id)
            .map(|(key, _)| key)
            .or_else(|| self.deleted.get(flow_id))
    }

    /// A pass has seen it where it was to be, or told that somebody changed that.
    #[must_use]
    pub fn was_settled(&self, queue_id: &str) -> bool {
        let queue = self.queues.get(queue_id);
        queue.is_some_and(|queue| queue.settled || queue.state != QueueState::Pending)
    }

    #[must_use]
    pub fn is_attached(&self, queue_id: &str) -> bool {
        self.queues
            .get(queue_id)
            .is_some_and(|queue| queue.attached)
    }
}
