//! The shape of a policy document, for the API's description only: `ringfence_policy` reads and checks documents.

use std::collections::BTreeMap;

use utoipa::ToSchema;

use super::rule::PolicyRule;

/// The rules in force for an instance. What is left out takes its default.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct PolicyDocument {
    #[schema(default = "enforce")]
    mode: Option<PolicyMode>,
    /// What happens to a call that cannot be counted in time.
    #[schema(default = "allow")]
    on_unavailable: Option<OnUnavailable>,
    /// How numbers that are not in E.164 are read: ISO 3166 alpha-2.
    #[schema(default = "US", example = "US")]
    default_country: Option<String>,
    /// Never counted, never denied.
    #[schema(default = json!(["911", "933", "112"]), max_items = 50)]
    emergency: Option<Vec<String>>,
    notices: Option<PolicyNotices>,
    #[schema(max_items = 50)]
    rules: Option<Vec<PolicyRule>>,
}

#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum PolicyMode {
    Enforce,
    Shadow,
    Off,
}

#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum OnUnavailable {
    Allow,
    Deny,
}

/// How agents are told of calls that were not placed.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct PolicyNotices {
    #[schema(default = "en")]
    language: Option<NoticeLanguage>,
    /// The time zone in which agents are told when to try again: an IANA name.
    #[schema(default = "UTC", example = "America/New_York")]
    time_zone: Option<String>,
    /// The time zones of agents elsewhere, by the agent's ARN; at most 500.
    #[schema(example = json!({
        "arn:aws:connect:us-east-1:111122223333:instance/c8c0e68d-2200-4265-82c0-0123456789ab/agent/1": "America/Denver"
    }))]
    agent_time_zones: Option<BTreeMap<String, String>>,
}

#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum NoticeLanguage {
    En,
    Es,
}
