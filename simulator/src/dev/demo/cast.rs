//! Who plays: tenants, their instances, queues, agents and limits. All numbers are from ranges kept for fiction.

use serde_json::{Value, json};

pub struct TenantPart {
    pub name: &'static str,
    pub policy: fn() -> Value,
    pub instances: &'static [InstancePart],
}

#[derive(Debug)]
pub struct InstancePart {
    pub alias: &'static str,
    pub account: &'static str,
    pub region: &'static str,
    /// Name and caller id.
    pub queues: &'static [(&'static str, &'static str)],
    pub agents: &'static [&'static str],
    /// In place of the tenant's default.
    pub policy: Option<fn() -> Value>,
    /// A queue that already plays a whisper of the customer's own.
    pub own_whisper: Option<&'static str>,
}

/// Short, so that the demo can wait for the quiet.
pub const QUIET_SECONDS: u64 = 4;

pub static CAST: [TenantPart; 3] = [
    TenantPart {
        name: "Northwind Collections",
        policy: repeat_calls,
        instances: &[
            InstancePart {
                alias: "northwind-us",
                account: "111122220001",
                region: "us-east-1",
                queues: &[
                    ("Collections", "+12065550100"),
                    ("Early stage", "+12065550101"),
                ],
                agents: &["ada", "ben", "chloe"],
                policy: None,
                own_whisper: None,
            },
            InstancePart {
                alias: "northwind-uk",
                account: "111122220002",
                region: "eu-west-2",
                queues: &[("Collections UK", "+442079460100")],
                agents: &["dora", "eli"],
                policy: Some(five_an_hour),
                own_whisper: None,
            },
        ],
    },
    TenantPart {
        name: "Harbor Health",
        policy: pair_daily,
        instances: &[
            InstancePart {
                alias: "harbor-east",
                account: "222233330001",
                region: "us-east-1",
                queues: &[
                    ("Appointments", "+16175550120"),
                    ("Billing", "+16175550121"),
                ],
                agents: &["fay", "gus"],
                policy: None,
                own_whisper: Some("Billing"),
            },
            InstancePart {
                alias: "harbor-pilot",
                account: "222233330002",
                region: "us-east-1",
                queues: &[("Pilot", "+16175550130")],
                agents: &["hana"],
                policy: Some(pilot_in_shadow),
                own_whisper: None,
            },
        ],
    },
    TenantPart {
        name: "Fjord Energy",
        policy: caller_id_per_minute,
        instances: &[InstancePart {
            alias: "fjord-eu",
            account: "333344440001",
            region: "eu-west-2",
            queues: &[("Welcome", "+442079460110"), ("Renewals", "+442079460111")],
            agents: &["ida", "jon"],
            policy: None,
            own_whisper: None,
        }],
    },
];

fn repeat_calls() -> Value {
    json!({ "rules": [{
        "id": "repeat-calls",
        "name": "Repeat calls to one customer",
        "per": ["customer"],
        "limit": { "kind": "until_quiet", "block_at": 5, "quiet_seconds": QUIET_SECONDS },
    }] })
}

fn five_an_hour() -> Value {
    json!({ "default_country": "GB", "rules": [{
        "id": "five-an-hour",
        "name": "Calls to one customer within an hour",
        "per": ["customer"],
        "limit": { "kind": "sliding", "max": 5, "window_seconds": 3600 },
    }] })
}

fn pair_daily() -> Value {
    json!({ "rules": [{
        "id": "pair-daily",
        "name": "One number to one customer within a day",
        "per": ["customer", "caller_id"],
        "limit": { "kind": "sliding", "max": 3, "window_seconds": 86400 },
    }] })
}

fn pilot_in_shadow() -> Value {
    json!({ "mode": "shadow", "rules": [{
        "id": "two-a-day",
        "name": "Calls to one customer within a day",
        "per": ["customer"],
        "limit": { "kind": "sliding", "max": 2, "window_seconds": 86400 },
    }] })
}

fn caller_id_per_minute() -> Value {
    caller_id_limit(5)
}

pub fn caller_id_limit(max: u32) -> Value {
    json!({ "default_country": "GB", "rules": [{
        "id": "caller-id-per-minute",
        "name": "Calls from one number within a minute",
        "per": ["caller_id"],
        "limit": { "kind": "sliding", "max": max, "window_seconds": 60 },
    }] })
}
