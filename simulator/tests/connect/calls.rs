//! Calls as an agent places them: whisper flows, functions, stops, tasks.

use crate::stage::{Stage, dial, end, lambda_block};
use serde_json::{Value, json};

fn branches(report: &Value) -> Vec<(String, String)> {
    let text = |step: &Value, name: &str| step[name].as_str().expect("text").to_owned();
    report["steps"]
        .as_array()
        .expect("steps")
        .iter()
        .map(|step| (text(step, "action"), text(step, "branch")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected
        .iter()
        .map(|(action, branch)| ((*action).to_owned(), (*branch).to_owned()))
        .collect()
}

/// Waits for the call of this agent that is under way and has not been stopped.
async fn contact_under_way(stage: &Stage) -> String {
    let path = format!("/_sim/contacts?instance_arn={}", stage.instance_arn);
    let under_way =
        |contact: &&Value| contact["channel"] == "VOICE" && contact["disconnected_at"].is_null();
    let seen = stage
        .simulator
        .until(&path, |seen| {
            seen["data"]
                .as_array()
                .expect("data")
                .iter()
                .any(|contact| under_way(&contact))
        })
        .await;
    let contact = seen["data"]
        .as_array()
        .expect("data")
        .iter()
        .find(under_way)
        .expect("contact")
        .clone();
    contact["contact_id"].as_str().expect("id").to_owned()
}

async fn stop(stage: &Stage, contact_id: &str) -> u16 {
    let body = json!({"InstanceId": stage.instance_id, "ContactId": contact_id});
    stage.connect("POST", "/contact/stop", body).await.status
}

#[tokio::test]
async fn a_queue_without_a_whisper_rings_through_the_default_outbound_flow() {
    let stage = Stage::new().await;
    let report = stage.call("+12065550100").await;
    assert_eq!(report["outcome"], "rang");
    assert_eq!(
        branches(&report),
        pairs(&[
            ("recording", "NextAction"),
            ("notice", "NextAction"),
            ("end", "End")
        ])
    );
    assert_eq!(report["caller_id"], "+12065550199");
    let described = stage
        .connect(
            "GET",
            &format!(
                "/contacts/{{i}}/{}",
                report["contact_id"].as_str().expect("id")
            ),
            Value::Null,
        )
        .await;
    assert!(
        described.body["Contact"]["ConnectedToSystemTimestamp"].is_number(),
        "{described:?}"
    );
}

#[tokio::test]
async fn the_event_has_the_documented_members_and_the_agent_only_as_a_parameter() {
    let stage = Stage::new().await;
    stage
        .whisper(json!([
            lambda_block(&stage.function_arn, "echo", "8", "dial", "dial"),
            dial("end"),
            end()
        ]))
        .await;
    let report = stage
        .call_with(json!({"to": "+1 (206) 555-0100", "attributes": {"campaign": "spring"}}))
        .await;
    assert_eq!(report["outcome"], "rang");
    let event: Value = serde_json::from_str(
        report["lambda"][0]["response"]["Event"]
            .as_str()
            .expect("event"),
    )
    .expect("JSON");
    let data = &event["Details"]["ContactData"];
    let contact_id = &report["contact_id"];
    let expected = json!({
        "Attributes": {"campaign": "spring"}, "Channel": "VOICE", "ContactId": contact_id,
        "CustomerEndpoint": {"Address": "+12065550100", "Type": "TELEPHONE_NUMBER"}, "CustomerId": null, "Description": null,
        "InitialContactId": contact_id, "InitiationMethod": "OUTBOUND", "InstanceARN": stage.instance_arn, "LanguageCode": "en-US",
        "MediaStreams": {"Customer": {"Audio": null}}, "Name": null, "PreviousContactId": contact_id,
        "Queue": {"ARN": stage.queues[0]["arn"], "Name": "Sales", "OutboundCallerId": {"Address": "+12065550199", "Type": "TELEPHONE_NUMBER"}},
        "References": {}, "SystemEndpoint": {"Address": "+12065550199", "Type": "TELEPHONE_NUMBER"},
    });
    assert_eq!(*data, expected);
    assert_eq!(event["Name"], "ContactFlowEvent");
    assert_eq!(
        event["Details"]["Parameters"],
        json!({"do": "echo", "AgentARN": stage.agent_arn(0)})
    );
}

#[tokio::test]
async fn an_event_can_be_delivered_again_and_can_be_odd() {
    let stage = Stage::new().await;
    stage
        .whisper(json!([
            lambda_block(&stage.function_arn, "echo", "8", "dial", "dial"),
            dial("end"),
            end()
        ]))
        .await;
    let report = stage
        .call_with(
            json!({"to": null, "deliveries": 3, "event_overrides": {"SystemEndpoint": null}}),
        )
        .await;
    let entries = report["lambda"].as_array().expect("entries");
    assert_eq!(entries.len(), 3);
    for entry in entries {
        let event: Value =
            serde_json::from_str(entry["response"]["Event"].as_str().expect("event"))
                .expect("JSON");
        let data = &event["Details"]["ContactData"];
        assert_eq!(
            (
                &data["CustomerEndpoint"],
                &data["SystemEndpoint"],
                &data["ContactId"]
            ),
            (&Value::Null, &Value::Null, &report["contact_id"])
        );
    }
}

#[tokio::test]
async fn a_contact_stopped_while_its_function_runs_never_rings() {
    let stage = Stage::new().await;
    stage
        .whisper(json!([
            lambda_block(&stage.function_arn, "sleep 400", "8", "dial", "dial"),
            dial("end"),
            end()
        ]))
        .await;
    let stopping = async {
        let contact_id = contact_under_way(&stage).await;
        (
            stop(&stage, &contact_id).await,
            stop(&stage, &contact_id).await,
        )
    };
    let (report, stopped) = tokio::join!(stage.call("+12065550100"), stopping);
    assert_eq!(stopped, (200, 410));
    assert_eq!(report["outcome"], "stopped_before_ringing");
    assert_eq!(
        branches(&report),
        pairs(&[
            ("lambda", "NextAction"),
            ("dial", "ContactEnded"),
            ("end", "End")
        ])
    );
    let described = stage
        .connect(
            "GET",
            &format!(
                "/contacts/{{i}}/{}",
                report["contact_id"].as_str().expect("id")
            ),
            Value::Null,
        )
        .await;
    let contact = &described.body["Contact"];
    assert!(
        contact["DisconnectTimestamp"].is_number()
            && contact["ConnectedToSystemTimestamp"].is_null(),
        "{contact}"
    );
}

#[tokio::test]
async fn a_contact_stopped_after_the_dial_has_rung() {
    let stage = Stage::new().await;
    stage
        .whisper(json!([
            dial("lambda"),
            lambda_block(&stage.function_arn, "sleep 400", "8", "end", "end"),
            end()
        ]))
        .await;
    let stopping = async {
        let contact_id = contact_under_way(&stage).await;
        stage
            .simulator
            .until(&format!("/_sim/contacts/{contact_id}"), |contact| {
                !contact["connected_at"].is_null()
            })
            .await;
        stop(&stage, &contact_id).await
    };
    let (report, stopped) = tokio::join!(stage.call("+12065550100"), stopping);
    assert_eq!(
        (stopped, &report["outcome"]),
        (200, &json!("stopped_after_ringing"))
    );
}

#[tokio::test]
async fn without_a_grant_the_function_is_not_invoked_and_the_call_goes_out() {
    let stage = Stage::new().await;
    let function_arn = stage.function("closed", json!({})).await;
    stage
        .whisper(json!([
            lambda_block(&function_arn, "echo", "8", "end", "dial"),
            dial("end"),
            end()
        ]))
        .await;
    let report = stage.call("+12065550100").await;
    assert_eq!(report["outcome"], "rang");
    assert_eq!(
        branches(&report)[0],
        ("lambda".to_owned(), "NoMatchingError".to_owned())
    );
    let error = report["lambda"][0]["error"].as_str().expect("error");
    assert!(error.starts_with("AccessDeniedException"), "{error}");
    assert_eq!(report["lambda"][0]["attempts"], 1);
}

#[tokio::test]
async fn an_error_is_retried_three_times_and_a_timeout_not_at_all() {
    let stage = Stage::new().await;
    for (what, limit, attempts, works) in [
        ("fail 3", "8", 4, true),
        ("fail 9", "8", 4, false),
        ("sleep 3000", "1", 1, false),
        ("crash", "8", 4, false),
    ] {
        let name = format!("f-{}", what.replace(' ', "-"));
        let function_arn = stage.function(&name, json!({})).await;
        stage.allow(&name).await;
        let actions = json!([
            lambda_block(&function_arn, what, limit, "end", "dial"),
            dial("end"),
            end()
        ]);
        let content = json!({"Version": "2019-10-30", "StartAction": "lambda", "Actions": actions});
        let flow_id = stage.create_flow(&name, "OUTBOUND_WHISPER", &content).await;
        stage.attach(&flow_id).await;
        let report = stage.call("+12065550100").await;
        let entry = &report["lambda"][0];
        assert_eq!(
            (&entry["attempts"], entry["error"].is_null()),
            (&json!(attempts), works),
            "{what}: {entry}"
        );
        assert_eq!(report["outcome"], "rang", "{what}");
        if what.starts_with("sleep") {
            assert!(
                (950..2500).contains(&entry["ms"].as_u64().expect("ms")),
                "{entry}"
            );
        }
    }
}

#[tokio::test]
async fn an_answer_of_the_wrong_shape_takes_the_error_branch() {
    let stage = Stage::new().await;
    for what in [
        "nested",
        "big 40000",
        "raw null",
        "raw not-json",
        "raw \"text\"",
        "raw {\"a\":true}",
    ] {
        let actions = json!([
            lambda_block(&stage.function_arn, what, "8", "end", "dial"),
            dial("end"),
            end()
        ]);
        let content = json!({"Version": "2019-10-30", "StartAction": "lambda", "Actions": actions});
        let flow_id = stage.create_flow(what, "OUTBOUND_WHISPER", &content).await;
        stage.attach(&flow_id).await;
        let report = stage.call("+12065550100").await;
        assert_eq!(
            branches(&report)[0].1,
            "NoMatchingError",
            "{what}: {report}"
        );
    }
}

#[tokio::test]
async fn a_whisper_of_the_samples_shape_sends_its_notice_to_the_agent() {
    let stage = Stage::new().await;
    let notice = stage.notice_flow().await;
    let compare = |identifier: &str,
                   reference: &str,
                   operator: &str,
                   operand: &str,
                   hit: &str,
                   other: &str| {
        json!({"Identifier": identifier, "Type": "Compare", "Parameters": {"ComparisonValue": reference}, "Transitions": {"NextAction": other,
            "Conditions": [{"NextAction": hit, "Condition": {"Operator": operator, "Operands": [operand]}}],
            "Errors": [{"ErrorType": "NoMatchingCondition", "NextAction": other}]}})
    };
    let task = |identifier: &str, name: &str| {
        json!({"Identifier": identifier, "Type": "CreateTask",
            "Parameters": {"Name": name, "Description": "Number $.CustomerEndpoint.Address", "ContactFlowId": notice, "Attributes": {"AgentARN": "$.Agent.ARN"}},
            "Transitions": {"NextAction": "end", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "end"}]}})
    };
    let again = json!({"Identifier": "again", "Type": "Loop", "Parameters": {"LoopCount": "1"}, "Transitions": {"NextAction": "failed", "Conditions": [
        {"NextAction": "lambda", "Condition": {"Operator": "Equals", "Operands": ["ContinueLooping"]}},
        {"NextAction": "failed", "Condition": {"Operator": "Equals", "Operands": ["DoneLooping"]}}]}});
    stage
        .whisper(json!([
            {"Identifier": "log", "Type": "UpdateFlowLoggingBehavior", "Parameters": {"FlowLoggingBehavior": "Enabled"}, "Transitions": {"NextAction": "prefix"}},
            compare("prefix", "$.CustomerEndpoint.Address", "TextStartsWith", "+1", "lambda", "end"),
            lambda_block(&stage.function_arn, "raw {\"CallAllowed\":\"false\",\"Reason\":\"customer\"}", "8", "verdict", "again"),
            again,
            compare("verdict", "$.External.CallAllowed", "Equals", "true", "end", "reason"),
            compare("reason", "$.External.Reason", "Equals", "customer", "limited", "other"),
            task("limited", "Customer limit"), task("other", "Caller id limit"), task("failed", "Failed"),
            end(),
        ]))
        .await;
    let report = stage.call("+12065550100").await;
    assert_eq!(
        branches(&report)
            .iter()
            .map(|(action, _)| action.as_str())
            .collect::<Vec<_>>(),
        [
            "log", "prefix", "lambda", "verdict", "reason", "limited", "end"
        ]
    );
    assert_eq!(report["outcome"], "rang", "nobody stopped it");
    let tasks = stage
        .simulator
        .until(
            &format!("/_sim/tasks?instance_arn={}", stage.instance_arn),
            |tasks| tasks["data"][0]["outcome"] == "queued",
        )
        .await;
    let task = &tasks["data"][0];
    assert_eq!(
        (&task["name"], &task["description"]),
        (&json!("Customer limit"), &json!("Number +12065550100"))
    );
    assert_eq!(
        (&task["related_contact_id"], &task["agent_id"]),
        (&report["contact_id"], &json!(stage.agent(0)))
    );

    let british = stage.call("+442079460000").await;
    assert_eq!(
        (
            british["lambda"].as_array().expect("entries").len(),
            &british["outcome"]
        ),
        (0, &json!("rang"))
    );
}

#[tokio::test]
async fn an_agents_own_queue_takes_ten_tasks_and_then_is_at_capacity() {
    let stage = Stage::new().await;
    let notice = stage.notice_flow().await;
    let path = format!("/_sim/tasks?instance_arn={}", stage.instance_arn);
    let outcomes = |seen: &Value, wanted: &str| {
        seen["data"]
            .as_array()
            .expect("data")
            .iter()
            .filter(|task| task["outcome"] == wanted)
            .count()
    };
    let start = |token: String| {
        let body = json!({"InstanceId": stage.instance_id, "Name": "Notice", "ContactFlowId": notice, "Attributes": {"AgentARN": stage.agent_arn(0)}, "ClientToken": token});
        let stage = &stage;
        async move { stage.connect("PUT", "/contact/task", body).await }
    };
    for index in 0..10 {
        assert_eq!(start(format!("t{index}")).await.status, 200);
    }
    let full = stage
        .simulator
        .until(&path, |seen| outcomes(seen, "queued") == 10)
        .await;
    start("t10".to_owned()).await;
    stage
        .simulator
        .until(&path, |seen| outcomes(seen, "at_capacity") == 1)
        .await;
    let first = full["data"][0]["contact_id"].as_str().expect("id");
    stage
        .simulator
        .make(&format!("/_sim/tasks/{first}/complete"), json!({}))
        .await;
    start("t11".to_owned()).await;
    stage
        .simulator
        .until(&path, |seen| {
            outcomes(seen, "queued") == 10 && outcomes(seen, "completed") == 1
        })
        .await;
}

#[tokio::test]
async fn a_repeated_client_token_starts_no_second_task() {
    let stage = Stage::new().await;
    let notice = stage.notice_flow().await;
    let call = stage.call("+12065550100").await;
    let body = json!({"InstanceId": stage.instance_id, "Name": "Notice", "ContactFlowId": notice, "Attributes": {"AgentARN": stage.agent_arn(1)},
        "RelatedContactId": call["contact_id"], "ClientToken": "once"});
    let first = stage.connect("PUT", "/contact/task", body.clone()).await;
    let second = stage.connect("PUT", "/contact/task", body).await;
    assert_eq!((first.status, &first.body), (second.status, &second.body));
    let tasks = stage
        .simulator
        .until(
            &format!("/_sim/tasks?instance_arn={}", stage.instance_arn),
            |tasks| tasks["data"][0]["outcome"] == "queued",
        )
        .await;
    assert_eq!(tasks["data"].as_array().map(Vec::len), Some(1));
    assert_eq!(tasks["data"][0]["client_token"], "once");
}

#[tokio::test]
async fn many_calls_at_once_each_have_their_own_contact() {
    let stage = Stage::new().await;
    stage
        .whisper(json!([
            lambda_block(&stage.function_arn, "sleep 50", "8", "dial", "end"),
            dial("end"),
            end()
        ]))
        .await;
    let calls = (0..12).map(|_| stage.call("+12065550100"));
    let reports = futures::future::join_all(calls).await;
    let mut ids: Vec<&str> = reports
        .iter()
        .map(|report| report["contact_id"].as_str().expect("id"))
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 12);
    assert!(
        reports
            .iter()
            .all(|report| report["outcome"] == "rang" && report["lambda"][0]["error"].is_null()),
        "{reports:?}"
    );
}

#[tokio::test]
async fn the_open_questions_are_switches() {
    let stage = Stage::new().await;
    stage.whisper(json!([end()])).await;
    assert_eq!(stage.call("+12065550100").await["outcome"], "rang");
    stage
        .simulator
        .make(
            "/_sim/behaviour",
            json!({"end_without_participant_dials": false}),
        )
        .await;
    assert_eq!(stage.call("+12065550100").await["outcome"], "not_dialled");
    let (status, error) = stage
        .simulator
        .post("/_sim/behaviour", json!({"nonsense": true}))
        .await;
    assert_eq!((status, &error["error"]["code"]), (400, &json!("invalid")));
}

#[tokio::test]
async fn a_call_that_names_something_unknown_is_refused_with_the_member() {
    let stage = Stage::new().await;
    let call = |body: Value| {
        let stage = &stage;
        async move { stage.simulator.post("/_sim/calls", body).await }
    };
    let unknown = |field: &str| (404, json!(field));
    let field = |(status, body): (u16, Value)| (status, body["error"]["field"].clone());
    assert_eq!(
        field(call(json!({"instance_arn": "arn:x", "agent_id": "x", "to": "+1"})).await),
        unknown("instance_arn")
    );
    assert_eq!(
        field(call(json!({"instance_arn": stage.instance_arn, "agent_id": "x", "to": "+1"})).await),
        unknown("agent_id")
    );
    assert_eq!(
        field(call(json!({"instance_arn": stage.instance_arn, "agent_id": stage.agent(0), "queue_id": "x", "to": "+1"})).await),
        unknown("queue_id")
    );
    assert_eq!(
        field(call(json!({"instance_arn": stage.instance_arn, "agent_id": 5})).await),
        (400, json!("agent_id"))
    );
}

#[tokio::test]
async fn faults_ordered_for_lambda_strike_a_flows_invocations() {
    let stage = Stage::new().await;
    stage
        .whisper(json!([
            lambda_block(&stage.function_arn, "identity", "8", "dial", "dial"),
            dial("end"),
            end()
        ]))
        .await;
    let fault = |kind: &str, count: u32| {
        let body =
            json!({"service": "lambda", "operation": "Invoke", "kind": kind, "count": count});
        let stage = &stage;
        async move { stage.simulator.make("/_sim/faults", body).await }
    };
    fault("throttle", 2).await;
    let entry = stage.call("+12065550100").await["lambda"][0].clone();
    assert_eq!(
        (&entry["attempts"], &entry["error"]),
        (&json!(3), &Value::Null)
    );
    fault("access_denied", 1).await;
    let entry = stage.call("+12065550100").await["lambda"][0].clone();
    assert_eq!(entry["attempts"], 1);
    assert!(entry["error"].is_string(), "{entry}");
    fault("lost_response", 1).await;
    let entry = stage.call("+12065550100").await["lambda"][0].clone();
    // The function ran twice for one call, as when Connect does not hear of the first time.
    assert_eq!(
        (&entry["attempts"], &entry["response"]["Count"]),
        (&json!(2), &json!("3"))
    );
}
