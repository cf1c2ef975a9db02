//! What a role may do: each operation is checked against its own resources and condition keys.

use serde_json::{Value, json};

use crate::stage::{Stage, dial, end};
use crate::support::{Answer, CUSTOMER, Keys};

/// Keys of a role of the customer with these statements.
async fn role(stage: &Stage, name: &str, statements: Value) -> Keys {
    let trust = json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": format!("arn:aws:iam::{CUSTOMER}:root")}, "Action": "sts:AssumeRole"}]});
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    let body =
        json!({"account_id": CUSTOMER, "role_name": name, "trust_policy": trust, "policy": policy});
    let role_arn = stage.simulator.make("/_sim/roles", body).await["role_arn"].clone();
    let keys = stage
        .simulator
        .make("/_sim/role-credentials", json!({"role_arn": role_arn}))
        .await;
    let text = |name: &str| keys[name].as_str().expect("key").to_owned();
    Keys {
        id: text("access_key_id"),
        secret: text("secret_access_key"),
        token: Some(text("session_token")),
    }
}

fn outcome(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.error.as_deref().unwrap_or_default())
}

const DENIED: (u16, &str) = (403, "AccessDeniedException");

fn content() -> String {
    json!({"Version": "2019-10-30", "StartAction": "dial", "Actions": [dial("end"), end()]})
        .to_string()
}

#[tokio::test]
async fn flows_are_created_and_changed_only_with_the_tag_that_the_policy_asks_for() {
    let stage = Stage::new().await;
    let within = format!("{}/contact-flow/*", stage.instance_arn);
    let create_as = |actions: Value| {
        json!({"Effect": "Allow", "Action": actions, "Resource": within,
        "Condition": {"StringEquals": {"aws:RequestTag/managed-by": "ringfence"}}})
    };
    let untagging = role(
        &stage,
        "untagging",
        json!([create_as(json!("connect:CreateContactFlow"))]),
    )
    .await;
    let statements = json!([
        create_as(json!(["connect:CreateContactFlow", "connect:TagResource"])),
        {"Effect": "Allow", "Action": ["connect:UpdateContactFlowContent", "connect:DeleteContactFlow"], "Resource": within,
            "Condition": {"StringEquals": {"aws:ResourceTag/managed-by": "ringfence"}}},
        {"Effect": "Allow", "Action": "connect:DescribeContactFlow", "Resource": within},
    ]);
    let keys = role(&stage, "installer", statements).await;
    let connect = |method: &'static str, path: String, body: Value| {
        let (stage, keys) = (&stage, &keys);
        async move {
            stage
                .simulator
                .connect(keys, method, &path.replace("{i}", &stage.instance_id), body)
                .await
        }
    };
    let create = |tags: Value| {
        let body =
            json!({"Name": "Ours", "Type": "OUTBOUND_WHISPER", "Content": content(), "Tags": tags});
        connect("PUT", "/contact-flows/{i}".into(), body)
    };
    assert_eq!(outcome(&create(json!({})).await), DENIED);
    assert_eq!(
        outcome(&create(json!({"managed-by": "somebody"})).await),
        DENIED
    );
    let body = json!({"Name": "Ours", "Type": "OUTBOUND_WHISPER", "Content": content(), "Tags": {"managed-by": "ringfence"}});
    let path = format!("/contact-flows/{}", stage.instance_id);
    let refused = stage
        .simulator
        .connect(&untagging, "PUT", &path, body)
        .await;
    assert_eq!(outcome(&refused), DENIED);
    assert!(
        refused.body.to_string().contains("connect:TagResource"),
        "{refused:?}"
    );
    let created = create(json!({"managed-by": "ringfence"})).await;
    assert_eq!(created.status, 200, "{created:?}");
    let ours = created.body["ContactFlowId"]
        .as_str()
        .expect("id")
        .to_owned();
    let flow: Value = serde_json::from_str(&content()).expect("flow");
    let theirs = stage.create_flow("Theirs", "OUTBOUND_WHISPER", &flow).await;
    let update = |id: &str| {
        connect(
            "POST",
            format!("/contact-flows/{{i}}/{id}/content"),
            json!({"Content": content()}),
        )
    };
    assert_eq!(outcome(&update(&theirs).await), DENIED);
    assert_eq!(update(&ours).await.status, 200);
    let describe = |id: &str| connect("GET", format!("/contact-flows/{{i}}/{id}"), Value::Null);
    assert_eq!(describe(&theirs).await.status, 200);
    let delete = |id: &str| connect("DELETE", format!("/contact-flows/{{i}}/{id}"), Value::Null);
    assert_eq!(outcome(&delete(&theirs).await), DENIED);
    assert_eq!(delete(&ours).await.status, 200);
    assert_eq!(
        outcome(&connect("GET", "/queues-summary/{i}".into(), Value::Null).await),
        DENIED
    );
}

#[tokio::test]
async fn attaching_a_flow_is_checked_against_queue_flow_and_number() {
    let stage = Stage::new().await;
    let flow: Value = serde_json::from_str(&content()).expect("flow");
    let flow_id = stage.create_flow("Ours", "OUTBOUND_WHISPER", &flow).await;
    let queue = stage
        .connect(
            "GET",
            &format!("/queues/{{i}}/{}", stage.queue(0)),
            Value::Null,
        )
        .await;
    let mut config = queue.body["Queue"]["OutboundCallerConfig"].clone();
    config["OutboundFlowId"] = json!(flow_id);
    let resources = [
        format!("{}/queue/*", stage.instance_arn),
        format!("{}/contact-flow/*", stage.instance_arn),
        format!("arn:aws:connect:*:{CUSTOMER}:phone-number/*"),
    ];
    for missing in 0..=resources.len() {
        let granted: Vec<&String> = resources
            .iter()
            .enumerate()
            .filter(|(index, _)| *index != missing)
            .map(|(_, resource)| resource)
            .collect();
        let statements = json!([{"Effect": "Allow", "Action": "connect:UpdateQueueOutboundCallerConfig", "Resource": granted}]);
        let keys = role(&stage, &format!("attacher-{missing}"), statements).await;
        let path = format!(
            "/queues/{}/{}/outbound-caller-config",
            stage.instance_id,
            stage.queue(0)
        );
        let answer = stage
            .simulator
            .connect(
                &keys,
                "POST",
                &path,
                json!({"OutboundCallerConfig": config}),
            )
            .await;
        let expected = if missing == resources.len() {
            (200, "")
        } else {
            DENIED
        };
        assert_eq!(outcome(&answer), expected, "without resource {missing}");
    }
}

#[tokio::test]
async fn a_caller_without_rights_does_not_learn_what_exists() {
    let stage = Stage::new().await;
    let nothing =
        json!([{"Effect": "Allow", "Action": "connect:DescribeInstance", "Resource": "*"}]);
    let keys = role(&stage, "nobody", nothing).await;
    let absent = "00000000-0000-4000-8000-000000000000";
    for contact in [absent, "x"] {
        let body = json!({"InstanceId": stage.instance_id, "ContactId": contact});
        assert_eq!(
            outcome(
                &stage
                    .simulator
                    .connect(&keys, "POST", "/contact/stop", body)
                    .await
            ),
            DENIED
        );
    }
    let body = json!({"InstanceId": stage.instance_id, "Name": "x", "ContactFlowId": absent});
    assert_eq!(
        outcome(
            &stage
                .simulator
                .connect(&keys, "PUT", "/contact/task", body)
                .await
        ),
        DENIED
    );
    let runtime = json!([{"Effect": "Allow", "Action": ["connect:StopContact", "connect:StartTaskContact"],
        "Resource": [format!("{}/contact/*", stage.instance_arn), format!("{}/contact-flow/*", stage.instance_arn)]}]);
    let keys = role(&stage, "runtime", runtime).await;
    let body = json!({"InstanceId": stage.instance_id, "ContactId": absent});
    assert_eq!(
        outcome(
            &stage
                .simulator
                .connect(&keys, "POST", "/contact/stop", body)
                .await
        ),
        (410, "ContactNotFoundException")
    );
    let body = json!({"InstanceId": stage.instance_id, "Name": "x", "ContactFlowId": absent});
    assert_eq!(
        outcome(
            &stage
                .simulator
                .connect(&keys, "PUT", "/contact/task", body)
                .await
        ),
        (404, "ResourceNotFoundException")
    );
}

#[tokio::test]
async fn another_account_sees_nothing_of_the_instance() {
    let stage = Stage::new().await;
    let path = format!("/instance/{}", stage.instance_id);
    let answer = stage
        .simulator
        .connect(&stage.operator, "GET", &path, Value::Null)
        .await;
    assert_eq!(outcome(&answer), (404, "ResourceNotFoundException"));
}
