//! What the limiter records per attempt.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{is_false, is_true, schema, yes};
use crate::policy::Mode;

/// How an attempt ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    Allowed,
    Denied,
    /// Allowed, but rules in shadow would have denied it.
    WouldDeny,
    Emergency,
    /// The number is exempt: allowed, and not counted.
    Exempt,
    /// The instance is unknown; such attempts are allowed and not recorded.
    Unregistered,
    Suspended,
    /// Not counted in time, and allowed because the policy says so.
    FailedOpen,
    /// Not counted in time, and denied because the policy says so.
    FailedClosed,
}

impl Outcome {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::WouldDeny => "would_deny",
            Self::Emergency => "emergency",
            Self::Exempt => "exempt",
            Self::Unregistered => "unregistered",
            Self::Suspended => "suspended",
            Self::FailedOpen => "failed_open",
            Self::FailedClosed => "failed_closed",
        }
    }

    pub fn is_denied(self) -> bool {
        matches!(self, Self::Denied | Self::FailedClosed)
    }
}

/// What came of ending the contact.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum StopStatus {
    #[default]
    NotNeeded,
    Stopped,
    AlreadyEnded,
    Failed,
}

impl StopStatus {
    fn is_not_needed(&self) -> bool {
        *self == Self::NotNeeded
    }
}

/// What came of telling the agent.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeStatus {
    #[default]
    NotNeeded,
    Sent,
    Failed,
    NoAgent,
    NoFlow,
    /// Could not be sent in time; the control plane sends it.
    Deferred,
    /// The task was made, and the agent's queue had no place for it.
    QueueFull,
    /// The agent takes no tasks.
    NoTaskChannel,
    /// It was not sent while it could have been of use.
    Expired,
}

impl NoticeStatus {
    fn is_not_needed(&self) -> bool {
        *self == Self::NotNeeded
    }
}

/// What one rule found about an attempt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuleRecord {
    pub rule_id: String,
    /// Shadow also where the whole policy is.
    pub mode: Mode,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub applied: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub not_applied_because: Option<String>,
    /// Attempts that stood before this one and counted. Absent where the record was written in the same round as the
    /// count itself: an allowed call that comes near to no limit waits for no second write.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub count: Option<u32>,
    /// How many the rule admits.
    pub limit: u32,
    #[serde(default, skip_serializing_if = "is_false")]
    pub denied: bool,
    /// This attempt, which goes, is the one that came near to the limit.
    #[serde(default, skip_serializing_if = "is_false")]
    pub near: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
}

/// A notice that could not be sent in time, as it is to be sent. The token is the same as that of the attempts before.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeferredNotice {
    pub name: String,
    pub description: String,
    pub attributes: BTreeMap<String, String>,
    pub client_token: String,
}

impl fmt::Debug for DeferredNotice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeferredNotice")
            .field("client_token", &self.client_token)
            .finish_non_exhaustive()
    }
}

/// What is kept of one attempt. The tenant and the instance's id are empty where no policy could be read.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DecisionRecord {
    #[serde(deserialize_with = "schema")]
    pub schema: u32,
    pub instance_arn: String,
    pub instance_id: String,
    pub tenant_id: String,
    pub contact_id: String,
    /// To the millisecond.
    pub at: Timestamp,
    pub outcome: Outcome,
    pub mode: Mode,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rule_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_at: Option<Timestamp>,
    /// E.164, or what was typed where that is no number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub customer_number: Option<String>,
    #[serde(default = "yes", skip_serializing_if = "is_true")]
    pub customer_number_valid: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub caller_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub agent_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub queue_arn: Option<String>,
    pub policy_id: String,
    pub policy_version: u64,
    pub revision: u64,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub rules: Vec<RuleRecord>,
    /// Why it was decided without counting.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unavailable: Option<String>,
    #[serde(default, skip_serializing_if = "StopStatus::is_not_needed")]
    pub stop: StopStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stop_error: Option<String>,
    #[serde(default, skip_serializing_if = "NoticeStatus::is_not_needed")]
    pub notice: NoticeStatus,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_error: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub deferred_notice: Option<DeferredNotice>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task_contact_id: Option<String>,
    pub decided_in_ms: u32,
}

impl fmt::Debug for DecisionRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DecisionRecord")
            .field("instance_id", &self.instance_id)
            .field("contact_id", &self.contact_id)
            .field("at", &self.at)
            .field("outcome", &self.outcome)
            .field("rule_id", &self.rule_id)
            .field("stop", &self.stop)
            .field("notice", &self.notice)
            .finish_non_exhaustive()
    }
}
