//! The flow language (version 2019-10-30) as it is run: only what the run needs, read after validation.

use serde::Deserialize;
use serde_json::{Map, Value};

/// A flow's content.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Flow {
    pub start_action: String,
    pub actions: Vec<Action>,
}

/// One block of a flow.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Action {
    pub identifier: String,
    #[serde(rename = "Type")]
    pub kind: String,
    #[serde(default)]
    pub parameters: Map<String, Value>,
    #[serde(default)]
    pub transitions: Transitions,
}

/// Where a block leads.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(rename_all = "PascalCase", default)]
pub struct Transitions {
    pub next_action: Option<String>,
    pub errors: Vec<ErrorBranch>,
    pub conditions: Vec<ConditionBranch>,
}

/// Where a block leads when it fails in a named way.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ErrorBranch {
    pub error_type: String,
    pub next_action: String,
}

/// Where a block leads when its value meets a condition.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct ConditionBranch {
    pub next_action: String,
    pub condition: Condition,
}

/// A comparison of a block's value with fixed operands.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct Condition {
    pub operator: String,
    pub operands: Vec<String>,
}

impl Flow {
    pub fn parse(content: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(content)
    }

    pub fn action(&self, identifier: &str) -> Option<&Action> {
        self.actions
            .iter()
            .find(|action| action.identifier == identifier)
    }
}

impl Condition {
    /// A number that does not parse meets no numeric condition.
    pub fn holds(&self, value: &str) -> bool {
        let number = |text: &str| text.trim().parse::<f64>().ok();
        self.operands
            .iter()
            .any(|operand| match self.operator.as_str() {
                "Equals" => value == operand,
                "TextStartsWith" => value.starts_with(operand.as_str()),
                "TextEndsWith" => value.ends_with(operand.as_str()),
                "TextContains" => value.contains(operand.as_str()),
                numeric => number(value)
                    .zip(number(operand))
                    .is_some_and(|(left, right)| match numeric {
                        "NumberGreaterThan" => left > right,
                        "NumberGreaterOrEqualTo" => left >= right,
                        "NumberLessThan" => left < right,
                        "NumberLessOrEqualTo" => left <= right,
                        _ => false,
                    }),
            })
    }

    /// How a step of a run names the branch it took.
    pub fn label(&self) -> String {
        format!("{} {}", self.operator, self.operands.join(","))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_compare_text_and_numbers() {
        let holds = |operator: &str, operand: &str, value: &str| {
            Condition {
                operator: operator.to_owned(),
                operands: vec![operand.to_owned()],
            }
            .holds(value)
        };
        assert!(holds("Equals", "true", "true"));
        assert!(!holds("Equals", "true", "True"));
        assert!(holds("TextStartsWith", "+1", "+12065550100"));
        assert!(!holds("TextStartsWith", "+1", "12065550100"));
        assert!(holds("TextEndsWith", "00", "100"));
        assert!(holds("TextContains", "55", "12553"));
        assert!(holds("NumberGreaterThan", "5", "6"));
        assert!(!holds("NumberGreaterThan", "5", "5"));
        assert!(holds("NumberGreaterOrEqualTo", "5", "5"));
        assert!(holds("NumberLessThan", "10", "9"));
        assert!(holds("NumberLessOrEqualTo", "5", "5"));
        assert!(!holds("NumberLessThan", "10", "nine"));
    }
}
