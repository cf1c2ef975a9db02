//! The services through AWS's own Python client, its answers held against AWS's own service models.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use serde_json::json;
use tokio::process::Command;

use crate::stage::Stage;
use crate::support::{Keys, REGION};

const PATIENCE: Duration = Duration::from_secs(120);

/// Everything that is served; the Python side fails when it leaves one out.
const OPERATIONS: &[&str] = &[
    "AddPermission",
    "CreateContactFlow",
    "CreateContactFlowVersion",
    "DeleteContactFlow",
    "DescribeContact",
    "DescribeContactFlow",
    "DescribeHoursOfOperation",
    "DescribeInstance",
    "DescribeQueue",
    "DescribeRoutingProfile",
    "DescribeUser",
    "GetFunction",
    "GetFunctionConfiguration",
    "GetPolicy",
    "Invoke",
    "ListContactFlows",
    "ListInstances",
    "ListPhoneNumbersV2",
    "ListQueues",
    "ListRoutingProfileQueues",
    "ListRoutingProfiles",
    "ListTagsForResource",
    "ListUsers",
    "RemovePermission",
    "SearchContactFlows",
    "StartTaskContact",
    "StopContact",
    "TagResource",
    "UntagResource",
    "UpdateContactFlowContent",
    "UpdateContactFlowMetadata",
    "UpdateContactFlowName",
    "UpdateQueueOutboundCallerConfig",
];

#[tokio::test]
async fn every_answer_is_what_the_service_model_says() {
    let stage = Stage::new().await;
    let keys = |keys: &Keys| json!({"id": keys.id, "secret": keys.secret});
    let told = json!({
        "region": REGION,
        "customer": keys(&stage.customer),
        "operator": keys(&stage.operator),
        "instance_id": stage.instance_id,
        "instance_arn": stage.instance_arn,
        "agent_arn": stage.agent_arn(0),
        "notice_flow_id": stage.notice_flow().await,
        "operations": OPERATIONS,
    });
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/connect/python/services.py");
    let run = Command::new(python())
        .arg("-B")
        .arg(script)
        .env("SIMULATOR", &stage.simulator.endpoint)
        .env("STAGE", told.to_string())
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output();
    let run = tokio::time::timeout(PATIENCE, run)
        .await
        .expect("done in time")
        .expect("Python starts");
    assert!(
        run.status.success(),
        "{}",
        String::from_utf8_lossy(&run.stderr)
    );
}

/// Python with boto3, which `make setup-python` prepares.
fn python() -> String {
    let prepared = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/venv/bin/python");
    let python = std::env::var("RINGFENCE_PYTHON").unwrap_or_else(|_| prepared.to_owned());
    assert!(
        Path::new(&python).exists(),
        "{python} is missing: run `make setup-python`, or name a Python with boto3 in RINGFENCE_PYTHON"
    );
    python
}
