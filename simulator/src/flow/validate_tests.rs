//! One good and one bad flow for each rule of publishing.

use serde_json::{Value, json};

use super::*;

const ARN: &str = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1";
const UUID: &str = "0b1d7a3e-7c58-4b7f-9d0a-3f2a5f6f7a10";

fn messages(flow_type: FlowType, content: &Value) -> Vec<String> {
    validate(&content.to_string(), flow_type, Options::default())
        .into_iter()
        .map(|problem| problem.message)
        .collect()
}

/// A flow of one action in front of its end.
fn around(kind: &str, parameters: Value, transitions: Value, end: &str) -> Value {
    json!({"Version": "2019-10-30", "StartAction": "a", "Metadata": {}, "Actions": [
        {"Identifier": "a", "Type": kind, "Parameters": parameters, "Transitions": transitions},
        {"Identifier": "end", "Type": end, "Parameters": {}, "Transitions": {}},
    ]})
}

fn whisper(kind: &str, parameters: Value, transitions: Value) -> Vec<String> {
    messages(
        FlowType::OutboundWhisper,
        &around(kind, parameters, transitions, "EndFlowExecution"),
    )
}

fn inbound(kind: &str, parameters: Value, transitions: Value) -> Vec<String> {
    messages(
        FlowType::ContactFlow,
        &around(kind, parameters, transitions, "DisconnectParticipant"),
    )
}

fn failing(errors: &[&str]) -> Value {
    let errors: Vec<_> = errors
        .iter()
        .map(|error| json!({"ErrorType": error, "NextAction": "end"}))
        .collect();
    json!({"NextAction": "end", "Errors": errors})
}

fn choosing(operands: &[&str], errors: &[&str]) -> Value {
    let mut transitions = failing(errors);
    transitions["Conditions"] = operands
        .iter()
        .map(|operand| json!({"NextAction": "end", "Condition": {"Operator": "Equals", "Operands": [operand]}}))
        .collect();
    transitions
}

#[test]
fn well_formed_actions_are_published() {
    let lambda = json!({"LambdaFunctionARN": ARN, "InvocationTimeLimitSeconds": "8",
        "LambdaInvocationAttributes": {"AgentARN": "$.Agent.ARN"}, "ResponseValidation": {"ResponseType": "STRING_MAP"}});
    let nothing: Vec<String> = Vec::new();
    assert_eq!(
        whisper(
            "UpdateFlowLoggingBehavior",
            json!({"FlowLoggingBehavior": "Enabled"}),
            failing(&[])
        ),
        nothing
    );
    assert_eq!(
        whisper(
            "Compare",
            json!({"ComparisonValue": "$.Channel"}),
            choosing(&["VOICE"], &["NoMatchingCondition"])
        ),
        nothing
    );
    assert_eq!(
        whisper(
            "InvokeLambdaFunction",
            lambda,
            failing(&["NoMatchingError"])
        ),
        nothing
    );
    assert_eq!(
        whisper(
            "Loop",
            json!({"LoopCount": "3"}),
            choosing(&["ContinueLooping", "DoneLooping"], &[])
        ),
        nothing
    );
    assert_eq!(
        whisper("CompleteOutboundCall", json!({}), failing(&[])),
        nothing
    );
    assert_eq!(
        whisper(
            "CompleteOutboundCall",
            json!({"CallerId": {"Number": "$.Attributes.from"}}),
            failing(&[])
        ),
        nothing
    );
    assert_eq!(
        whisper(
            "MessageParticipant",
            json!({"Text": "Hello $.Attributes.name"}),
            failing(&[])
        ),
        nothing
    );
    assert_eq!(
        whisper(
            "CreateTask",
            json!({"Name": "Notice", "ContactFlowId": UUID, "Attributes": {"AgentARN": "$.Agent.ARN"}}),
            failing(&["NoMatchingError"])
        ),
        nothing
    );
    assert_eq!(
        inbound(
            "TransferContactToQueue",
            json!({}),
            failing(&["QueueAtCapacity", "NoMatchingError"])
        ),
        nothing
    );
    assert_eq!(
        inbound(
            "UpdateContactTargetQueue",
            json!({"AgentId": "$.Attributes.AgentARN"}),
            failing(&["NoMatchingError"])
        ),
        nothing
    );
    assert_eq!(
        inbound(
            "CheckHoursOfOperation",
            json!({}),
            choosing(&["True", "False"], &["NoMatchingError"])
        ),
        nothing
    );
}

#[test]
fn each_fault_is_told_in_connects_words() {
    let lambda = |member: &str, value: Value| {
        let mut parameters = json!({"LambdaFunctionARN": ARN, "InvocationTimeLimitSeconds": "8"});
        parameters[member] = value;
        whisper(
            "InvokeLambdaFunction",
            parameters,
            failing(&["NoMatchingError"]),
        )
    };
    let value = |name: &str| {
        vec![format!(
            "Invalid Action property value. Path: Actions[0].Parameters.{name}"
        )]
    };
    let cases = [
        (whisper("PlayPrompt", json!({}), failing(&[])), vec!["Invalid Action type. Type: PlayPrompt".to_owned()]),
        (
            inbound("TransferContactToQueue", json!({}), failing(&["NoMatchingError"])),
            vec!["Action is missing required error. Error: QueueAtCapacity, Path: Actions[0]".to_owned()],
        ),
        (
            inbound("TransferContactToQueue", json!({}), failing(&["QueueAtCapacity", "NoMatchingError", "QueueDoesNotExist"])),
            vec!["Invalid Action error. Error: QueueDoesNotExist".to_owned()],
        ),
        (
            inbound("TransferContactToQueue", json!({"QueueId": UUID}), failing(&["QueueAtCapacity", "NoMatchingError"])),
            vec!["Invalid Action property name. Path: Actions[0].Parameters.QueueId".to_owned()],
        ),
        (
            whisper("Compare", json!({"ComparisonValue": "$.Channel"}), json!({"Errors": [{"ErrorType": "NoMatchingCondition", "NextAction": "end"}]})),
            vec!["Action is missing required property. Path: Actions[0].Transitions.NextAction".to_owned()],
        ),
        (
            whisper("Compare", json!({"ComparisonValue": "$.Channel"}), choosing(&["VOICE"], &[])),
            vec!["Action is missing required error. Error: NoMatchingCondition, Path: Actions[0]".to_owned()],
        ),
        (whisper("Compare", json!({"ComparisonValue": "VOICE"}), choosing(&[], &["NoMatchingCondition"])), value("ComparisonValue")),
        (
            inbound("Wait", json!({"TimeoutSeconds": "5"}), failing(&[])),
            vec![
                "Invalid Action property name. Path: Actions[0].Parameters.TimeoutSeconds".to_owned(),
                "Action is missing required property. Path: Actions[0].Parameters.TimeLimitSeconds".to_owned(),
            ],
        ),
        (
            inbound("UpdateContactTargetQueue", json!({"AgentId": "jane"}), failing(&["NoMatchingError"])),
            vec!["Not a supported id format. Path: Actions[0].Parameters.AgentId".to_owned()],
        ),
        (
            inbound("UpdateContactTargetQueue", json!({"AgentId": UUID, "QueueId": UUID}), failing(&["NoMatchingError"])),
            vec!["Invalid Action property name. Path: Actions[0].Parameters.AgentId".to_owned()],
        ),
        (
            inbound("UpdateContactTargetQueue", json!({}), failing(&["NoMatchingError"])),
            vec!["Action is missing required property. Path: Actions[0].Parameters.QueueId".to_owned()],
        ),
        (lambda("InvocationTimeLimitSeconds", json!("9")), value("InvocationTimeLimitSeconds")),
        (lambda("InvocationTimeLimitSeconds", json!("0")), value("InvocationTimeLimitSeconds")),
        (lambda("InvocationTimeLimitSeconds", json!(8)), value("InvocationTimeLimitSeconds")),
        (lambda("InvocationTimeLimitSeconds", json!("$.Attributes.limit")), value("InvocationTimeLimitSeconds")),
        (lambda("LambdaFunctionARN", json!("ringfence-limiter-1")), value("LambdaFunctionARN")),
        (lambda("ResponseValidation", json!({"ResponseType": "TEXT"})), value("ResponseValidation")),
        (
            whisper("Loop", json!({"LoopCount": "3"}), choosing(&["ContinueLooping"], &[])),
            vec!["Action is missing required condition. Condition: DoneLooping, Path: Actions[0]".to_owned()],
        ),
        (whisper("Loop", json!({"LoopCount": "101"}), choosing(&["ContinueLooping", "DoneLooping"], &[])), value("LoopCount")),
        (
            inbound("CheckHoursOfOperation", json!({}), choosing(&["True", "Maybe", "False"], &["NoMatchingError"])),
            vec!["Invalid Action condition. Path: Actions[0]".to_owned()],
        ),
        (
            whisper("CompleteOutboundCall", json!({}), failing(&["NoMatchingError"])),
            vec!["Invalid Action error. Error: NoMatchingError".to_owned()],
        ),
        (whisper("CompleteOutboundCall", json!({"CallerId": {"Number": "+12065550100"}}), failing(&[])), value("CallerId")),
        (
            whisper("EndFlowExecution", json!({}), failing(&[])),
            vec!["Invalid Action property name. Path: Actions[0].Transitions.NextAction".to_owned()],
        ),
        (
            whisper("UpdateFlowLoggingBehavior", json!({"FlowLoggingBehavior": "Enabled"}), json!({"NextAction": "nowhere"})),
            vec!["Action refers to an Action that does not exist. Identifier: nowhere, Path: Actions[0].Transitions.NextAction".to_owned()],
        ),
    ];
    for (found, expected) in cases {
        assert_eq!(found, expected);
    }
}

#[test]
fn an_action_is_refused_in_a_flow_type_that_does_not_have_it() {
    let not_supported = |kind: &str, flow: &str| {
        vec![format!(
            "Action type is not supported in this flow type. Type: {kind}, Flow type: {flow}"
        )]
    };
    for (kind, parameters, transitions) in [
        ("DisconnectParticipant", json!({}), json!({})),
        (
            "UpdateContactTargetQueue",
            json!({"QueueId": UUID}),
            failing(&["NoMatchingError"]),
        ),
        (
            "TransferContactToQueue",
            json!({}),
            failing(&["QueueAtCapacity", "NoMatchingError"]),
        ),
        (
            "TransferToFlow",
            json!({"ContactFlowId": UUID}),
            failing(&["NoMatchingError"]),
        ),
        (
            "InvokeFlowModule",
            json!({"FlowModuleId": UUID}),
            failing(&["NoMatchingError"]),
        ),
        (
            "CheckHoursOfOperation",
            json!({}),
            choosing(&["True", "False"], &["NoMatchingError"]),
        ),
        ("Wait", json!({"TimeLimitSeconds": "5"}), failing(&[])),
    ] {
        assert_eq!(
            whisper(kind, parameters, transitions),
            not_supported(kind, "OUTBOUND_WHISPER")
        );
    }
    assert_eq!(
        inbound("CompleteOutboundCall", json!({}), failing(&[])),
        not_supported("CompleteOutboundCall", "CONTACT_FLOW")
    );
    assert_eq!(
        inbound("EndFlowExecution", json!({}), json!({})),
        not_supported("EndFlowExecution", "CONTACT_FLOW")
    );
}

#[test]
fn the_flow_itself_is_checked() {
    let good = around(
        "CompleteOutboundCall",
        json!({}),
        failing(&[]),
        "EndFlowExecution",
    );
    let with = |pointer: &str, value: Value| {
        let mut flow = good.clone();
        *flow.pointer_mut(pointer).expect("pointer") = value;
        messages(FlowType::OutboundWhisper, &flow)
    };
    assert_eq!(
        with("/Version", json!("2020-01-01")),
        ["Invalid flow version. Expected: 2019-10-30"]
    );
    assert_eq!(
        with("/StartAction", json!("b")),
        ["StartAction does not exist. Identifier: b"]
    );
    assert_eq!(
        with("/Actions", json!([])),
        ["Flow is missing required property. Path: Actions"]
    );
    assert!(
        with("/Actions/1/Identifier", json!("a"))
            .contains(&"Duplicate Action identifier. Identifier: a".to_owned())
    );
    for identifier in ["__proto__", "constructor", "a/b", "a$", "", &"x".repeat(51)] {
        assert!(
            with("/Actions/1/Identifier", json!(identifier))
                .contains(&"Invalid Action identifier. Path: Actions[1].Identifier".to_owned()),
            "{identifier}"
        );
    }
    let text =
        |content: &str| validate(content, FlowType::OutboundWhisper, Options::default()).len();
    assert_eq!(text("{"), 1);
    assert_eq!(text("[]"), 1);
    let padded = |length: usize| {
        let content = good.to_string();
        content.clone() + &" ".repeat(length - content.len())
    };
    assert_eq!(text(&padded(MAX_CONTENT_CHARACTERS)), 0);
    assert_eq!(text(&padded(MAX_CONTENT_CHARACTERS + 1)), 1);
}

#[test]
fn at_most_250_actions_and_at_most_50_problems() {
    let chain = |length: usize| {
        let actions: Vec<_> = (0..length)
            .map(|index| {
                if index + 1 == length {
                    json!({"Identifier": index.to_string(), "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}})
                } else {
                    json!({"Identifier": index.to_string(), "Type": "CompleteOutboundCall", "Parameters": {},
                        "Transitions": {"NextAction": (index + 1).to_string()}})
                }
            })
            .collect();
        json!({"Version": "2019-10-30", "StartAction": "0", "Actions": actions})
    };
    assert!(messages(FlowType::OutboundWhisper, &chain(250)).is_empty());
    assert_eq!(
        messages(FlowType::OutboundWhisper, &chain(251)),
        ["Flow has too many actions. Maximum: 250"]
    );
    assert_eq!(messages(FlowType::ContactFlow, &chain(200)).len(), 50);
}

#[test]
fn a_qualified_function_is_refused_when_the_switch_says_so() {
    let flow = around(
        "InvokeLambdaFunction",
        json!({"LambdaFunctionARN": format!("{ARN}:s01"), "InvocationTimeLimitSeconds": "8"}),
        failing(&["NoMatchingError"]),
        "EndFlowExecution",
    )
    .to_string();
    assert!(
        validate(
            &flow,
            FlowType::OutboundWhisper,
            Options {
                qualified_lambda_arn: true
            }
        )
        .is_empty()
    );
    assert_eq!(
        validate(
            &flow,
            FlowType::OutboundWhisper,
            Options {
                qualified_lambda_arn: false
            }
        )
        .len(),
        1
    );
}
