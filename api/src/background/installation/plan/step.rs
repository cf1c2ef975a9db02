//! One change on the way to the desired state.

use crate::aws::NewFlow;

use super::super::desired::FlowKey;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    GrantPermission,
    CreateFlow {
        key: FlowKey,
        flow: NewFlow,
    },
    UpdateFlow {
        key: FlowKey,
        flow_id: String,
        name: String,
        content: String,
    },
    Publish,
    AttachQueue {
        queue_id: String,
        name: String,
        key: FlowKey,
        previous_flow_id: Option<String>,
    },
    RestoreQueue {
        queue_id: String,
        name: String,
        to_flow_id: Option<String>,
    },
    DeleteFlow {
        flow_id: String,
        name: String,
    },
    Unpublish,
    RevokePermission,
}

impl Step {
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::GrantPermission => "grant_permission",
            Self::CreateFlow { .. } => "create_flow",
            Self::UpdateFlow { .. } => "update_flow",
            Self::Publish => "publish",
            Self::AttachQueue { .. } => "attach_queue",
            Self::RestoreQueue { .. } => "restore_queue",
            Self::DeleteFlow { .. } => "delete_flow",
            Self::Unpublish => "unpublish",
            Self::RevokePermission => "revoke_permission",
        }
    }

    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::GrantPermission | Self::RevokePermission => "limiter function",
            Self::Publish | Self::Unpublish => "policy",
            Self::CreateFlow { flow, .. } => &flow.name,
            Self::UpdateFlow { name, .. }
            | Self::DeleteFlow { name, .. }
            | Self::AttachQueue { name, .. }
            | Self::RestoreQueue { name, .. } => name,
        }
    }
}
