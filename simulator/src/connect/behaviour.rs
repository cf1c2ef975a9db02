//! Answers to what the documentation leaves open, each a switch, so that both can be tried.

use serde::{Deserialize, Serialize};

/// The switches; their defaults are what is thought likelier.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Behaviour {
    /// A whisper that ends with neither a prompt nor a call block places the call.
    pub end_without_participant_dials: bool,
    /// A contact stopped before the dial is never dialled.
    pub stop_prevents_dial: bool,
    /// The flow runs on after its contact was stopped.
    pub flow_continues_after_stop: bool,
    /// An agent whose call was stopped before the dial goes to after-contact work.
    pub after_contact_work_after_stop: bool,
    /// A flow may name a function with a version or alias.
    pub qualified_lambda_arn: bool,
    /// The CreateTask block draws on the quota of StartTaskContact.
    pub create_task_draws_on_quota: bool,
    /// Members left out of UpdateQueueOutboundCallerConfig are cleared.
    pub omitted_caller_config_cleared: bool,
    /// A flow that a queue uses can be deleted.
    pub flow_in_use_deletable: bool,
    /// StopContact beyond its quota answers `ThrottlingException` rather than `TooManyRequestsException`.
    pub stop_contact_throttling_exception: bool,
    /// Emergency numbers reach the flow as `+1911` rather than `911`.
    pub emergency_with_country_code: bool,
}

impl Default for Behaviour {
    fn default() -> Self {
        Self {
            end_without_participant_dials: true,
            stop_prevents_dial: true,
            flow_continues_after_stop: true,
            after_contact_work_after_stop: true,
            qualified_lambda_arn: true,
            create_task_draws_on_quota: false,
            omitted_caller_config_cleared: true,
            flow_in_use_deletable: true,
            stop_contact_throttling_exception: false,
            emergency_with_country_code: false,
        }
    }
}
