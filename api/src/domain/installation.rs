//! An installation's state and conditions. Words here are the words of the API and of the database.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::words::words;

words! {
    /// Where an installation stands.
    InstallationState {
        Pending => "pending",
        Installing => "installing",
        Installed => "installed",
        /// Something keeps it from going on until somebody acts; the conditions say what.
        Blocked => "blocked",
        Uninstalling => "uninstalling",
        Uninstalled => "uninstalled",
    }
}

words! {
    ConditionType {
        ShardAssigned => "ShardAssigned",
        PermissionGranted => "PermissionGranted",
        FlowsInstalled => "FlowsInstalled",
        QueuesAttached => "QueuesAttached",
        /// The roles can be used, and permit all that is needed.
        ConnectionHealthy => "ConnectionHealthy",
        /// All of the others.
        Ready => "Ready",
    }
}

words! {
    ConditionStatus {
        True => "true",
        False => "false",
        Unknown => "unknown",
    }
}

words! {
    /// Where a queue stands.
    QueueState {
        Pending => "pending",
        Attached => "attached",
        Refused => "refused",
        Restored => "restored",
        LeftAlone => "left_alone",
    }
}

words! {
    /// What happens to a queue that has a whisper of its own.
    ExistingWhisper {
        Refuse => "refuse",
        Merge => "merge",
        Replace => "replace",
    }
}

words! {
    /// What happens when somebody changed what was installed.
    Drift {
        Mend => "mend",
        Report => "report",
    }
}

words! {
    /// What becomes of a call about which the limiter gave no answer.
    OnLimiterUnavailable {
        Allow => "allow",
        /// The fallback function in the customer's account stops it.
        Deny => "deny",
    }
}

words! {
    StepStatus {
        Pending => "pending",
        Done => "done",
        Failed => "failed",
    }
}

/// The queues that an installation covers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum QueueSelection {
    /// Every standard queue, those made later too.
    All,
    Only(BTreeSet<String>),
}

impl QueueSelection {
    #[must_use]
    pub fn covers(&self, queue_id: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(ids) => ids.contains(queue_id),
        }
    }
}

/// What a tenant asked of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstallationRequest {
    pub queues: QueueSelection,
    pub existing_whisper: ExistingWhisper,
    pub drift: Drift,
    /// Beginnings of customer numbers; only such calls are the limiter's. Empty: all calls.
    pub prefix_filter: BTreeSet<String>,
    pub on_limiter_unavailable: OnLimiterUnavailable,
}

/// One thing that is true, false or not known of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    pub kind: ConditionType,
    pub status: ConditionStatus,
    /// For programs.
    pub reason: String,
    /// For people: what it means and what to do.
    pub message: String,
    pub last_transition_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_reads_back_as_what_it_was_written_from() {
        for state in InstallationState::ALL {
            assert_eq!(InstallationState::parse(state.as_str()), Some(state));
        }
        for kind in ConditionType::ALL {
            assert_eq!(ConditionType::parse(kind.as_str()), Some(kind));
        }
        assert_eq!(ConditionStatus::parse("True"), None);
    }
}
