//! One limit: which calls, counted per what, how many, in what window.
//!
//! Rules are built only by [`crate::draft`], which checks them; there are no setters.

use std::collections::BTreeSet;
use std::fmt;

use serde::Serialize;

/// A rule's name within its policy, matching `[a-z0-9][a-z0-9_-]{0,62}`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct RuleId(String);

impl RuleId {
    pub fn parse(text: &str) -> Option<Self> {
        let mut characters = text.chars();
        let starts_well = characters
            .next()
            .is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let goes_on_well = characters
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        (starts_well && goes_on_well && text.len() <= 63).then(|| Self(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What attempts are counted per.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dimension {
    Customer,
    CallerId,
}

impl Dimension {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::CallerId => "caller_id",
        }
    }
}

/// How far a rule's meters reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    Instance,
}

/// Which attempts a rule looks at; an empty list asks nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct When {
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub(crate) destination_prefixes: BTreeSet<String>,
}

impl When {
    /// E.164 prefixes such as `+1`, of which one must match.
    pub fn destination_prefixes(&self) -> impl Iterator<Item = &str> {
        self.destination_prefixes.iter().map(String::as_str)
    }

    pub fn is_empty(&self) -> bool {
        self.destination_prefixes.is_empty()
    }
}

/// How many attempts, and over what time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Limit {
    /// Attempts are numbered since the last silence longer than `quiet_seconds`; number `block_at` and above are denied,
    /// and every attempt, denied ones too, restarts the silence.
    UntilQuiet { block_at: u32, quiet_seconds: u32 },
    /// At most `max` admitted attempts in any window of `window_seconds`; denied attempts do not count.
    Sliding { max: u32, window_seconds: u32 },
}

impl Limit {
    /// How many attempts are admitted before the first denial.
    pub fn admits(self) -> u32 {
        match self {
            Self::UntilQuiet { block_at, .. } => block_at.saturating_sub(1),
            Self::Sliding { max, .. } => max,
        }
    }

    /// How long an attempt can matter.
    pub fn memory_seconds(self) -> u32 {
        match self {
            Self::UntilQuiet { quiet_seconds, .. } => quiet_seconds,
            Self::Sliding { window_seconds, .. } => window_seconds,
        }
    }
}

/// Whether a rule denies, or only says that it would.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleMode {
    #[default]
    Enforce,
    Shadow,
}

/// One valid limit of a policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Rule {
    pub(crate) id: RuleId,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) name: Option<String>,
    pub(crate) per: BTreeSet<Dimension>,
    pub(crate) scope: Scope,
    #[serde(skip_serializing_if = "When::is_empty")]
    pub(crate) when: When,
    pub(crate) limit: Limit,
    pub(crate) mode: RuleMode,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) citation: Option<String>,
}

impl Rule {
    pub fn id(&self) -> &RuleId {
        &self.id
    }

    /// The name people read: the given one, else the id.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.id.as_str())
    }

    pub fn per(&self) -> impl Iterator<Item = Dimension> {
        self.per.iter().copied()
    }

    pub fn counts_per(&self, dimension: Dimension) -> bool {
        self.per.contains(&dimension)
    }

    pub fn scope(&self) -> Scope {
        self.scope
    }

    pub fn when(&self) -> &When {
        &self.when
    }

    pub fn limit(&self) -> Limit {
        self.limit
    }

    pub fn mode(&self) -> RuleMode {
        self.mode
    }

    pub fn citation(&self) -> Option<&str> {
        self.citation.as_deref()
    }

    /// The word a flow compares; the sample's `system` is our caller id.
    pub fn reason(&self) -> &'static str {
        match (
            self.counts_per(Dimension::Customer),
            self.counts_per(Dimension::CallerId),
        ) {
            (true, true) => "customer_system",
            (false, true) => "system",
            (true | false, false) => "customer",
        }
    }

    /// What makes two rules share a meter: what is counted, never how many or for how long, so that changing a maximum
    /// keeps the live counts.
    pub fn selector(&self) -> String {
        let per: Vec<&str> = self.per().map(Dimension::as_str).collect();
        let mut text = per.join("+");
        if !self.when.is_empty() {
            let prefixes: Vec<&str> = self.when.destination_prefixes().collect();
            text.push_str(";to=");
            text.push_str(&prefixes.join(","));
        }
        text
    }
}
