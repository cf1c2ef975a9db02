//! The shape of a rule, for the API's description only.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

/// One limit: which calls, counted per what, how many, in what window.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct PolicyRule {
    #[schema(pattern = "^[a-z0-9][a-z0-9_-]{0,62}$", example = "customer-per-day")]
    id: String,
    #[schema(example = "Repeat calls to one customer", max_length = 100)]
    name: Option<String>,
    /// What is counted apart: `customer` (the number called), `caller_id`, `agent`, `queue`, or `attribute:` and the name
    /// of a contact attribute. Several together count each combination.
    #[schema(min_items = 1, max_items = 14, example = json!(["customer", "attribute:account"]))]
    per: Vec<CountedPer>,
    #[schema(default = "instance")]
    scope: Option<RuleScope>,
    when: Option<RuleWhen>,
    limit: RuleLimit,
    #[schema(default = "enforce")]
    mode: Option<RuleMode>,
    /// What the agent is told, in place of the built-in text. `{number}`, `{rule}`, `{limit}`, `{retry_at}` and `{wait}`
    /// are filled in.
    #[schema(
        max_length = 1000,
        example = "Please do not call {number} again before {retry_at}: {limit}."
    )]
    notice: Option<String>,
    /// The rule or law behind it.
    #[schema(max_length = 500, example = "12 CFR 1006.14(b)(2)(i)")]
    citation: Option<String>,
}

#[derive(Debug, ToSchema)]
#[schema(
    value_type = String,
    pattern = "^(customer|caller_id|agent|queue|attribute:[A-Za-z0-9_-]([A-Za-z0-9_ -]{0,98}[A-Za-z0-9_-])?)$",
    example = "customer"
)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct CountedPer(String);

#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum RuleScope {
    /// Each instance has meters of its own.
    Instance,
    /// One meter over all of the tenant's instances.
    Tenant,
}

#[derive(Debug, ToSchema)]
#[schema(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum RuleMode {
    Enforce,
    Shadow,
}

/// All that are given must hold; of each list, one item.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct RuleWhen {
    /// E.164 prefixes of the number called.
    #[schema(min_items = 1, max_items = 50, example = json!(["+1"]))]
    destination_prefixes: Option<Vec<String>>,
    /// Countries of the number called: ISO 3166 alpha-2.
    #[schema(min_items = 1, max_items = 50, example = json!(["US", "CA"]))]
    destination_countries: Option<Vec<String>>,
    /// E.164 prefixes of the caller id.
    #[schema(min_items = 1, max_items = 50, example = json!(["+1206"]))]
    caller_id_prefixes: Option<Vec<String>>,
    /// Queues, by ARN or id.
    #[schema(min_items = 1, max_items = 50, example = json!(["7d1c4a55-0000-4000-8000-0123456789ab"]))]
    queues: Option<Vec<String>>,
    /// Contact attributes by name, each with the values of which one must be there; at most 10 attributes.
    #[schema(example = json!({"campaign": ["spring", "autumn"]}))]
    attributes: Option<BTreeMap<String, Vec<String>>>,
}

/// How many, in what window.
#[derive(Debug, Serialize, ToSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
#[schema(examples(
    json!({"kind": "until_quiet", "block_at": 5, "quiet_seconds": 60}),
    json!({"kind": "sliding", "max": 3, "window_seconds": 86_400}),
    json!({"kind": "consecutive_days", "max": 7, "days": 7, "time_zone": "America/New_York"}),
    json!({"kind": "calendar", "max": 1000, "period": "month", "time_zone": "Europe/Madrid"}),
    json!({"kind": "pace", "max": 10, "per_seconds": 60, "burst": 3})
))]
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
        #[schema(minimum = 1, maximum = 1_000_000, example = 3)]
        max: u32,
        #[schema(minimum = 1, maximum = 2_678_400, example = 86_400)]
        window_seconds: u32,
    },
    /// At most `max` admitted attempts on any so many consecutive civil days.
    ConsecutiveDays {
        #[schema(minimum = 1, maximum = 1_000_000, example = 7)]
        max: u32,
        #[schema(minimum = 1, maximum = 366, example = 7)]
        days: u32,
        /// Whose days: an IANA name.
        #[schema(example = "America/New_York")]
        time_zone: String,
    },
    /// At most `max` admitted attempts in each civil day, week from Monday, or month.
    Calendar {
        #[schema(minimum = 1, maximum = 1_000_000, example = 1000)]
        max: u32,
        period: CalendarPeriod,
        /// Whose days: an IANA name.
        #[schema(example = "America/New_York")]
        time_zone: String,
    },
    /// A steady rate: `max` per `per_seconds`, evenly spaced, of which `burst` may come at once.
    Pace {
        #[schema(minimum = 1, maximum = 1_000_000, example = 10)]
        max: u32,
        #[schema(minimum = 1, maximum = 2_678_400, example = 60)]
        per_seconds: u32,
        #[schema(minimum = 1, maximum = 1_000_000, default = 1, example = 3)]
        burst: Option<u32>,
    },
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum CalendarPeriod {
    Day,
    Week,
    Month,
}
