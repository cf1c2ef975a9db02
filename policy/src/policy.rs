//! The versioned set of rules in force for an instance, valid and with every default filled in.

use serde::{Deserialize, Deserializer, Serialize};

use crate::attempt::Attempt;
use crate::draft::{PolicyDraft, told};
use crate::notices::Notices;
use crate::rule::{Rule, RuleMode, Scope};

/// Whether a policy refuses calls, only watches them, or is switched off.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    #[default]
    Enforce,
    Shadow,
    Off,
}

impl Mode {
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Enforce => "enforce",
            Self::Shadow => "shadow",
            Self::Off => "off",
        }
    }
}

impl From<RuleMode> for Mode {
    fn from(mode: RuleMode) -> Self {
        match mode {
            RuleMode::Enforce => Self::Enforce,
            RuleMode::Shadow => Self::Shadow,
        }
    }
}

/// What happens to a call that cannot be counted in time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum OnUnavailable {
    #[default]
    Allow,
    Deny,
}

/// A valid policy. It is made by [`PolicyDraft::check`], by reading one that was written before, or by default: no rules.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Policy {
    pub(crate) mode: Mode,
    pub(crate) on_unavailable: OnUnavailable,
    pub(crate) default_country: String,
    pub(crate) emergency: Vec<String>,
    #[serde(skip_serializing_if = "Notices::is_default")]
    pub(crate) notices: Notices,
    pub(crate) rules: Vec<Rule>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            mode: Mode::Enforce,
            on_unavailable: OnUnavailable::Allow,
            default_country: "US".to_owned(),
            emergency: ["911", "933", "112"].map(str::to_owned).to_vec(),
            notices: Notices::default(),
            rules: Vec::new(),
        }
    }
}

impl Policy {
    pub fn mode(&self) -> Mode {
        self.mode
    }

    pub fn on_unavailable(&self) -> OnUnavailable {
        self.on_unavailable
    }

    /// ISO 3166 alpha-2: how numbers that are not in E.164 are read.
    pub fn default_country(&self) -> &str {
        &self.default_country
    }

    /// Numbers that are never counted and never denied.
    pub fn emergency(&self) -> &[String] {
        &self.emergency
    }

    /// Whether what was dialled is one of them.
    pub fn is_emergency(&self, attempt: &Attempt) -> bool {
        fn digits(text: &str) -> impl Iterator<Item = char> {
            text.chars().filter(char::is_ascii_digit)
        }
        let meant = |number: &String| {
            let mut forms = attempt.dialled.iter();
            forms.any(|dialled| digits(dialled).eq(digits(number)))
        };
        self.emergency.iter().any(meant)
    }

    pub fn notices(&self) -> &Notices {
        &self.notices
    }

    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub fn rule(&self, id: &str) -> Option<&Rule> {
        self.rules.iter().find(|rule| rule.id.as_str() == id)
    }

    pub fn has_tenant_wide_rules(&self) -> bool {
        self.rules.iter().any(|rule| rule.scope == Scope::Tenant)
    }

    /// The same with nothing in shadow, neither the policy nor a rule. One that is off stays off.
    #[must_use]
    pub fn enforcing(mut self) -> Self {
        if self.mode == Mode::Shadow {
            self.mode = Mode::Enforce;
        }
        for rule in &mut self.rules {
            rule.mode = RuleMode::Enforce;
        }
        self
    }

    /// What a rule does under this policy: a policy in shadow holds its enforcing rules back.
    pub fn effective_mode(&self, rule: &Rule) -> RuleMode {
        match self.mode {
            Mode::Enforce => rule.mode,
            Mode::Shadow | Mode::Off => RuleMode::Shadow,
        }
    }
}

impl<'de> Deserialize<'de> for Policy {
    /// Members that are new since this version are skipped; ones that would change a rule's meaning are refused.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        PolicyDraft::deserialize(deserializer)?
            .read_back()
            .map_err(|faults| told(&faults))
    }
}
