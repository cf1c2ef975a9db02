//! An installation as the API shows and takes it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use ringfence_policy::draft::code;
use ringfence_policy::is_number_prefix;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::progress::{ProgressBody, progress};
use crate::domain::installation::{
    Condition, Drift, ExistingWhisper, InstallationRequest, OnLimiterUnavailable, QueueSelection,
};
use crate::http::fields::{Fields, FromFields};
use crate::store::{
    Installation, InstallationQueue, InstallationStep, SeenDrift, StoreError, TenantTx,
};

const QUEUES_MAX: usize = 1000;
/// A comparison block of the flow takes so many, and one for all other numbers.
const PREFIXES_MAX: usize = 40;
const QUEUE_ID_MAX: usize = 256;

/// Which queues: the word `all`, or their ids.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[serde(untagged)]
pub(super) enum QueuesBody {
    All(AllQueues),
    #[schema(title = "some")]
    Ids(BTreeSet<String>),
}

#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(super) enum AllQueues {
    All,
}

/// What is asked of an installation.
#[derive(Debug, Clone, Serialize, ToSchema)]
#[schema(as = InstallationRequest)]
pub(super) struct InstallationRequestBody {
    pub queues: QueuesBody,
    /// What happens to a queue that has a whisper of its own: it is left alone, ours goes in front of it, or ours goes
    /// in its place.
    #[schema(value_type = Option<ExistingWhisperWord>, default = "refuse")]
    pub existing_whisper: String,
    /// What happens when somebody changes what was installed.
    #[schema(value_type = Option<DriftWord>, default = "mend")]
    pub drift: String,
    /// Beginnings of customer numbers: only calls to such numbers ask the limiter, and numbers that are not written in
    /// international form. All other calls are neither limited nor on record, block list and all. Null: every call asks.
    #[schema(required = false, min_items = 1, max_items = 40, example = json!(["+1"]))]
    pub prefix_filter: Option<BTreeSet<String>>,
    /// What becomes of a call about which the limiter gave no answer: it goes out, or the fallback function in the
    /// customer's account stops it.
    #[schema(value_type = Option<OnLimiterUnavailableWord>, default = "allow")]
    pub on_limiter_unavailable: String,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum ExistingWhisperWord {
    Refuse,
    Merge,
    Replace,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum DriftWord {
    Mend,
    Report,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum OnLimiterUnavailableWord {
    Allow,
    Deny,
}

/// A request that was read and is in order.
#[derive(Debug)]
pub(super) struct PutInstallation(pub InstallationRequest);

impl FromFields for PutInstallation {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let queues = queues(fields);
        let existing_whisper = fields.optional_word(
            "existing_whisper",
            ExistingWhisper::parse,
            "refuse, merge, replace",
        );
        let drift = fields.optional_word("drift", Drift::parse, "mend, report");
        let prefix_filter = fields.optional_texts("prefix_filter", 1..=PREFIXES_MAX, prefix);
        let on_limiter_unavailable = fields.optional_word(
            "on_limiter_unavailable",
            OnLimiterUnavailable::parse,
            "allow, deny",
        );
        Some(Self(InstallationRequest {
            queues: queues?,
            existing_whisper: existing_whisper.unwrap_or(ExistingWhisper::Refuse),
            drift: drift.unwrap_or(Drift::Mend),
            prefix_filter: prefix_filter.unwrap_or_default(),
            on_limiter_unavailable: on_limiter_unavailable.unwrap_or(OnLimiterUnavailable::Allow),
        }))
    }
}

fn prefix(text: &str) -> Result<(), String> {
    is_number_prefix(text)
        .then_some(())
        .ok_or_else(|| "must be a plus sign and 1 to 15 digits, such as \"+1\"".to_owned())
}

fn is_queue_id(text: &str) -> bool {
    !text.trim().is_empty() && text.len() <= QUEUE_ID_MAX && !text.chars().any(char::is_control)
}

fn queues(fields: &mut Fields) -> Option<QueueSelection> {
    const NAME: &str = "queues";
    let wanted = "must be \"all\" or a list of queue ids";
    match fields.take(NAME) {
        None => fields.fault(
            NAME,
            code::MISSING,
            "is required: \"all\" or a list of queue ids",
        ),
        Some(Value::String(word)) if word == "all" => return Some(QueueSelection::All),
        Some(Value::String(_)) => fields.fault(NAME, code::INVALID, wanted),
        Some(Value::Array(items)) => {
            let count = items.len();
            let ids: BTreeSet<String> = items
                .into_iter()
                .filter_map(|item| match item {
                    Value::String(id) if is_queue_id(&id) => Some(id),
                    _ => None,
                })
                .collect();
            if ids.len() == count && (1..=QUEUES_MAX).contains(&count) {
                return Some(QueueSelection::Only(ids));
            }
            let detail = format!("must hold 1 to {QUEUES_MAX} different queue ids");
            fields.fault(NAME, code::INVALID, detail);
        }
        Some(_) => fields.fault(NAME, code::WRONG_TYPE, wanted),
    }
    None
}

/// Something that is true, false or not known of the installation.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Condition)]
pub(super) struct ConditionBody {
    #[serde(rename = "type")]
    #[schema(example = "QueuesAttached")]
    pub kind: String,
    /// `true`, `false` or `unknown`.
    #[schema(example = "false")]
    pub status: String,
    #[schema(example = "queues_refused")]
    pub reason: String,
    /// What it means and what to do.
    #[schema(example = "2 queues have a whisper of their own: choose merge or replace")]
    pub message: String,
    #[schema(value_type = String, format = DateTime)]
    pub last_transition_at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Step)]
pub(super) struct StepBody {
    #[schema(example = "attach_queue")]
    pub name: String,
    #[schema(example = "Sales")]
    pub target: String,
    /// `pending`, `done` or `failed`.
    #[schema(example = "done")]
    pub status: String,
    #[schema(example = "")]
    pub detail: String,
    #[schema(value_type = String, format = DateTime)]
    pub at: Timestamp,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = InstallationQueue)]
pub(super) struct InstallationQueueBody {
    #[schema(example = "7d1c4a55-2200-4265-82c0-0123456789ab")]
    pub queue_id: String,
    #[schema(example = "Sales")]
    pub name: String,
    /// What the queue ran before; null: nothing of its own.
    #[schema(example = "c8c0e68d-2200-4265-82c0-0123456789ab")]
    pub previous_flow_id: Option<String>,
    #[schema(example = "f1a2b3c4-2200-4265-82c0-0123456789ab")]
    pub whisper_flow_id: Option<String>,
    /// `attached`, `refused`, `pending`, `restored` or `left_alone`.
    #[schema(example = "attached")]
    pub state: String,
    #[schema(example = "")]
    pub detail: String,
}

/// Something that somebody else changed.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Drift)]
pub(super) struct DriftBody {
    /// `flow_edited`, `flow_deleted`, `queue_repointed`, `queue_not_covered`, `permission_removed`, `role_refused`,
    /// `role_permission_lost`, `external_id_not_enforced` or `access_lost`.
    #[schema(example = "queue_repointed")]
    pub kind: String,
    /// A flow's key, a queue's id, the ARN of the fallback function, or empty.
    #[schema(example = "7d1c4a55-2200-4265-82c0-0123456789ab")]
    pub target: String,
    #[schema(example = "Sales")]
    pub name: String,
    /// What happened.
    #[schema(example = "the queue \"Sales\" points at another whisper")]
    pub message: String,
    /// What to do about it.
    #[schema(example = "point it back, or leave it out of the installation")]
    pub advice: String,
    /// Whether Ringfence puts it right, or only tells.
    pub mended: bool,
    /// When it was first seen.
    #[schema(value_type = String, format = DateTime)]
    pub since: Timestamp,
    /// When it was as it should be again; null: it is not yet.
    #[schema(value_type = Option<String>, format = DateTime)]
    pub ended_at: Option<Timestamp>,
}

/// What is asked of an instance, and how far it has come.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Installation)]
pub(super) struct InstallationBody {
    #[schema(example = "ins_01890a5d000070008000000000000000")]
    pub instance_id: String,
    /// Counts what was asked; also the ETag.
    #[schema(example = 3)]
    pub generation: u64,
    /// The last generation that was carried out.
    #[schema(example = 3)]
    pub observed_generation: u64,
    /// Null: everything is to be taken away.
    pub desired: Option<InstallationRequestBody>,
    /// `pending`, `installing`, `installed`, `blocked`, `uninstalling` or `uninstalled`.
    #[schema(example = "installed")]
    pub state: String,
    pub conditions: Vec<ConditionBody>,
    pub steps: Vec<StepBody>,
    pub progress: ProgressBody,
    /// The limiter function that serves the instance.
    #[schema(example = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1")]
    pub function_arn: Option<String>,
    #[schema(example = "a1a2b3c4-2200-4265-82c0-0123456789ab")]
    pub notice_flow_id: Option<String>,
    pub queues: Vec<InstallationQueueBody>,
    /// What somebody else changed of it: what is open first, then what was put right, the newest first.
    pub drift: Vec<DriftBody>,
}

/// The installation with all its parts, as they are in this transaction.
pub(super) async fn installation_body(
    tx: &mut TenantTx,
    installation: Installation,
    requests_per_second: f64,
) -> Result<InstallationBody, StoreError> {
    let instance = installation.instance;
    let look = tx.installation_look(instance).await?;
    let steps = tx.installation_step_list(instance).await?;
    let queues = tx.installation_queue_list(instance).await?;
    let flows = tx.installed_flow_list(instance).await?;
    let function_arn = tx.shard_assigned(instance).await?;
    let drift = tx.drift_list(instance).await?;
    Ok(InstallationBody {
        instance_id: instance.to_string(),
        generation: installation.generation,
        observed_generation: installation.observed_generation,
        desired: installation.request.as_ref().map(request_body),
        state: installation.state.as_str().to_owned(),
        conditions: installation
            .conditions
            .into_iter()
            .map(condition_body)
            .collect(),
        progress: progress(&steps, &queues, look, requests_per_second),
        steps: steps.into_iter().map(step_body).collect(),
        function_arn,
        notice_flow_id: flows
            .into_iter()
            .find(|flow| flow.key == "notice")
            .map(|flow| flow.flow_id),
        queues: queues.into_iter().map(queue_body).collect(),
        drift: drift.into_iter().map(drift_body).collect(),
    })
}

fn request_body(request: &InstallationRequest) -> InstallationRequestBody {
    InstallationRequestBody {
        queues: match &request.queues {
            QueueSelection::All => QueuesBody::All(AllQueues::All),
            QueueSelection::Only(ids) => QueuesBody::Ids(ids.clone()),
        },
        existing_whisper: request.existing_whisper.as_str().to_owned(),
        drift: request.drift.as_str().to_owned(),
        prefix_filter: (!request.prefix_filter.is_empty()).then(|| request.prefix_filter.clone()),
        on_limiter_unavailable: request.on_limiter_unavailable.as_str().to_owned(),
    }
}

/// What the audit log keeps of a request.
pub(super) fn audited(request: Option<&InstallationRequest>) -> Option<Value> {
    request.map(|request| json!(request_body(request)))
}

/// The generation as `ETag` and `If-Match` carry it.
pub(super) fn version(installation: Option<&Installation>) -> i64 {
    let generation = installation.map_or(0, |installation| installation.generation);
    i64::try_from(generation).unwrap_or(i64::MAX)
}

fn condition_body(condition: Condition) -> ConditionBody {
    ConditionBody {
        kind: condition.kind.as_str().to_owned(),
        status: condition.status.as_str().to_owned(),
        reason: condition.reason,
        message: condition.message,
        last_transition_at: condition.last_transition_at,
    }
}

fn step_body(step: InstallationStep) -> StepBody {
    StepBody {
        name: step.name,
        target: step.target,
        status: step.status.as_str().to_owned(),
        detail: step.detail,
        at: step.at,
    }
}

fn drift_body(drift: SeenDrift) -> DriftBody {
    let message = drift.difference.told();
    let advice = match drift.ended_at {
        Some(_) => "",
        None => drift.difference.advice(),
    };
    DriftBody {
        kind: drift.difference.kind.as_str().to_owned(),
        target: drift.difference.target,
        name: drift.difference.name,
        message,
        advice: advice.to_owned(),
        mended: drift.difference.mended,
        since: drift.since,
        ended_at: drift.ended_at,
    }
}

fn queue_body(queue: InstallationQueue) -> InstallationQueueBody {
    InstallationQueueBody {
        queue_id: queue.queue_id,
        name: queue.name,
        previous_flow_id: queue.previous_flow_id,
        whisper_flow_id: queue.whisper_flow_id,
        state: queue.state.as_str().to_owned(),
        detail: queue.detail,
    }
}
