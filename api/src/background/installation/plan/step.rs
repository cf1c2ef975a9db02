//! One change on the way to the desired state.

use crate::aws::NewFlow;

use super::super::desired::FlowKey;

/// Whose content an update takes the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    Ours,
    /// Somebody's edit, which is mended.
    Edit,
    /// Somebody's edit, which stays: only the function that it calls is another one.
    KeptEdit,
}

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
        /// Digest of the text that it had when it was looked at.
        from_sha256: String,
        content: String,
        over: Over,
    },
    Publish,
    AttachQueue {
        queue_id: String,
        name: String,
        key: FlowKey,
        /// What it runs now.
        from_flow_id: Option<String>,
        /// What it is to get back one day.
        previous_flow_id: Option<String>,
    },
    RestoreQueue {
        queue_id: String,
        name: String,
        from_flow_id: Option<String>,
        to_flow_id: Option<String>,
        /// What it had and cannot have back: it is gone, or not published.
        lost_flow_id: Option<String>,
    },
    DeleteFlow {
        key: FlowKey,
        flow_id: String,
        name: String,
        /// Digest of the text that it had when it was looked at.
        content_sha256: String,
    },
    Unpublish,
    RevokePermission,
    /// No flow calls the former function any more; calls that began before may still.
    AwaitCalls,
    /// The function that the instance came from lets it in no longer.
    LeaveFunction {
        function_arn: String,
    },
    GrantFallback {
        function_arn: String,
    },
    RevokeFallback {
        function_arn: String,
    },
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
            Self::AwaitCalls => "await_calls",
            Self::LeaveFunction { .. } => "leave_function",
            Self::GrantFallback { .. } => "grant_fallback",
            Self::RevokeFallback { .. } => "revoke_fallback",
        }
    }

    #[must_use]
    pub fn target(&self) -> &str {
        match self {
            Self::GrantPermission | Self::RevokePermission => "limiter function",
            Self::GrantFallback { .. } | Self::RevokeFallback { .. } => "fallback function",
            Self::AwaitCalls | Self::LeaveFunction { .. } => "former limiter function",
            Self::Publish | Self::Unpublish => "policy",
            Self::CreateFlow { flow, .. } => &flow.name,
            Self::UpdateFlow { name, .. }
            | Self::DeleteFlow { name, .. }
            | Self::AttachQueue { name, .. }
            | Self::RestoreQueue { name, .. } => name,
        }
    }
}
