//! The shape of a policy document, for the API's description only: `ringfence_policy` reads and checks documents.

use serde::Serialize;
use utoipa::ToSchema;

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
    #[schema(default = json!(["911", "933", "112"]))]
    emergency: Option<Vec<String>>,
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

/// One limit: which calls, counted per what, how many, in what window.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct PolicyRule {
    #[schema(pattern = "^[a-z0-9][a-z0-9_-]{0,62}$", example = "customer-per-day")]
    id: String,
    #[schema(example = "Repeat calls to one customer")]
    name: Option<String>,
    /// What is counted apart: both together count each pair of caller id and customer.
    #[schema(min_items = 1, max_items = 2)]
    per: Vec<CountedPer>,
    #[schema(default = "instance")]
    scope: Option<RuleScope>,
    when: Option<RuleWhen>,
    limit: RuleLimit,
    #[schema(default = "enforce")]
    mode: Option<RuleMode>,
    /// The rule or law behind it.
    citation: Option<String>,
}

#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum CountedPer {
    Customer,
    CallerId,
}

#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum RuleScope {
    Instance,
}

#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum RuleMode {
    Enforce,
    Shadow,
}

/// All that are given must hold.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct RuleWhen {
    #[schema(example = json!(["+1"]))]
    destination_prefixes: Option<Vec<String>>,
}

/// How many, in what window.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum RuleLimit {
    /// Attempts are numbered since the last silence longer than `quiet_seconds`; number `block_at` and above are denied,
    /// and every attempt, denied ones too, restarts the silence.
    UntilQuiet {
        #[schema(minimum = 2, maximum = 256, example = 5)]
        block_at: u32,
        #[schema(minimum = 1, maximum = 2_678_400, example = 60)]
        quiet_seconds: u32,
    },
    /// At most `max` admitted attempts in any window of that length; denied attempts do not count.
    Sliding {
        #[schema(minimum = 1, maximum = 256, example = 3)]
        max: u32,
        #[schema(minimum = 1, maximum = 2_678_400, example = 86_400)]
        window_seconds: u32,
    },
}
