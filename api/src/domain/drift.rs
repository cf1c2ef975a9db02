//! Drift: what differs from what was installed because somebody else changed it. Pure.

use super::words::words;

words! {
    DriftKind {
        FlowEdited => "flow_edited",
        FlowDeleted => "flow_deleted",
        /// A queue that ran our whisper runs another one.
        QueueRepointed => "queue_repointed",
        /// A queue was made since, and all are to be covered.
        QueueNotCovered => "queue_not_covered",
        /// The limiter function, or the fallback function, no longer lets the instance in.
        PermissionRemoved => "permission_removed",
        /// A role cannot be assumed any more: it, its trust or its external id was changed. AWS tells no more than that.
        RoleRefused => "role_refused",
        /// A role was changed: it lacks a permission.
        RolePermissionLost => "role_permission_lost",
        /// A role was changed: it can be assumed without the external id.
        ExternalIdNotEnforced => "external_id_not_enforced",
        /// Whatever else keeps the roles from doing what they must.
        AccessLost => "access_lost",
    }
}

/// One difference that somebody else made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub kind: DriftKind,
    /// What it is about, for programs: a flow's key, a queue's id, a fallback function's ARN, or nothing.
    pub target: String,
    /// The same for people.
    pub name: String,
    /// Whether it is being mended; otherwise it is only told.
    pub mended: bool,
}

impl DriftKind {
    /// Everything that a look at the instance shows. Whether the roles serve is known without one.
    pub fn of_instances() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| !kind.is_of_access())
    }

    /// What keeps a queue from running ours.
    pub const OF_QUEUES: [Self; 2] = [Self::QueueRepointed, Self::QueueNotCovered];

    #[must_use]
    pub fn is_of_queue(self) -> bool {
        Self::OF_QUEUES.contains(&self)
    }

    /// What is known of the roles.
    pub fn of_access() -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(|kind| kind.is_of_access())
    }

    #[must_use]
    pub fn is_of_access(self) -> bool {
        matches!(
            self,
            Self::RoleRefused
                | Self::RolePermissionLost
                | Self::ExternalIdNotEnforced
                | Self::AccessLost
        )
    }
}

impl Difference {
    /// What tells it from the others of an installation.
    #[must_use]
    pub fn key(&self) -> (DriftKind, String) {
        (self.kind, self.target.clone())
    }

    /// What happened.
    #[must_use]
    pub fn told(&self) -> String {
        let name = &self.name;
        match self.kind {
            DriftKind::FlowEdited => format!("the flow \"{name}\" was changed"),
            DriftKind::FlowDeleted => format!("the flow \"{name}\" was deleted"),
            DriftKind::QueueRepointed => format!("the queue \"{name}\" points at another whisper"),
            DriftKind::QueueNotCovered => format!("the queue \"{name}\" was made since"),
            DriftKind::PermissionRemoved => {
                let function = if name.is_empty() { "limiter function" } else { name };
                format!("the {function}'s permission for the instance was removed")
            }
            DriftKind::RoleRefused => {
                "a role cannot be assumed any more: it was deleted, or its trust or external id was changed"
                    .to_owned()
            }
            DriftKind::RolePermissionLost => {
                "a role was changed: it lacks a permission that it needs".to_owned()
            }
            DriftKind::ExternalIdNotEnforced => {
                "a role was changed: it can be assumed without the external id".to_owned()
            }
            DriftKind::AccessLost => "the roles no longer do what they must".to_owned(),
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match (self.kind, self.mended) {
            (_, true) => "Nothing: Ringfence puts it right.",
            (DriftKind::RoleRefused, false) => {
                "Deploy the template again with the external id of the connection, then verify the instance."
            }
            (DriftKind::RolePermissionLost | DriftKind::AccessLost, false) => {
                "Deploy the template again, or verify the instance to see what is missing."
            }
            (DriftKind::ExternalIdNotEnforced, false) => {
                "Deploy the template again, or put the condition on sts:ExternalId back into the role's trust policy."
            }
            (DriftKind::PermissionRemoved, false) => "Ask the operator.",
            (DriftKind::QueueRepointed, false) => {
                "Point the queue back at Ringfence's whisper, or ask for the installation again: with another existing_whisper where the queue's detail says that its whisper is refused, otherwise with drift mend to have it done from now on."
            }
            (_, false) => {
                "Ask for the installation again to put it right, or choose drift mend to have that done from now on."
            }
        }
    }
}
