//! One run of a flow over one contact, action by action.
//!
//! [`Run::advance`] walks as far as it can alone and hands back the next [`Effect`]; the driver performs it and
//! tells the result with [`Run::succeed`], [`Run::fail`] or [`Run::choose`] before it advances again.
//!
//! Invariants: every action that ran leaves exactly one [`Step`]; a run never takes more than
//! [`MAX_STEPS`] steps, so that a flow that goes round in circles ends.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use serde_json::{Map, Value, json};

use super::model::{Action, Flow};
use super::reference::{as_text, interpolate, lookup, resolve, resolve_texts};

/// More than this many actions means a circle.
pub const MAX_STEPS: usize = 1000;

/// An action that ran and the branch it took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Step {
    pub action: String,
    #[serde(rename = "type")]
    pub kind: String,
    pub branch: String,
}

/// What a flow asks of the world.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    InvokeLambda(LambdaCall),
    CreateTask(NewTask),
    TargetQueue(String),
    TargetAgent(String),
    TransferToQueue,
    /// A participant is needed, so the call is placed if it is not already.
    Dial {
        caller_id: Option<String>,
    },
    CheckHours(Option<String>),
    TransferToFlow(String),
    Disconnect,
    /// The flow came to its end.
    End,
    /// The flow went round in circles.
    TooManySteps,
}

/// A function to invoke.
#[derive(Debug, Clone, PartialEq)]
pub struct LambdaCall {
    pub arn: String,
    pub limit: Duration,
    pub asynchronous: bool,
    pub parameters: Value,
    pub string_map: bool,
}

/// A task to create.
#[derive(Debug, Clone, PartialEq)]
pub struct NewTask {
    pub name: String,
    pub description: Option<String>,
    pub flow_id: Option<String>,
    pub attributes: Map<String, Value>,
    pub references: Value,
}

/// A flow on its way over a contact.
#[derive(Debug)]
pub struct Run {
    flow: Arc<Flow>,
    at: String,
    loops: HashMap<String, u64>,
    /// What `$` names: the contact as the flow sees it.
    pub document: Value,
    pub steps: Vec<Step>,
}

impl Run {
    pub fn new(flow: Arc<Flow>, document: Value) -> Self {
        let at = flow.start_action.clone();
        Self {
            flow,
            at,
            loops: HashMap::new(),
            document,
            steps: Vec::new(),
        }
    }

    /// Continues with another flow over the same contact.
    pub fn enter(&mut self, flow: Arc<Flow>) {
        self.at = flow.start_action.clone();
        self.flow = flow;
        self.loops.clear();
    }

    /// Runs actions until one needs the driver.
    pub fn advance(&mut self) -> Effect {
        while self.steps.len() < MAX_STEPS {
            let flow = Arc::clone(&self.flow);
            let Some(action) = flow.action(&self.at) else {
                return Effect::End;
            };
            if let Some(effect) = self.perform(action) {
                return effect;
            }
        }
        Effect::TooManySteps
    }

    /// The effect worked: goes on to the next action.
    pub fn succeed(&mut self) {
        self.follow("NextAction", |action| {
            action.transitions.next_action.clone()
        });
    }

    /// The effect failed: takes the branch of that error, or of `NoMatchingError`.
    pub fn fail(&mut self, error: &str) {
        let flow = Arc::clone(&self.flow);
        let Some(action) = flow.action(&self.at) else {
            return;
        };
        let branch = |name: &str| {
            action
                .transitions
                .errors
                .iter()
                .find(|branch| branch.error_type == name)
        };
        match branch(error).or_else(|| branch("NoMatchingError")) {
            Some(branch) => self.go(action, &branch.error_type, Some(branch.next_action.clone())),
            None => self.go(action, error, action.transitions.next_action.clone()),
        }
    }

    /// The effect gave a value: takes the branch of the first condition that holds for it.
    pub fn choose(&mut self, value: &str) {
        let flow = Arc::clone(&self.flow);
        let Some(action) = flow.action(&self.at) else {
            return;
        };
        match action
            .transitions
            .conditions
            .iter()
            .find(|branch| branch.condition.holds(value))
        {
            Some(branch) => self.go(
                action,
                &branch.condition.label(),
                Some(branch.next_action.clone()),
            ),
            None => self.fail("NoMatchingCondition"),
        }
    }

    /// The effect ended the run at this action.
    pub fn finish(&mut self, branch: &str) {
        let flow = Arc::clone(&self.flow);
        if let Some(action) = flow.action(&self.at) {
            self.go(action, branch, None);
        }
    }

    fn follow(&mut self, branch: &str, target: impl Fn(&Action) -> Option<String>) {
        let flow = Arc::clone(&self.flow);
        if let Some(action) = flow.action(&self.at) {
            self.go(action, branch, target(action));
        }
    }

    fn go(&mut self, action: &Action, branch: &str, target: Option<String>) {
        self.steps.push(Step {
            action: action.identifier.clone(),
            kind: action.kind.clone(),
            branch: branch.to_owned(),
        });
        self.at = target.unwrap_or_default();
    }

    fn perform(&mut self, action: &Action) -> Option<Effect> {
        let parameters = &action.parameters;
        let text = |name: &str| parameters.get(name).and_then(Value::as_str);
        let resolved = |name: &str| text(name).map(|text| interpolate(&self.document, text));
        match action.kind.as_str() {
            "Compare" => {
                let value = as_text(
                    text("ComparisonValue").and_then(|reference| lookup(&self.document, reference)),
                );
                self.choose(&value);
                None
            }
            "Loop" => {
                let count = resolved("LoopCount")
                    .and_then(|count| count.parse().ok())
                    .unwrap_or(0);
                self.go_round(&action.identifier, count);
                None
            }
            "UpdateContactAttributes" => {
                let attributes = self.texts(parameters, "Attributes");
                self.merge("Attributes", attributes);
                self.succeed();
                None
            }
            "UpdateFlowAttributes" => {
                let values = parameters
                    .get("FlowAttributes")
                    .and_then(Value::as_object)
                    .into_iter()
                    .flatten();
                let attributes = values.filter_map(|(name, value)| {
                    Some((name.clone(), resolve(&self.document, value.get("Value")?)))
                });
                let attributes = attributes.collect();
                self.merge("FlowAttributes", attributes);
                self.succeed();
                None
            }
            "UpdateContactData" => {
                for name in ["Name", "Description", "LanguageCode", "CustomerId"] {
                    if let Some(value) = text(name).map(|text| interpolate(&self.document, text)) {
                        self.document[name] = Value::String(value);
                    }
                }
                self.succeed();
                None
            }
            "InvokeLambdaFunction" => Some(self.lambda(action)),
            "CreateTask" => Some(Effect::CreateTask(NewTask {
                name: resolved("Name").unwrap_or_default(),
                description: resolved("Description"),
                flow_id: resolved("ContactFlowId"),
                attributes: self.texts(parameters, "Attributes"),
                references: parameters
                    .get("References")
                    .map_or(json!({}), |value| resolve(&self.document, value)),
            })),
            "UpdateContactTargetQueue" => Some(resolved("AgentId").map_or_else(
                || Effect::TargetQueue(resolved("QueueId").unwrap_or_default()),
                Effect::TargetAgent,
            )),
            "TransferContactToQueue" => Some(Effect::TransferToQueue),
            "TransferToFlow" => Some(Effect::TransferToFlow(
                resolved("ContactFlowId").unwrap_or_default(),
            )),
            "CheckHoursOfOperation" => Some(Effect::CheckHours(resolved("HoursOfOperationId"))),
            "MessageParticipant" | "MessageParticipantIteratively" | "GetParticipantInput" => {
                Some(Effect::Dial { caller_id: None })
            }
            "CompleteOutboundCall" => {
                let number = parameters
                    .get("CallerId")
                    .and_then(|caller_id| caller_id.get("Number"))
                    .and_then(Value::as_str);
                let number = number
                    .map(|number| interpolate(&self.document, number))
                    .filter(|number| !number.is_empty());
                Some(Effect::Dial { caller_id: number })
            }
            "DisconnectParticipant" => {
                self.finish("End");
                Some(Effect::Disconnect)
            }
            "EndFlowExecution" => {
                self.finish("End");
                Some(Effect::End)
            }
            _ => {
                self.succeed();
                None
            }
        }
    }

    fn lambda(&self, action: &Action) -> Effect {
        let parameters = &action.parameters;
        let text = |name: &str| parameters.get(name).and_then(Value::as_str);
        let seconds = text("InvocationTimeLimitSeconds")
            .and_then(|seconds| seconds.parse().ok())
            .unwrap_or(3);
        let response = parameters
            .get("ResponseValidation")
            .and_then(|rule| rule.get("ResponseType"))
            .and_then(Value::as_str);
        Effect::InvokeLambda(LambdaCall {
            arn: text("LambdaFunctionARN")
                .map(|arn| interpolate(&self.document, arn))
                .unwrap_or_default(),
            limit: Duration::from_secs(seconds),
            asynchronous: text("InvocationType") == Some("ASYNCHRONOUS"),
            parameters: parameters
                .get("LambdaInvocationAttributes")
                .map_or(json!({}), |value| resolve(&self.document, value)),
            string_map: response != Some("JSON"),
        })
    }

    /// Continues as often as told, then is done, then starts afresh.
    fn go_round(&mut self, identifier: &str, count: u64) {
        let rounds = self.loops.entry(identifier.to_owned()).or_default();
        let value = if *rounds < count {
            *rounds += 1;
            "ContinueLooping"
        } else {
            *rounds = 0;
            "DoneLooping"
        };
        self.choose(value);
    }

    fn texts(&self, parameters: &Map<String, Value>, name: &str) -> Map<String, Value> {
        parameters
            .get(name)
            .and_then(Value::as_object)
            .map(|members| resolve_texts(&self.document, members))
            .unwrap_or_default()
    }

    fn merge(&mut self, name: &str, members: Map<String, Value>) {
        if !self.document[name].is_object() {
            self.document[name] = json!({});
        }
        if let Some(target) = self.document[name].as_object_mut() {
            target.extend(members);
        }
    }
}

#[cfg(test)]
#[path = "run_tests.rs"]
mod tests;
