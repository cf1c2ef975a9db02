//! The documented rules of Connect's flow language, version 2019-10-30, as a checker of its own: it shares nothing with
//! the composing code nor with the simulator. Types that the documentation describes only loosely, and which only
//! customers' flows have, are held to the rules that hold for every action.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

mod types;

pub use types::FlowType;
use types::{NEVER_IN_A_WHISPER, NO_TYPES, OPERATORS, TYPES, Type};

/// Sub-conditions are documented to be at most so many; no other bound of a comparison is.
const CONDITIONS_MAX: usize = 50;
/// Functions in a row without a prompt between them.
const CHAIN_SECONDS_MAX: u64 = 20;

/// Every rule that the content breaks.
pub fn broken(content: &str, flow_type: FlowType) -> Vec<String> {
    let mut check = Check {
        flow_type,
        broken: Vec::new(),
    };
    if content.chars().count() > 256_000 {
        check.say("the content is longer than 256 000 characters".to_owned());
    }
    match serde_json::from_str::<Value>(content) {
        Ok(Value::Object(flow)) => check.flow(&flow),
        _ => check.say("the content is no JSON object".to_owned()),
    }
    check.broken
}

struct Check {
    flow_type: FlowType,
    broken: Vec<String>,
}

type Actions<'a> = BTreeMap<&'a str, &'a Map<String, Value>>;

impl Check {
    fn say(&mut self, what: String) {
        self.broken.push(what);
    }

    fn flow(&mut self, flow: &Map<String, Value>) {
        if flow.get("Version").and_then(Value::as_str) != Some("2019-10-30") {
            self.say("Version is not 2019-10-30".to_owned());
        }
        if flow.get("Metadata").is_some_and(|found| !found.is_object()) {
            self.say("Metadata is no object".to_owned());
        }
        let listed = flow.get("Actions").and_then(Value::as_array);
        let listed = listed.map(Vec::as_slice).unwrap_or_default();
        if listed.is_empty() || listed.len() > 250 {
            self.say(format!("{} actions", listed.len()));
        }
        let mut actions = Actions::new();
        for action in listed.iter().filter_map(Value::as_object) {
            let name = text(action, "Identifier").unwrap_or_default();
            if !is_identifier(name) {
                self.say(format!("{name:?} is no identifier"));
            }
            if actions.insert(name, action).is_some() {
                self.say(format!("{name} stands twice"));
            }
        }
        if actions.len() != listed.len() {
            self.say("an action is no object".to_owned());
        }
        match text(flow, "StartAction") {
            Some(start) if actions.contains_key(start) => self.chains(&actions, start),
            other => self.say(format!("StartAction names {other:?}")),
        }
        for (name, action) in &actions {
            self.action(name, action, &actions);
        }
    }

    fn action(&mut self, name: &str, action: &Map<String, Value>, actions: &Actions<'_>) {
        let kind = text(action, "Type").unwrap_or_default();
        let empty = Map::new();
        let member = |key: &str| action.get(key).map_or(Some(&empty), Value::as_object);
        let (Some(parameters), Some(transitions)) = (member("Parameters"), member("Transitions"))
        else {
            return self.say(format!("{name}: Parameters or Transitions is no object"));
        };
        if kind.is_empty() || NO_TYPES.contains(&kind) {
            self.say(format!("{name}: {kind:?} is no type"));
        }
        if self.flow_type == FlowType::OutboundWhisper && NEVER_IN_A_WHISPER.contains(&kind) {
            self.say(format!(
                "{name}: {kind} is not allowed in an outbound whisper"
            ));
        }
        let known = TYPES.iter().find(|known| known.name == kind);
        if let Some(known) = known {
            if !known.flow_types.contains(&self.flow_type) {
                self.say(format!(
                    "{name}: {kind} is not allowed in this type of flow"
                ));
            }
            self.parameters(name, known, parameters);
            if known.is_terminal {
                if transitions
                    .values()
                    .any(|value| value.as_array().is_none_or(|list| !list.is_empty()))
                {
                    self.say(format!("{name}: a terminal action goes on"));
                }
                return;
            }
        }
        self.target(&format!("{name}.NextAction"), transitions, actions);
        self.errors(name, known, transitions, actions);
        self.conditions(name, known, transitions, actions);
    }

    fn target(&mut self, place: &str, holder: &Map<String, Value>, actions: &Actions<'_>) {
        match text(holder, "NextAction") {
            Some(target) if actions.contains_key(target) => {}
            other => self.say(format!("{place} names {other:?}")),
        }
    }

    fn errors(
        &mut self,
        name: &str,
        known: Option<&Type>,
        transitions: &Map<String, Value>,
        actions: &Actions<'_>,
    ) {
        let mut found = BTreeSet::new();
        for branch in objects(transitions, "Errors") {
            self.target(&format!("{name}.Errors"), branch, actions);
            let kind = text(branch, "ErrorType").unwrap_or_default();
            if kind.is_empty() || !found.insert(kind) {
                self.say(format!(
                    "{name}: the error {kind:?} is missing or stands twice"
                ));
            }
        }
        if let Some(known) = known
            && found != known.errors.iter().copied().collect()
        {
            self.say(format!(
                "{name}: errors {found:?} instead of {:?}",
                known.errors
            ));
        }
    }

    fn conditions(
        &mut self,
        name: &str,
        known: Option<&Type>,
        transitions: &Map<String, Value>,
        actions: &Actions<'_>,
    ) {
        let branches = objects(transitions, "Conditions");
        if branches.len() > CONDITIONS_MAX {
            self.say(format!("{name}: {} conditions", branches.len()));
        }
        if known.is_some_and(|known| !known.has_conditions) && !branches.is_empty() {
            self.say(format!("{name}: takes no conditions"));
        }
        if known.is_some_and(|known| known.has_conditions) && branches.is_empty() {
            self.say(format!("{name}: compares with nothing"));
        }
        for branch in branches {
            self.target(&format!("{name}.Conditions"), branch, actions);
            let condition = branch.get("Condition").and_then(Value::as_object);
            let operator = condition.and_then(|condition| text(condition, "Operator"));
            if !operator.is_some_and(|operator| OPERATORS.contains(&operator)) {
                self.say(format!("{name}: {operator:?} is no operator"));
            }
            let operands = condition.and_then(|condition| condition.get("Operands")?.as_array());
            if !operands.is_some_and(|list| !list.is_empty() && list.iter().all(Value::is_string)) {
                self.say(format!("{name}: operands are texts, at least one"));
            }
        }
    }

    fn parameters(&mut self, name: &str, known: &Type, given: &Map<String, Value>) {
        for key in given.keys() {
            if !known
                .parameters
                .iter()
                .any(|(parameter, _)| parameter == key)
            {
                self.say(format!("{name}: {} has no parameter {key}", known.name));
            }
        }
        for (parameter, rule) in known.parameters {
            match given.get(*parameter) {
                Some(value) if rule.by(value) => {}
                other => self.say(format!("{name}.{parameter}: {other:?}")),
            }
        }
    }

    /// Whether functions in a row could take longer than Connect lets them.
    fn chains(&mut self, actions: &Actions<'_>, start: &str) {
        let mut longest: BTreeMap<&str, u64> = BTreeMap::new();
        let mut open = vec![(start, 0)];
        while let Some((name, so_far)) = open.pop() {
            let Some(action) = actions.get(name) else {
                continue;
            };
            let seconds = match text(action, "Type") {
                // Of the customer's functions nothing is known; ours come first and in a row.
                Some("InvokeLambdaFunction") if name.starts_with("rf-") => so_far + seconds(action),
                Some("MessageParticipant" | "CompleteOutboundCall") => 0,
                _ => so_far,
            };
            if seconds > CHAIN_SECONDS_MAX {
                return self.say(format!("functions in a row up to {name} take {seconds} s"));
            }
            if longest.get(name).is_some_and(|known| *known >= seconds) {
                continue;
            }
            longest.insert(name, seconds);
            let transitions = action.get("Transitions").and_then(Value::as_object);
            let Some(transitions) = transitions else {
                continue;
            };
            let branches = ["Errors", "Conditions"]
                .map(|list| objects(transitions, list))
                .concat();
            open.extend(
                branches
                    .into_iter()
                    .chain([transitions])
                    .filter_map(|branch| Some((text(branch, "NextAction")?, seconds))),
            );
        }
    }
}

fn is_identifier(name: &str) -> bool {
    (1..=50).contains(&name.chars().count())
        && !name.contains([
            '%', ':', '(', '\\', '/', ')', '=', '$', ',', ';', '[', ']', '{', '}',
        ])
        && !["__proto__", "constructor"].contains(&name)
}

fn seconds(action: &Map<String, Value>) -> u64 {
    let limit = action
        .get("Parameters")
        .and_then(|parameters| parameters.get("InvocationTimeLimitSeconds"));
    limit
        .and_then(Value::as_str)
        .and_then(|text| text.parse().ok())
        .unwrap_or_default()
}

fn objects<'a>(holder: &'a Map<String, Value>, list: &str) -> Vec<&'a Map<String, Value>> {
    let found = holder.get(list).and_then(Value::as_array);
    found
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .collect()
}

fn text<'a>(holder: &'a Map<String, Value>, member: &str) -> Option<&'a str> {
    holder.get(member).and_then(Value::as_str)
}
