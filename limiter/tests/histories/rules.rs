//! Policies as the harness makes them up and the checker understands them: a model of its own, apart from the one that
//! is being tested.

use serde_json::{Value, json};

/// Who dials whom, on which instance, from which queue, for which campaign: small numbers that stand for names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Dialled {
    pub instance: u8,
    pub customer: u8,
    pub caller_id: u8,
    pub agent: u8,
    pub queue: u8,
    pub campaign: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dimension {
    Customer,
    CallerId,
    Agent,
    Queue,
    Campaign,
}

impl Dimension {
    pub fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::CallerId => "caller_id",
            Self::Agent => "agent",
            Self::Queue => "queue",
            Self::Campaign => "attribute:campaign",
        }
    }

    /// Agents and queues belong to an instance, also where a rule is about the whole tenant.
    fn value(self, dialled: &Dialled) -> String {
        match self {
            Self::Customer => dialled.customer.to_string(),
            Self::CallerId => dialled.caller_id.to_string(),
            Self::Agent => format!("{} of {}", dialled.agent, dialled.instance),
            Self::Queue => format!("{} of {}", dialled.queue, dialled.instance),
            Self::Campaign => dialled.campaign.to_string(),
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Period {
    Day,
    Week,
    Month,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sliding {
        max: u32,
        window_seconds: u32,
    },
    UntilQuiet {
        block_at: u32,
        quiet_seconds: u32,
    },
    ConsecutiveDays {
        max: u32,
        days: u32,
        zone: &'static str,
    },
    Calendar {
        max: u32,
        period: Period,
        zone: &'static str,
    },
    Pace {
        max: u32,
        per_seconds: u32,
        burst: u32,
    },
}

impl Kind {
    fn document(self) -> Value {
        match self {
            Self::Sliding {
                max,
                window_seconds,
            } => json!({"kind": "sliding", "max": max, "window_seconds": window_seconds}),
            Self::UntilQuiet {
                block_at,
                quiet_seconds,
            } => {
                json!({"kind": "until_quiet", "block_at": block_at, "quiet_seconds": quiet_seconds})
            }
            Self::ConsecutiveDays { max, days, zone } => {
                json!({"kind": "consecutive_days", "max": max, "days": days, "time_zone": zone})
            }
            Self::Calendar { max, period, zone } => {
                let period = match period {
                    Period::Day => "day",
                    Period::Week => "week",
                    Period::Month => "month",
                };
                json!({"kind": "calendar", "max": max, "period": period, "time_zone": zone})
            }
            Self::Pace {
                max,
                per_seconds,
                burst,
            } => json!({"kind": "pace", "max": max, "per_seconds": per_seconds, "burst": burst}),
        }
    }

    /// How long an admission surely matters to a limit of this kind, at most.
    pub fn span_ms(self) -> i64 {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        match self {
            Self::Sliding { window_seconds, .. } => i64::from(window_seconds) * 1000,
            Self::UntilQuiet { quiet_seconds, .. } => i64::from(quiet_seconds) * 1000,
            Self::ConsecutiveDays { days, .. } => i64::from(days) * DAY_MS,
            Self::Calendar { period, .. } => match period {
                Period::Day => DAY_MS,
                Period::Week => 7 * DAY_MS,
                Period::Month => 31 * DAY_MS,
            },
            Self::Pace {
                max,
                per_seconds,
                burst,
            } => i64::from(per_seconds) * 1000 * i64::from(burst) / i64::from(max),
        }
    }

    /// Pace has meters of its own; all other kinds share.
    fn is_pace(self) -> bool {
        matches!(self, Self::Pace { .. })
    }
}

#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    pub id: String,
    pub per: Vec<Dimension>,
    pub tenant_wide: bool,
    pub prefix: Option<&'static str>,
    pub kind: Kind,
    pub shadow: bool,
}

impl Rule {
    /// What the rule counts this attempt under, if it says anything about it: equal texts are one meter.
    pub fn meter(&self, dialled: &Dialled) -> Option<String> {
        if let Some(prefix) = self.prefix
            && !customer(dialled.customer).starts_with(prefix)
        {
            return None;
        }
        let whose = if self.tenant_wide {
            "tenant".to_owned()
        } else {
            format!("instance {}", dialled.instance)
        };
        let values: Vec<String> = self
            .per
            .iter()
            .map(|dimension| format!("{} {}", dimension.name(), dimension.value(dialled)))
            .collect();
        let prefix = self.prefix.unwrap_or("any");
        let paced = if self.kind.is_pace() { ", paced" } else { "" };
        Some(format!("{whose}, {} to {prefix}{paced}", values.join(", ")))
    }

    fn document(&self) -> Value {
        let per: Vec<&str> = self.per.iter().map(|dimension| dimension.name()).collect();
        let mut document = json!({
            "id": self.id, "per": per, "limit": self.kind.document(),
            "scope": if self.tenant_wide { "tenant" } else { "instance" },
            "mode": if self.shadow { "shadow" } else { "enforce" },
        });
        if let Some(prefix) = self.prefix {
            document["when"] = json!({"destination_prefixes": [prefix]});
        }
        document
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    Enforce,
    Shadow,
    Off,
}

#[derive(Clone, Debug, PartialEq)]
pub struct Policy {
    pub version: u64,
    pub mode: Mode,
    pub denies_uncounted: bool,
    /// Numbers are looked up on the tenant's lists.
    pub reads_lists: bool,
    pub rules: Vec<Rule>,
}

impl Policy {
    /// The rules that count anything.
    pub fn counting(&self) -> impl Iterator<Item = &Rule> {
        self.rules.iter().filter(|_| self.mode != Mode::Off)
    }

    pub fn enforces(&self, rule: &Rule) -> bool {
        self.mode == Mode::Enforce && !rule.shadow
    }

    pub fn document(&self) -> Value {
        let mode = match self.mode {
            Mode::Enforce => "enforce",
            Mode::Shadow => "shadow",
            Mode::Off => "off",
        };
        let rules: Vec<Value> = self.rules.iter().map(Rule::document).collect();
        json!({
            "mode": mode, "rules": rules,
            "on_unavailable": if self.denies_uncounted { "deny" } else { "allow" },
        })
    }
}

/// Every third customer lives elsewhere, so that prefixes tell some apart.
pub fn customer(customer: u8) -> String {
    let area = if customer % 3 == 2 { "415" } else { "206" };
    format!("+1{area}55501{customer:02}")
}
