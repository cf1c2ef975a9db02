//! What is documented of types, operators and references, as tables.

use serde_json::Value;

/// Where a flow may be used.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum FlowType {
    ContactFlow,
    OutboundWhisper,
}

/// What is documented of one type of action.
pub struct Type {
    pub name: &'static str,
    pub flow_types: &'static [FlowType],
    pub parameters: &'static [(&'static str, Holds)],
    pub errors: &'static [&'static str],
    pub has_conditions: bool,
    pub is_terminal: bool,
}

/// What a parameter may hold.
#[derive(Clone, Copy)]
pub enum Holds {
    Words(&'static [&'static str]),
    /// A whole number as text.
    Seconds(u64, u64),
    /// One reference and nothing else.
    Path,
    PathOrArn,
    FunctionArn,
    /// Members of text, each fixed or one reference.
    Attributes,
    ResponseType,
}

use FlowType::{ContactFlow, OutboundWhisper};

const EVERYWHERE: &[FlowType] = &[ContactFlow, OutboundWhisper];

pub const TYPES: &[Type] = &[
    Type {
        name: "UpdateFlowLoggingBehavior",
        flow_types: EVERYWHERE,
        parameters: &[(
            "FlowLoggingBehavior",
            Holds::Words(&["Enabled", "Disabled"]),
        )],
        errors: &[],
        has_conditions: false,
        is_terminal: false,
    },
    Type {
        name: "Compare",
        flow_types: EVERYWHERE,
        parameters: &[("ComparisonValue", Holds::Path)],
        errors: &["NoMatchingCondition"],
        has_conditions: true,
        is_terminal: false,
    },
    Type {
        name: "InvokeLambdaFunction",
        flow_types: EVERYWHERE,
        parameters: &[
            ("LambdaFunctionARN", Holds::FunctionArn),
            ("InvocationTimeLimitSeconds", Holds::Seconds(1, 8)),
            ("LambdaInvocationAttributes", Holds::Attributes),
            ("ResponseValidation", Holds::ResponseType),
        ],
        errors: &["NoMatchingError"],
        has_conditions: false,
        is_terminal: false,
    },
    Type {
        name: "UpdateContactTargetQueue",
        flow_types: &[ContactFlow],
        parameters: &[("AgentId", Holds::PathOrArn)],
        errors: &["NoMatchingError"],
        has_conditions: false,
        is_terminal: false,
    },
    Type {
        name: "TransferContactToQueue",
        flow_types: &[ContactFlow],
        parameters: &[],
        errors: &["QueueAtCapacity", "NoMatchingError"],
        has_conditions: false,
        is_terminal: false,
    },
    Type {
        name: "CompleteOutboundCall",
        flow_types: &[OutboundWhisper],
        parameters: &[],
        errors: &[],
        has_conditions: false,
        is_terminal: false,
    },
    Type {
        name: "EndFlowExecution",
        flow_types: &[OutboundWhisper],
        parameters: &[],
        errors: &[],
        has_conditions: false,
        is_terminal: true,
    },
    Type {
        name: "DisconnectParticipant",
        flow_types: &[ContactFlow],
        parameters: &[],
        errors: &[],
        has_conditions: false,
        is_terminal: true,
    },
];

/// Documented as not allowed in an outbound whisper.
pub const NEVER_IN_A_WHISPER: &[&str] = &[
    "Wait",
    "CheckHoursOfOperation",
    "CheckMetricData",
    "TransferToFlow",
    "InvokeFlowModule",
    "CreateCallbackContact",
    "TransferContactToAgent",
];
/// Names that circulate and are no types.
pub const NO_TYPES: &[&str] = &[
    "SetWorkingQueue",
    "CheckStaffing",
    "TransferToAgent",
    "PlayPrompt",
];
pub const OPERATORS: &[&str] = &[
    "Equals",
    "TextStartsWith",
    "TextEndsWith",
    "TextContains",
    "NumberGreaterThan",
    "NumberGreaterOrEqualTo",
    "NumberLessThan",
    "NumberLessOrEqualTo",
];
const PATHS: &[&str] = &[
    "$.CustomerEndpoint.Address",
    "$.SystemEndpoint.Address",
    "$.Queue.Name",
    "$.Queue.ARN",
    "$.Queue.OutboundCallerId.Address",
    "$.ContactId",
    "$.InitialContactId",
    "$.PreviousContactId",
    "$.InstanceARN",
    "$.InitiationMethod",
    "$.Channel",
    "$.AwsRegion",
    "$.Agent.ARN",
    "$.Agent.UserName",
    "$.Agent.FirstName",
    "$.Agent.LastName",
    "$.LanguageCode",
    "$.CustomerId",
];
const OPEN_PATHS: &[&str] = &["$.Attributes.", "$.FlowAttributes.", "$.External."];
impl Holds {
    pub fn by(self, value: &Value) -> bool {
        let text = value.as_str().unwrap_or_default();
        match self {
            Self::Words(words) => words.contains(&text),
            Self::Seconds(least, most) => text
                .parse()
                .is_ok_and(|seconds: u64| (least..=most).contains(&seconds)),
            Self::Path => is_path(text),
            Self::PathOrArn => is_path(text) || text.starts_with("arn:"),
            Self::FunctionArn => is_function_arn(text),
            Self::Attributes => value.as_object().is_some_and(|members| {
                let is_fine = |value: &Value| match value.as_str() {
                    Some(text) => is_path(text) || !text.contains('$'),
                    None => false,
                };
                members.values().all(is_fine)
            }),
            Self::ResponseType => {
                let kind = value.get("ResponseType").and_then(Value::as_str);
                matches!(kind, Some("STRING_MAP" | "JSON"))
            }
        }
    }
}

fn is_function_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.split(':').collect();
    matches!(
        parts.as_slice(),
        ["arn", partition, "lambda", region, account, "function", name]
            if partition.starts_with("aws") && !region.is_empty() && account.len() == 12
                && (1..=64).contains(&name.len())
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    )
}

fn is_path(text: &str) -> bool {
    PATHS.contains(&text)
        || OPEN_PATHS.iter().any(|open| {
            text.strip_prefix(open)
                .is_some_and(|key| !key.is_empty() && !key.contains(char::is_whitespace))
        })
}
