//! One limit: which calls, counted per what, how many, in what window.
//!
//! Rules are built only by [`crate::draft`], which checks them; there are no setters.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::attempt::Attempt;
use crate::dimension::{Dimension, reason};
use crate::key::{MeterKey, Owner, Selector};
use crate::limit::Limit;
use crate::notices::NoticeTemplate;
use crate::plan::NotApplied;
use crate::when::When;

/// A rule's name within its policy, matching `[a-z0-9][a-z0-9_-]{0,62}`. Every decision carries it, so a clone is cheap.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RuleId(Arc<str>);

impl RuleId {
    pub fn parse(text: &str) -> Option<Self> {
        let mut characters = text.chars();
        let starts_well = characters
            .next()
            .is_some_and(|c| c.is_ascii_lowercase() || c.is_ascii_digit());
        let goes_on_well = characters
            .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' || c == '-');
        (starts_well && goes_on_well && text.len() <= 63).then(|| Self(text.into()))
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

impl Serialize for RuleId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

/// How far a rule's meters reach.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Scope {
    #[default]
    Instance,
    /// All of the tenant's instances together.
    Tenant,
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
    pub(crate) notice: Option<NoticeTemplate>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) citation: Option<String>,
    /// Follows from the rest.
    #[serde(skip)]
    pub(crate) selector: Selector,
}

impl Rule {
    pub fn id(&self) -> &RuleId {
        &self.id
    }

    /// The name people read: the given one, else the id.
    pub fn name(&self) -> &str {
        self.name.as_deref().unwrap_or(self.id.as_str())
    }

    pub fn per(&self) -> impl Iterator<Item = &Dimension> {
        self.per.iter()
    }

    pub fn counts_per(&self, dimension: &Dimension) -> bool {
        self.per.contains(dimension)
    }

    pub fn scope(&self) -> Scope {
        self.scope
    }

    pub fn when(&self) -> &When {
        &self.when
    }

    pub fn limit(&self) -> &Limit {
        &self.limit
    }

    pub fn mode(&self) -> RuleMode {
        self.mode
    }

    /// The tenant's own words for the agent, in place of the built-in ones.
    pub fn notice(&self) -> Option<&NoticeTemplate> {
        self.notice.as_ref()
    }

    pub fn citation(&self) -> Option<&str> {
        self.citation.as_deref()
    }

    /// The word a flow compares.
    pub fn reason(&self) -> &'static str {
        reason(&self.per)
    }

    /// The meter that this rule reads for an attempt, or why it says nothing about it.
    pub(crate) fn meter_of(
        &self,
        owner: Owner<'_>,
        attempt: &Attempt,
    ) -> Result<MeterKey, NotApplied> {
        match self.when.turns_away(attempt) {
            Some(why) => Err(why),
            None => MeterKey::of(owner, self.scope, &self.selector, &self.per, attempt),
        }
    }

    /// The meter that this rule reads for such an attempt if it looks at it at all: its filter is not asked. None: the
    /// attempt lacks what the rule counts per.
    pub fn meter_named(&self, owner: Owner<'_>, attempt: &Attempt) -> Option<MeterKey> {
        MeterKey::of(owner, self.scope, &self.selector, &self.per, attempt).ok()
    }

    /// Whether both read the same meters, whatever they admit.
    pub fn shares_meters_with(&self, other: &Self) -> bool {
        self.scope == other.scope && self.selector == other.selector
    }

    /// Decision records hold no attributes, so they do not tell the meters of such a rule.
    pub fn counts_per_attribute(&self) -> bool {
        let is_attribute = |dimension: &Dimension| matches!(dimension, Dimension::Attribute(_));
        self.per.iter().any(is_attribute)
    }
}
