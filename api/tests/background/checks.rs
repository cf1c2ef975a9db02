//! What a check finds is what limiters have counted, and it leaves nothing.

use std::collections::HashMap;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use ringfence_api::app::check_call::{Call, Place, check};
use ringfence_api::domain::instance_arn::InstanceArn;
use ringfence_policy::{ContactKey, Entry, EntryStatus, Owner, Plan, Policy, PolicyDraft, Verdict};
use serde_json::json;

use crate::dynamo::{Dynamo, METERS};

const TENANT: &str = "ten_01890a5d000070008000000000000000";
const NOW: &str = "2026-11-25T12:00:00Z";

fn policy() -> Policy {
    let draft: PolicyDraft = serde_json::from_value(json!({ "rules": [
        { "id": "here", "per": ["customer"], "limit": { "kind": "sliding", "max": 2, "window_seconds": 60 } },
        { "id": "all", "per": ["customer"], "scope": "tenant", "limit": { "kind": "sliding", "max": 5, "window_seconds": 60 } },
        { "id": "agent", "per": ["agent"], "limit": { "kind": "sliding", "max": 1, "window_seconds": 60 } },
    ] }))
    .expect("a draft");
    draft.check().expect("a policy")
}

fn call(number: &str) -> Call {
    Call {
        customer_number: Some(number.to_owned()),
        ..Call::default()
    }
}

/// As limiters leave it after so many calls that went out.
async fn made(
    dynamo: &Dynamo,
    arn: &InstanceArn,
    policy: &Policy,
    number: &str,
    ago_seconds: &[i64],
) {
    let now: Timestamp = NOW.parse().expect("a time");
    let attempt = call(number).attempt(policy, ContactKey([1; 16]));
    let arn = arn.to_string();
    let owner = Owner {
        instance_arn: &arn,
        tenant_id: TENANT,
    };
    let entries = ago_seconds.iter().zip(2..).map(|(ago, contact)| {
        let entry = Entry {
            status: EntryStatus::Admitted,
            at_ms: u64::try_from((now - SignedDuration::from_secs(*ago)).as_millisecond())
                .expect("a time"),
            contact: ContactKey([contact; 16]),
        };
        AttributeValue::B(Blob::new(entry.encode()))
    });
    let entries: Vec<AttributeValue> = entries.collect();
    for key in Plan::new(policy, owner, &attempt).meters() {
        let item = HashMap::from([
            ("pk".to_owned(), AttributeValue::S(key.stored())),
            ("log".to_owned(), AttributeValue::L(entries.clone())),
        ]);
        dynamo.put(METERS, item).await;
    }
}

#[tokio::test]
async fn a_check_tells_what_the_limiter_would_and_charges_nothing() {
    let dynamo = Dynamo::start().await;
    let arn: InstanceArn =
        "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b"
            .parse()
            .expect("an ARN");
    let policy = policy();
    let place = Place {
        tenant_id: TENANT,
        instance: &arn,
        home_region: "us-east-1",
    };
    let ask = async |number: &str| {
        let attempt = call(number).attempt(&policy, ContactKey([9; 16]));
        let now = NOW.parse().expect("a time");
        check(&dynamo.aws, place, &policy, &attempt, None, now)
            .await
            .expect("an answer")
    };
    let counts = |decision: &ringfence_policy::Decision| -> Vec<u32> {
        decision.rules.iter().map(|rule| rule.count).collect()
    };
    // National, as an agent dials it: read as the policy's country says.
    let fresh = ask("(206) 555-0100").await;
    assert_eq!(
        (fresh.verdict, counts(&fresh)),
        (Verdict::Allow, vec![0, 0, 0])
    );
    assert_eq!(
        fresh.rules[2].not_applied.map(|reason| reason.as_str()),
        Some("no_agent")
    );

    made(&dynamo, &arn, &policy, "+12065550100", &[70, 50, 10]).await;
    let before = dynamo.items(METERS).await;
    let third = ask("(206) 555-0100").await;
    assert_eq!(
        (third.verdict, counts(&third)),
        (Verdict::Deny, vec![2, 2, 0])
    );
    let retry_at = third
        .deciding
        .and_then(|deciding| deciding.retry_at)
        .expect("a time");
    assert_eq!(retry_at.to_string(), "2026-11-25T12:00:10Z");
    assert_eq!(
        ask("+12065550100").await.verdict,
        Verdict::Deny,
        "it counted nothing"
    );
    assert_eq!(
        ask("+12065550101").await.verdict,
        Verdict::Allow,
        "another number"
    );
    assert_eq!(ask("911").await.verdict, Verdict::Emergency);
    assert_eq!(dynamo.items(METERS).await, before);
}
