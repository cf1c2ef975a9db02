//! A policy as the API shows it.

use jiff::Timestamp;
use ringfence_policy::draft::code;
use ringfence_policy::{Language, Policy, describe};
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::document::PolicyDocument;
use crate::domain::ids::InstanceId;
use crate::http::problem::{ApiError, ApiResult, FieldFault};
use crate::store::{InForce, PolicyVersion};

/// Whose policy it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum PolicySource {
    /// The tenant's, for every instance without one of its own.
    Default,
    /// The instance's own.
    Own,
    /// Nobody has put one yet: no rules.
    None,
}

/// A rule in words.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct Sentence {
    #[schema(example = "customer-per-day")]
    rule_id: String,
    #[schema(example = "At most 3 calls to a customer in any 24 hours")]
    text: String,
}

/// What limiters read at an instance.
#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PolicyInForce {
    #[schema(example = "ins_01890a5d000070008000000000000000")]
    instance_id: String,
    #[schema(example = 3)]
    version: u64,
    #[schema(value_type = Option<String>, format = DateTime)]
    published_at: Option<Timestamp>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Policy)]
pub(super) struct PolicyBody {
    #[schema(example = "pol_01890a5d000070008000000000000000")]
    id: Option<String>,
    source: PolicySource,
    /// Counts up with every put; zero where nothing has been put.
    #[schema(example = 3)]
    version: i64,
    #[schema(value_type = PolicyDocument)]
    policy: Policy,
    sentences: Vec<Sentence>,
    #[schema(value_type = Option<String>, format = DateTime)]
    created_at: Option<Timestamp>,
    #[schema(example = "api_key:key_01890a5d000070008000000000000000")]
    created_by: Option<String>,
    /// The instances at which some version of this policy is in force, and which.
    in_force: Vec<PolicyInForce>,
}

impl PolicySource {
    /// Of what has been put: an instance's own, or the tenant's default.
    pub fn of(instance: Option<InstanceId>) -> Self {
        match instance {
            None => Self::Default,
            Some(_) => Self::Own,
        }
    }
}

impl PolicyBody {
    pub fn new(source: PolicySource, stored: Option<PolicyVersion>, published: &[InForce]) -> Self {
        let Some(stored) = stored else {
            return Self {
                id: None,
                source: PolicySource::None,
                version: 0,
                policy: Policy::default(),
                sentences: Vec::new(),
                created_at: None,
                created_by: None,
                in_force: Vec::new(),
            };
        };
        let in_force = published
            .iter()
            .filter(|published| published.policy_id == Some(stored.policy_id))
            .filter_map(|published| {
                Some(PolicyInForce {
                    instance_id: published.instance.to_string(),
                    version: published.policy_version?,
                    published_at: published.published_at,
                })
            })
            .collect();
        Self {
            id: Some(stored.policy_id.to_string()),
            source,
            version: stored.version,
            sentences: sentences(&stored.policy),
            policy: stored.policy,
            created_at: Some(stored.created_at),
            created_by: Some(stored.created_by),
            in_force,
        }
    }

    pub fn version(&self) -> i64 {
        self.version
    }
}

pub(super) fn sentences(policy: &Policy) -> Vec<Sentence> {
    let sentence = |rule| Sentence {
        rule_id: ringfence_policy::Rule::id(rule).to_string(),
        text: describe(rule, Language::En),
    };
    policy.rules().iter().map(sentence).collect()
}

/// The policy of a document, or every fault in it.
pub(super) fn checked(document: Value) -> ApiResult<Policy> {
    let mut faults = Vec::new();
    note_nul(&document, "", &mut faults);
    let draft: ringfence_policy::PolicyDraft = serde_json::from_value(document).map_err(|err| {
        ApiError::validation(vec![FieldFault::new("", code::INVALID, err.to_string())])
    })?;
    match draft.check() {
        Ok(policy) if faults.is_empty() => Ok(policy),
        Ok(_) => Err(ApiError::validation(faults)),
        Err(found) => {
            faults.extend(found.into_iter().map(FieldFault::from));
            Err(ApiError::validation(faults))
        }
    }
}

/// The database keeps no text with this character in it, and no name of a member.
fn note_nul(value: &Value, pointer: &str, faults: &mut Vec<FieldFault>) {
    match value {
        Value::String(text) if text.contains('\0') => {
            faults.push(nul(pointer));
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                note_nul(item, &format!("{pointer}/{index}"), faults);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                let pointer = format!("{pointer}/{name}");
                if name.contains('\0') {
                    faults.push(nul(&pointer));
                }
                note_nul(member, &pointer, faults);
            }
        }
        _ => {}
    }
}

fn nul(pointer: &str) -> FieldFault {
    let detail = "must not contain the character U+0000";
    FieldFault::new(pointer, code::INVALID, detail)
}

/// As the audit log keeps a version.
pub(super) fn audited(version: &PolicyVersion) -> Value {
    json!({"version": version.version, "policy": version.policy})
}
