//! Functions as real processes, and who may invoke them.

use std::fs;
use std::time::{Duration, Instant};

use crate::stage::Stage;
use crate::support::{Answer, REGION};
use serde_json::{Value, json};

async fn invoke(stage: &Stage, name: &str, what: &str) -> Answer {
    stage
        .simulator
        .lambda(
            &stage.operator,
            "POST",
            &format!("{name}/invocations"),
            json!({"do": what}),
        )
        .await
}

fn function_error(answer: &Answer) -> Option<&str> {
    answer
        .headers
        .get("x-amz-function-error")
        .and_then(|value| value.to_str().ok())
}

/// The state letter of a process, or nothing when it is gone.
fn process_state(pid: &str) -> Option<char> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit(") ").next()?.chars().next()
}

async fn until(what: &str, holds: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while !holds() {
        assert!(Instant::now() < deadline, "{what}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn a_warm_environment_is_used_again_and_frozen_in_between() {
    let stage = Stage::new().await;
    let first = invoke(&stage, "echo", "identity").await;
    assert_eq!((first.status, function_error(&first)), (200, None));
    let pid = first.body["Pid"].as_str().expect("pid").to_owned();
    until("the process is stopped", || {
        process_state(&pid) == Some('T')
    })
    .await;
    let second = invoke(&stage, "echo", "identity").await;
    assert_eq!(
        (&second.body["Pid"], &second.body["Count"]),
        (&json!(pid), &json!("2"))
    );
}

#[tokio::test]
async fn a_function_gets_the_variables_and_headers_of_lambda() {
    let stage = Stage::new().await;
    let identity = invoke(&stage, "echo", "identity").await.body;
    assert_eq!(identity["FunctionArn"], json!(stage.function_arn));
    assert_eq!(
        (&identity["Region"], &identity["Name"], &identity["Own"]),
        (&json!(REGION), &json!("echo"), &json!("own"))
    );
    assert_eq!(
        (&identity["Endpoint"], &identity["Session"]),
        (&json!(stage.simulator.endpoint), &json!("true"))
    );
    assert!(
        identity["Deadline"]
            .as_str()
            .and_then(|deadline| deadline.parse::<u64>().ok())
            .is_some_and(|deadline| deadline > 1_700_000_000_000)
    );
}

#[tokio::test]
async fn a_function_that_takes_too_long_is_killed() {
    let stage = Stage::new().await;
    stage
        .function("slow", json!({"timeout_seconds": 0.5}))
        .await;
    let pid = invoke(&stage, "slow", "identity").await.body["Pid"]
        .as_str()
        .expect("pid")
        .to_owned();
    let answer = invoke(&stage, "slow", "sleep 5000").await;
    assert_eq!(
        (answer.status, function_error(&answer)),
        (200, Some("Unhandled"))
    );
    assert_eq!(answer.body["errorType"], "Sandbox.Timedout");
    assert!(
        answer.body["errorMessage"]
            .as_str()
            .expect("text")
            .ends_with("Task timed out after 0.50 seconds"),
        "{answer:?}"
    );
    until("the process is gone", || {
        matches!(process_state(&pid), None | Some('Z'))
    })
    .await;
    let next = invoke(&stage, "slow", "identity").await;
    assert_ne!(next.body["Pid"], json!(pid));
}

#[tokio::test]
async fn a_crash_a_failed_start_and_an_error_are_told_as_lambda_tells_them() {
    let stage = Stage::new().await;
    let crashed = invoke(&stage, "echo", "crash").await;
    assert_eq!(
        (
            crashed.status,
            function_error(&crashed),
            &crashed.body["errorType"]
        ),
        (200, Some("Unhandled"), &json!("Runtime.ExitError"))
    );
    let failed = invoke(&stage, "echo", "fail 1").await;
    assert_eq!(
        (
            failed.status,
            function_error(&failed),
            &failed.body["errorType"]
        ),
        (200, Some("Unhandled"), &json!("Told"))
    );
    stage
        .function("broken", json!({"environment": {"ECHO_INIT": "crash"}}))
        .await;
    let broken = invoke(&stage, "broken", "echo").await;
    assert_eq!(
        (
            broken.status,
            function_error(&broken),
            &broken.body["errorType"]
        ),
        (200, Some("Unhandled"), &json!("Runtime.InitError"))
    );
}

#[tokio::test]
async fn more_concurrent_invocations_than_allowed_are_throttled() {
    let stage = Stage::new().await;
    stage.function("two", json!({"concurrency": 2})).await;
    let answers =
        futures::future::join_all((0..3).map(|_| invoke(&stage, "two", "sleep 800"))).await;
    let statuses = |wanted: u16| {
        answers
            .iter()
            .filter(|answer| answer.status == wanted)
            .count()
    };
    assert_eq!((statuses(200), statuses(429)), (2, 1), "{answers:?}");
    let throttled = answers
        .iter()
        .find(|answer| answer.status == 429)
        .expect("one");
    assert_eq!(throttled.error.as_deref(), Some("TooManyRequestsException"));
    assert_eq!(
        throttled.body["Reason"],
        "ReservedFunctionConcurrentInvocationLimitExceeded"
    );
    assert_eq!(invoke(&stage, "two", "echo").await.status, 200);
}

#[tokio::test]
async fn policies_are_added_shown_and_removed() {
    let stage = Stage::new().await;
    stage.function("shared", json!({})).await;
    let lambda = |method: &'static str, path: String, body: Value| {
        let stage = &stage;
        async move {
            stage
                .simulator
                .lambda(&stage.operator, method, &path, body)
                .await
        }
    };
    let grant = |id: &str| json!({"StatementId": id, "Action": "lambda:InvokeFunction", "Principal": "connect.amazonaws.com", "SourceArn": stage.instance_arn, "SourceAccount": "111122223333"});
    let none = lambda("GET", "shared/policy".into(), Value::Null).await;
    assert_eq!(
        (none.status, none.error.as_deref()),
        (404, Some("ResourceNotFoundException"))
    );
    assert_eq!(
        lambda("POST", "shared/policy".into(), grant("one"))
            .await
            .status,
        201
    );
    let twice = lambda("POST", "shared/policy".into(), grant("one")).await;
    assert_eq!(
        (twice.status, twice.error.as_deref()),
        (409, Some("ResourceConflictException"))
    );
    let mut stale = grant("two");
    stale["RevisionId"] = json!("stale");
    let stale = lambda("POST", "shared/policy".into(), stale).await;
    assert_eq!(
        (stale.status, stale.error.as_deref()),
        (412, Some("PreconditionFailedException"))
    );
    let policy = lambda("GET", "shared/policy".into(), Value::Null).await;
    let text: Value =
        serde_json::from_str(policy.body["Policy"].as_str().expect("text")).expect("JSON");
    assert_eq!(
        text["Statement"][0]["Condition"]["ArnLike"]["AWS:SourceArn"],
        json!(stage.instance_arn)
    );
    assert_eq!(
        lambda("DELETE", "shared/policy/one".into(), Value::Null)
            .await
            .status,
        204
    );
    assert_eq!(
        lambda("DELETE", "shared/policy/one".into(), Value::Null)
            .await
            .status,
        404
    );
    let mut added = 0;
    let full = loop {
        let answer = lambda("POST", "shared/policy".into(), grant(&format!("s{added}"))).await;
        if answer.status != 201 {
            break answer;
        }
        added += 1;
    };
    assert_eq!(
        (full.status, full.error.as_deref()),
        (400, Some("PolicyLengthExceededException"))
    );
}

#[tokio::test]
async fn an_unknown_function_is_not_found_and_bad_json_is_refused() {
    let stage = Stage::new().await;
    let unknown = invoke(&stage, "nobody", "echo").await;
    assert_eq!(
        (unknown.status, unknown.error.as_deref()),
        (404, Some("ResourceNotFoundException"))
    );
    let arn = stage.function_arn.replace(':', "%3A");
    assert_eq!(invoke(&stage, &arn, "echo").await.status, 200);
    assert_eq!(invoke(&stage, "echo:nobody", "echo").await.status, 404);
}

#[tokio::test]
async fn what_a_function_writes_is_kept() {
    let stage = Stage::new().await;
    invoke(&stage, "echo", "echo").await;
    let logs = stage
        .simulator
        .until(
            &format!("/_sim/functions/echo/logs?region={REGION}"),
            |logs| {
                logs["lines"]
                    .as_array()
                    .is_some_and(|lines| lines.len() >= 2)
            },
        )
        .await;
    assert!(
        logs["lines"]
            .as_array()
            .expect("lines")
            .iter()
            .any(|line| line["stream"] == "stderr" && line["line"] == "event 1: echo"),
        "{logs}"
    );
}

#[tokio::test]
async fn no_function_outlives_the_simulator_even_when_it_is_killed() {
    let mut stage = Stage::new().await;
    let pid = invoke(&stage, "echo", "identity").await.body["Pid"]
        .as_str()
        .expect("pid")
        .to_owned();
    until("the process is stopped", || {
        process_state(&pid) == Some('T')
    })
    .await;
    stage.simulator.child.start_kill().expect("kill");
    until("the process is gone", || {
        matches!(process_state(&pid), None | Some('Z'))
    })
    .await;
}

#[tokio::test]
async fn a_replaced_function_keeps_its_policy_and_starts_afresh() {
    let stage = Stage::new().await;
    let before = invoke(&stage, "echo", "identity").await.body;
    stage
        .function("echo", json!({"environment": {"OWN": "new"}}))
        .await;
    let after = invoke(&stage, "echo", "identity").await.body;
    assert_ne!(before["Pid"], after["Pid"]);
    assert_eq!(after["Own"], "new");
    let policy = stage
        .simulator
        .lambda(&stage.operator, "GET", "echo/policy", Value::Null)
        .await;
    assert_eq!(policy.status, 200);
    let pid = before["Pid"].as_str().expect("pid").to_owned();
    until("the old process is gone", || {
        matches!(process_state(&pid), None | Some('Z'))
    })
    .await;
}

#[tokio::test]
async fn a_request_whose_client_hung_up_is_finished_and_recorded() {
    let stage = Stage::new().await;
    let fault = json!({"service": "lambda", "operation": "GetFunction", "kind": "delay_ms", "delay_ms": 300});
    stage.simulator.make("/_sim/faults", fault).await;
    let asking = stage
        .simulator
        .lambda(&stage.operator, "GET", "echo", Value::Null);
    assert!(
        tokio::time::timeout(Duration::from_millis(100), asking)
            .await
            .is_err()
    );
    let path = "/_sim/requests?service=lambda&operation=GetFunction";
    let seen = stage
        .simulator
        .until(path, |seen| seen["data"][0]["status"] == 200)
        .await;
    assert!(
        seen["data"][0]["ms"].as_u64().is_some_and(|ms| ms >= 300),
        "{seen}"
    );
}
