//! The check that publishing a flow makes.
//!
//! All problems are found together, up to the 50 that Amazon Connect reports, worded as it words them where that is
//! known. Only what is documented is checked: that a referenced function, queue or flow exists is not.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};

use super::FlowType;
use super::spec::{self, ActionSpec, Conditions, OPERATORS, Rule};
use super::values::{self, Verdict};

/// The longest content of a flow, in characters.
pub const MAX_CONTENT_CHARACTERS: usize = 256_000;
const MAX_ACTIONS: usize = 250;
const MAX_IDENTIFIER_CHARACTERS: usize = 50;
const MAX_PROBLEMS: usize = 50;
const MAX_MESSAGE_CHARACTERS: usize = 256;
const VERSION: &str = "2019-10-30";

/// One reason why a flow cannot be published.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub message: String,
}

/// Answers to questions that the documentation leaves open.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Whether a function may be named with a version or alias.
    pub qualified_lambda_arn: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            qualified_lambda_arn: true,
        }
    }
}

/// Everything that keeps the content from being published as a flow of this type.
pub fn validate(content: &str, flow_type: FlowType, options: Options) -> Vec<Problem> {
    let mut check = Check {
        flow_type,
        options,
        problems: Vec::new(),
    };
    if content.chars().count() > MAX_CONTENT_CHARACTERS {
        check.problem(format!(
            "Flow content is too long. Maximum: {MAX_CONTENT_CHARACTERS} characters"
        ));
    } else {
        match serde_json::from_str::<Value>(content) {
            Ok(Value::Object(flow)) => check.flow(&flow),
            _ => check.problem("Invalid flow content. It is not a JSON object".to_owned()),
        }
    }
    check.problems
}

struct Check {
    flow_type: FlowType,
    options: Options,
    problems: Vec<Problem>,
}

impl Check {
    fn problem(&mut self, message: String) {
        if self.problems.len() < MAX_PROBLEMS {
            self.problems.push(Problem {
                message: message.chars().take(MAX_MESSAGE_CHARACTERS).collect(),
            });
        }
    }

    fn missing(&mut self, path: String) {
        self.problem(format!("Action is missing required property. Path: {path}"));
    }

    fn bad_value(&mut self, path: String) {
        self.problem(format!("Invalid Action property value. Path: {path}"));
    }

    fn bad_name(&mut self, path: String) {
        self.problem(format!("Invalid Action property name. Path: {path}"));
    }

    fn flow(&mut self, flow: &Map<String, Value>) {
        if flow.get("Version").and_then(Value::as_str) != Some(VERSION) {
            self.problem(format!("Invalid flow version. Expected: {VERSION}"));
        }
        if flow
            .get("Metadata")
            .is_some_and(|metadata| !metadata.is_object())
        {
            self.problem("Invalid flow property value. Path: Metadata".to_owned());
        }
        let Some(actions) = flow
            .get("Actions")
            .and_then(Value::as_array)
            .filter(|actions| !actions.is_empty())
        else {
            return self.problem("Flow is missing required property. Path: Actions".to_owned());
        };
        if actions.len() > MAX_ACTIONS {
            self.problem(format!("Flow has too many actions. Maximum: {MAX_ACTIONS}"));
        }
        let identifiers = self.identifiers(actions);
        match flow.get("StartAction").and_then(Value::as_str) {
            None => self.problem("Flow is missing required property. Path: StartAction".to_owned()),
            Some(start) if !identifiers.contains(start) => {
                self.problem(format!("StartAction does not exist. Identifier: {start}"));
            }
            Some(_) => {}
        }
        for (index, action) in actions.iter().enumerate() {
            self.action(&format!("Actions[{index}]"), action, &identifiers);
        }
    }

    fn identifiers(&mut self, actions: &[Value]) -> BTreeSet<String> {
        let mut seen = BTreeSet::new();
        for (index, action) in actions.iter().enumerate() {
            let path = format!("Actions[{index}].Identifier");
            match action.get("Identifier").and_then(Value::as_str) {
                None => self.missing(path),
                Some(identifier) if !valid_identifier(identifier) => {
                    self.problem(format!("Invalid Action identifier. Path: {path}"));
                }
                Some(identifier) => {
                    if !seen.insert(identifier.to_owned()) {
                        self.problem(format!(
                            "Duplicate Action identifier. Identifier: {identifier}"
                        ));
                    }
                }
            }
        }
        seen
    }

    fn action(&mut self, path: &str, action: &Value, identifiers: &BTreeSet<String>) {
        let Some(members) = action.as_object() else {
            return self.problem(format!("Invalid Action. Path: {path}"));
        };
        for name in members.keys().filter(|name| {
            !["Identifier", "Type", "Parameters", "Transitions"].contains(&name.as_str())
        }) {
            self.bad_name(format!("{path}.{name}"));
        }
        let Some(kind) = members.get("Type").and_then(Value::as_str) else {
            return self.missing(format!("{path}.Type"));
        };
        let Some(spec) = spec::action(kind) else {
            return self.problem(format!("Invalid Action type. Type: {kind}"));
        };
        if !(spec.allowed)(self.flow_type) {
            self.problem(format!(
                "Action type is not supported in this flow type. Type: {kind}, Flow type: {}",
                self.flow_type.as_str()
            ));
        }
        let empty = Map::new();
        match members
            .get("Parameters")
            .map_or(Some(&empty), Value::as_object)
        {
            Some(parameters) => self.parameters(path, spec, parameters),
            None => self.bad_value(format!("{path}.Parameters")),
        }
        match members
            .get("Transitions")
            .map_or(Some(&empty), Value::as_object)
        {
            Some(transitions) => self.transitions(path, spec, transitions, identifiers),
            None => self.bad_value(format!("{path}.Transitions")),
        }
    }

    fn parameters(&mut self, path: &str, spec: &ActionSpec, given: &Map<String, Value>) {
        let Some(known) = spec.parameters else { return };
        for (name, value) in given {
            let at = format!("{path}.Parameters.{name}");
            match known.iter().find(|parameter| parameter.name == name) {
                None => self.bad_name(at),
                Some(parameter) => self.value(at, parameter.rule, value),
            }
        }
        for parameter in known
            .iter()
            .filter(|parameter| parameter.required && !given.contains_key(parameter.name))
        {
            self.missing(format!("{path}.Parameters.{}", parameter.name));
        }
        let chosen: Vec<_> = spec
            .exactly_one_of
            .iter()
            .filter(|name| given.contains_key(**name))
            .collect();
        match (spec.exactly_one_of, chosen.as_slice()) {
            ([], _) | (_, [_]) => {}
            ([first, ..], []) => self.missing(format!("{path}.Parameters.{first}")),
            (_, [_, second, ..]) => self.bad_name(format!("{path}.Parameters.{second}")),
        }
    }

    fn value(&mut self, path: String, rule: Rule, value: &Value) {
        match values::judge(rule, value, self.options) {
            Verdict::Fine => {}
            Verdict::BadId => self.problem(format!("Not a supported id format. Path: {path}")),
            Verdict::Bad => self.bad_value(path),
        }
    }

    fn transitions(
        &mut self,
        path: &str,
        spec: &ActionSpec,
        given: &Map<String, Value>,
        identifiers: &BTreeSet<String>,
    ) {
        let path = format!("{path}.Transitions");
        if spec.terminal {
            // The console writes empty lists where there is nothing to say.
            let said = given
                .iter()
                .filter(|(_, value)| value.as_array().is_none_or(|items| !items.is_empty()));
            for (name, _) in said {
                self.bad_name(format!("{path}.{name}"));
            }
            return;
        }
        for name in given
            .keys()
            .filter(|name| !["NextAction", "Errors", "Conditions"].contains(&name.as_str()))
        {
            self.bad_name(format!("{path}.{name}"));
        }
        self.target(
            format!("{path}.NextAction"),
            given.get("NextAction"),
            identifiers,
        );
        self.errors(&path, spec, given.get("Errors"), identifiers);
        self.conditions(&path, spec, given.get("Conditions"), identifiers);
    }

    fn target(&mut self, path: String, target: Option<&Value>, identifiers: &BTreeSet<String>) {
        match target.and_then(Value::as_str) {
            None => self.missing(path),
            Some(target) if !identifiers.contains(target) => {
                self.problem(format!("Action refers to an Action that does not exist. Identifier: {target}, Path: {path}"));
            }
            Some(_) => {}
        }
    }

    fn errors(
        &mut self,
        path: &str,
        spec: &ActionSpec,
        given: Option<&Value>,
        identifiers: &BTreeSet<String>,
    ) {
        let Some(given) = as_list(given) else {
            return self.bad_value(format!("{path}.Errors"));
        };
        let mut seen = BTreeSet::new();
        for (index, error) in given.iter().enumerate() {
            let at = format!("{path}.Errors[{index}]");
            self.target(
                format!("{at}.NextAction"),
                error.get("NextAction"),
                identifiers,
            );
            let Some(name) = error.get("ErrorType").and_then(Value::as_str) else {
                self.missing(format!("{at}.ErrorType"));
                continue;
            };
            let known = spec.required_errors.contains(&name)
                || spec.optional_errors.contains(&name)
                || spec.parameters.is_none();
            if !known || !seen.insert(name) {
                self.problem(format!("Invalid Action error. Error: {name}"));
            }
        }
        for error in spec
            .required_errors
            .iter()
            .filter(|error| !seen.contains(**error))
        {
            let action = path.trim_end_matches(".Transitions");
            self.problem(format!(
                "Action is missing required error. Error: {error}, Path: {action}"
            ));
        }
    }

    fn conditions(
        &mut self,
        path: &str,
        spec: &ActionSpec,
        given: Option<&Value>,
        identifiers: &BTreeSet<String>,
    ) {
        let Some(given) = as_list(given) else {
            return self.bad_value(format!("{path}.Conditions"));
        };
        let mut counted: BTreeMap<&str, u32> = BTreeMap::new();
        for (index, condition) in given.iter().enumerate() {
            let at = format!("{path}.Conditions[{index}]");
            self.target(
                format!("{at}.NextAction"),
                condition.get("NextAction"),
                identifiers,
            );
            let at = format!("{at}.Condition");
            let operator = condition
                .pointer("/Condition/Operator")
                .and_then(Value::as_str);
            match operator {
                None => self.missing(format!("{at}.Operator")),
                Some(operator) if !OPERATORS.contains(&operator) => {
                    self.problem(format!(
                        "Invalid Action condition. Operator: {operator}, Path: {at}"
                    ));
                }
                Some(_) => {}
            }
            let operands = condition
                .pointer("/Condition/Operands")
                .and_then(Value::as_array);
            match operands.map(|operands| {
                (
                    operands,
                    operands
                        .iter()
                        .filter_map(Value::as_str)
                        .collect::<Vec<_>>(),
                )
            }) {
                None => self.missing(format!("{at}.Operands")),
                Some((all, texts)) if all.is_empty() || texts.len() != all.len() => {
                    self.bad_value(format!("{at}.Operands"))
                }
                Some((_, texts)) => {
                    if let (Some("Equals"), [operand]) = (operator, texts.as_slice()) {
                        *counted.entry(operand).or_default() += 1;
                    }
                }
            }
        }
        let action = path.trim_end_matches(".Transitions");
        match spec.conditions {
            Conditions::Any => {}
            Conditions::None if given.is_empty() => {}
            Conditions::None => self.problem(format!("Invalid Action condition. Path: {action}")),
            Conditions::Exactly(wanted) => {
                for operand in wanted
                    .iter()
                    .filter(|operand| !counted.contains_key(**operand))
                {
                    self.problem(format!(
                        "Action is missing required condition. Condition: {operand}, Path: {action}"
                    ));
                }
                if given.len() > wanted.len()
                    || counted.keys().any(|operand| !wanted.contains(operand))
                {
                    self.problem(format!("Invalid Action condition. Path: {action}"));
                }
            }
        }
    }
}

fn as_list(given: Option<&Value>) -> Option<&[Value]> {
    match given {
        None => Some(&[]),
        Some(value) => value.as_array().map(Vec::as_slice),
    }
}

fn valid_identifier(identifier: &str) -> bool {
    const FORBIDDEN: &str = "%:(\\/)=$,;[]{}";
    const RESERVED: &[&str] = &[
        "__proto__",
        "constructor",
        "prototype",
        "toString",
        "valueOf",
        "hasOwnProperty",
        "__defineGetter__",
        "__defineSetter__",
    ];
    !identifier.is_empty()
        && identifier.chars().count() <= MAX_IDENTIFIER_CHARACTERS
        && !identifier.chars().any(|c| FORBIDDEN.contains(c))
        && !RESERVED.contains(&identifier)
}

#[cfg(test)]
#[path = "validate_tests.rs"]
mod tests;
