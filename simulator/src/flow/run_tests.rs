//! How a run walks, branches and is fed its effects' results.

use serde_json::{Value, json};

use super::*;

fn run(actions: Value, document: Value) -> Run {
    let start = actions[0]["Identifier"].clone();
    let content =
        json!({"Version": "2019-10-30", "StartAction": start, "Actions": actions}).to_string();
    Run::new(Arc::new(Flow::parse(&content).expect("flow")), document)
}

fn branches(run: &Run) -> Vec<(&str, &str)> {
    run.steps
        .iter()
        .map(|step| (step.action.as_str(), step.branch.as_str()))
        .collect()
}

#[test]
fn the_first_condition_that_holds_wins_and_none_takes_the_error_branch() {
    let actions = json!([
        {"Identifier": "c", "Type": "Compare", "Parameters": {"ComparisonValue": "$.CustomerEndpoint.Address"}, "Transitions": {
            "NextAction": "end",
            "Conditions": [
                {"NextAction": "us", "Condition": {"Operator": "TextStartsWith", "Operands": ["+1"]}},
                {"NextAction": "end", "Condition": {"Operator": "TextStartsWith", "Operands": ["+12"]}}],
            "Errors": [{"ErrorType": "NoMatchingCondition", "NextAction": "end"}]}},
        {"Identifier": "us", "Type": "CompleteOutboundCall", "Parameters": {}, "Transitions": {"NextAction": "end"}},
        {"Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}},
    ]);
    let mut american = run(
        actions.clone(),
        json!({"CustomerEndpoint": {"Address": "+12065550100"}}),
    );
    assert_eq!(american.advance(), Effect::Dial { caller_id: None });
    american.succeed();
    assert_eq!(american.advance(), Effect::End);
    assert_eq!(
        branches(&american),
        [
            ("c", "TextStartsWith +1"),
            ("us", "NextAction"),
            ("end", "End")
        ]
    );

    let mut british = run(
        actions.clone(),
        json!({"CustomerEndpoint": {"Address": "+442079460000"}}),
    );
    assert_eq!(british.advance(), Effect::End);
    assert_eq!(
        branches(&british),
        [("c", "NoMatchingCondition"), ("end", "End")]
    );

    let mut nobody = run(actions, json!({"CustomerEndpoint": null}));
    assert_eq!(nobody.advance(), Effect::End);
    assert_eq!(
        branches(&nobody),
        [("c", "NoMatchingCondition"), ("end", "End")]
    );
}

#[test]
fn a_loop_continues_n_times_then_is_done_then_starts_afresh() {
    let actions = json!([
        {"Identifier": "call", "Type": "InvokeLambdaFunction",
            "Parameters": {"LambdaFunctionARN": "arn:x", "InvocationTimeLimitSeconds": "8", "LambdaInvocationAttributes": {"AgentARN": "$.Agent.ARN"}},
            "Transitions": {"NextAction": "end", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "again"}]}},
        {"Identifier": "again", "Type": "Loop", "Parameters": {"LoopCount": "2"}, "Transitions": {"NextAction": "end", "Conditions": [
            {"NextAction": "call", "Condition": {"Operator": "Equals", "Operands": ["ContinueLooping"]}},
            {"NextAction": "end", "Condition": {"Operator": "Equals", "Operands": ["DoneLooping"]}}]}},
        {"Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}},
    ]);
    let mut run = run(actions, json!({"Agent": {"ARN": "arn:agent"}}));
    let mut invocations = 0;
    while let Effect::InvokeLambda(call) = run.advance() {
        assert_eq!(
            (call.parameters, call.limit.as_secs(), call.string_map),
            (json!({"AgentARN": "arn:agent"}), 8, true)
        );
        invocations += 1;
        run.fail("NoMatchingError");
    }
    assert_eq!(invocations, 3);
    assert_eq!(
        run.steps.last().map(|step| step.branch.as_str()),
        Some("End")
    );
}

#[test]
fn texts_and_attributes_are_filled_in() {
    let actions = json!([
        {"Identifier": "set", "Type": "UpdateContactAttributes", "Parameters": {"Attributes": {"who": "$.Agent.UserName"}}, "Transitions": {"NextAction": "task"}},
        {"Identifier": "task", "Type": "CreateTask",
            "Parameters": {"Name": "Blocked", "Description": "Call to $.CustomerEndpoint.Address by $.Attributes.who.", "ContactFlowId": "f",
                "Attributes": {"AgentARN": "$.Agent.ARN"}},
            "Transitions": {"NextAction": "end", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "end"}]}},
        {"Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}},
    ]);
    let document = json!({"Attributes": {}, "Agent": {"UserName": "jane", "ARN": "arn:jane"}, "CustomerEndpoint": {"Address": "+1206"}});
    let mut run = run(actions, document);
    let Effect::CreateTask(task) = run.advance() else {
        panic!("a task")
    };
    assert_eq!(task.description.as_deref(), Some("Call to +1206 by jane."));
    assert_eq!(
        Value::Object(task.attributes),
        json!({"AgentARN": "arn:jane"})
    );
    assert_eq!(task.flow_id.as_deref(), Some("f"));
}

#[test]
fn a_flow_that_goes_round_in_circles_ends() {
    let mut run = run(
        json!([{"Identifier": "a", "Type": "UpdateFlowLoggingBehavior", "Parameters": {}, "Transitions": {"NextAction": "a"}}]),
        json!({}),
    );
    assert_eq!(run.advance(), Effect::TooManySteps);
    assert_eq!(run.steps.len(), MAX_STEPS);
}
