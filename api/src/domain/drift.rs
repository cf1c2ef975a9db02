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
        /// The limiter function no longer lets the instance in.
        PermissionRemoved => "permission_removed",
        /// The roles or their external id were changed, so that they no longer do what they must.
        AccessLost => "access_lost",
    }
}

/// One difference that somebody else made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    pub kind: DriftKind,
    /// What it is about, for programs: a flow's key, a queue's id, or nothing.
    pub target: String,
    /// The same for people.
    pub name: String,
    /// Whether it is being mended; otherwise it is only told.
    pub mended: bool,
}

impl DriftKind {
    /// Everything that a look at the instance shows. Whether the roles serve is known without one.
    pub fn of_instances() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|kind| *kind != Self::AccessLost)
    }
}

impl Difference {
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
                "the limiter function's permission for the instance was removed".to_owned()
            }
            DriftKind::AccessLost => {
                "the roles or their external id were changed: they no longer do what they must"
                    .to_owned()
            }
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &'static str {
        match (self.kind, self.mended) {
            (_, true) => "Nothing: Ringfence puts it right.",
            (DriftKind::AccessLost, false) => {
                "Deploy the template again, or verify the instance to see which permission is missing."
            }
            (DriftKind::PermissionRemoved, false) => "Ask the operator.",
            (_, false) => {
                "Ask for the installation again to put it right, or choose drift mend to have that done from now on."
            }
        }
    }
}
