//! Letting a meter begin anew, beside whoever counts in it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use ringfence_policy::{Attempt, ContactKey, Entry, EntryStatus, MeterKey, Number, Owner, Policy};
use serde_json::json;
use tokio::net::TcpListener;

use crate::dynamo::{Dynamo, METERS, aws_at};
use crate::world::REGION;

const APPENDS: u8 = 120;

fn key() -> MeterKey {
    let rule = json!({
        "id": "r", "per": ["customer"], "limit": { "kind": "sliding", "max": 3, "window_seconds": 60 },
    });
    let policy: Policy = serde_json::from_value(json!({ "rules": [rule] })).expect("a policy");
    let owner = Owner {
        instance_arn: "arn",
        tenant_id: "ten_1",
    };
    let attempt = Attempt {
        contact: ContactKey([0; 16]),
        customer: Some(Number::E164("+12065550100".to_owned())),
        customer_country: None,
        caller_id: None,
        agent: None,
        queue: None,
        attributes: Default::default(),
        dialled: Vec::new(),
    };
    let rule = policy.rules().first().expect("a rule");
    rule.meter_named(owner, &attempt).expect("a meter")
}

/// As limiters do it.
async fn append(dynamo: &Dynamo, number: u8) {
    let entry = Entry {
        status: EntryStatus::Admitted,
        at_ms: u64::from(number),
        contact: ContactKey([number; 16]),
    };
    let entry = AttributeValue::B(Blob::new(entry.encode()));
    dynamo
        .client
        .update_item()
        .table_name(METERS)
        .key("pk", AttributeValue::S(key().stored()))
        .update_expression("SET #log = list_append(if_not_exists(#log, :none), :entry)")
        .expression_attribute_names("#log", "log")
        .expression_attribute_values(":none", AttributeValue::L(Vec::new()))
        .expression_attribute_values(":entry", AttributeValue::L(vec![entry]))
        .send()
        .await
        .expect("appended");
}

/// The numbers of the attempts in the line.
async fn line(dynamo: &Dynamo) -> Vec<u8> {
    let log = dynamo.aws.meters(REGION).read(&key()).await.expect("read");
    let entries = log.places().iter().flatten();
    entries.map(|entry| entry.contact.0[0]).collect()
}

#[tokio::test]
async fn a_meter_begins_anew_and_says_whether_anything_stood_in_it() {
    let dynamo = Dynamo::start().await;
    let meters = dynamo.aws.meters(REGION);
    assert!(!meters.begin_anew(&key()).await.expect("nothing to do"));
    append(&dynamo, 1).await;
    append(&dynamo, 2).await;
    assert!(meters.begin_anew(&key()).await.expect("done"));
    assert!(dynamo.items(METERS).await.is_empty());
    append(&dynamo, 3).await;
    assert_eq!(line(&dynamo).await, [3]);
}

/// The line that is left is the end of the one that was written: nothing is missing from the middle of it, and nothing of
/// what came after the last answer is missing at all.
#[tokio::test]
async fn attempts_that_come_meanwhile_are_forgotten_from_the_beginning_on_or_not_at_all() {
    let dynamo = Dynamo::start().await;
    let meters = dynamo.aws.meters(REGION);
    let append_all = async {
        for number in 1..=APPENDS {
            append(&dynamo, number).await;
        }
    };
    let begin_often = async {
        for _ in 0..20 {
            meters.begin_anew(&key()).await.expect("done");
            let left = line(&dynamo).await;
            let is_a_run = left.windows(2).all(|pair| pair[0] + 1 == pair[1]);
            assert!(is_a_run, "{left:?}");
        }
    };
    tokio::join!(append_all, begin_often);
    let left = line(&dynamo).await;
    assert!(
        left.windows(2).all(|pair| pair[0] + 1 == pair[1]),
        "{left:?}"
    );
    assert_eq!(left.last().copied().unwrap_or(APPENDS), APPENDS);
}

/// In front of the store: the answer to the first deletion is lost, and an attempt counted before the next one comes.
#[derive(Clone)]
struct Front {
    dynamo: Dynamo,
    loses: Arc<AtomicBool>,
}

async fn forward(
    State(front): State<Front>,
    mut headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Bytes) {
    let is_deletion = headers["x-amz-target"].as_bytes().ends_with(b"DeleteItem");
    headers.remove(header::HOST);
    let request = reqwest::Client::new().post(&front.dynamo.endpoint);
    let answer = request
        .headers(headers)
        .body(body)
        .send()
        .await
        .expect("an answer");
    let status = answer.status();
    let body = answer.bytes().await.expect("a body");
    if is_deletion && front.loses.swap(false, Ordering::SeqCst) {
        append(&front.dynamo, 9).await;
        return (StatusCode::INTERNAL_SERVER_ERROR, Bytes::new());
    }
    (status, body)
}

#[tokio::test]
async fn a_deletion_that_is_made_again_takes_nothing_that_was_counted_since() {
    let dynamo = Dynamo::start().await;
    append(&dynamo, 1).await;
    append(&dynamo, 2).await;
    let front = Front {
        dynamo: dynamo.clone(),
        loses: Arc::new(AtomicBool::new(true)),
    };
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
    let router = Router::new().fallback(forward).with_state(front.clone());
    tokio::spawn(async move { axum::serve(listener, router).await });
    let meters = aws_at(&endpoint).meters(REGION);
    assert!(meters.begin_anew(&key()).await.expect("done"));
    assert!(!front.loses.load(Ordering::SeqCst), "an answer was lost");
    assert_eq!(line(&dynamo).await, [9]);
}
