//! What the limiter logs: no number and no secret may stand in it, whichever tests share the process and so the log.

use std::io::Write;
use std::sync::Mutex;

use aws_sdk_dynamodb::types::AttributeValue;
use serde_json::json;
use tracing_subscriber::fmt::MakeWriter;

use crate::cloud::Fault;
use crate::scene::{CUSTOMER, Scene, contact_id, event, sliding};

/// Contacts of no other test, since others may write into the same log.
const ALLOWED: u64 = 900_001;
const DENIED: u64 = 900_002;
const UNCOUNTED: u64 = 900_003;

static LINES: Mutex<Vec<u8>> = Mutex::new(Vec::new());

struct Lines;

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        LINES.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Lines {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        Self
    }
}

pub fn capture() {
    tracing_subscriber::fmt()
        .json()
        .flatten_event(true)
        .with_writer(Lines)
        .with_max_level(tracing::Level::INFO)
        .init();
}

fn lines() -> String {
    String::from_utf8(LINES.lock().unwrap().clone()).unwrap()
}

#[tokio::test]
async fn a_decision_is_one_line_that_shows_no_number_and_no_secret() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 1, 60)]})).await;
    scene.dial(ALLOWED).await;
    scene.cloud.fault(
        "StartTaskContact",
        Fault::Refuse(400, "InvalidRequestException"),
        9,
    );
    scene.dial(DENIED).await;
    scene
        .cloud
        .fault("UpdateItem", Fault::Refuse(400, "ValidationException"), 9);
    scene.dial(UNCOUNTED).await;
    let lines = lines();
    for contact in [ALLOWED, DENIED, UNCOUNTED] {
        let of_contact =
            |line: &&str| line.contains(&contact_id(contact)) && line.contains("\"decided\"");
        assert_eq!(
            lines.lines().filter(of_contact).count(),
            1,
            "contact {contact}"
        );
    }
    let denied = lines
        .lines()
        .find(|line| line.contains(&contact_id(DENIED)) && line.contains("\"decided\""))
        .unwrap();
    let denied: serde_json::Value = serde_json::from_str(denied).unwrap();
    assert_eq!(denied["outcome"], "denied");
    assert_eq!(denied["rule"], "customer-rule");
    assert_eq!(denied["counts"], "customer-rule=1/1");
    for secret in ["2065550", "external", "secret", "token"] {
        assert!(!lines.contains(secret), "{secret} stands in the log");
    }
}

/// Each request to AWS fails in each way, by messages that quote numbers; what cannot be read quotes them too.
#[tokio::test]
async fn whatever_fails_no_number_and_no_secret_comes_into_the_log() {
    let policy = |on_unavailable: &str| json!({"on_unavailable": on_unavailable, "rules": [sliding(&["customer"], 1, 60)]});
    let ways = [
        Fault::Refuse(400, "ValidationException"),
        Fault::Refuse(403, "AccessDeniedException"),
        Fault::Refuse(500, "InternalServerError"),
        Fault::LoseAnswer,
    ];
    let mut contact = 910_000;
    for on_unavailable in ["allow", "deny"] {
        for operation in [
            "GetItem",
            "UpdateItem",
            "PutItem",
            "AssumeRole",
            "StopContact",
            "StartTaskContact",
        ] {
            for way in ways {
                let scene = Scene::new(policy(on_unavailable)).await;
                scene.dial(contact).await;
                scene.cloud.fault(operation, way, 2);
                scene.clock.advance_ms(20_000);
                scene.dial(contact + 1).await;
                scene.dial(contact + 1).await;
                contact += 10;
            }
        }
    }
    let scene = Scene::new(policy("allow")).await;
    scene
        .put_log(&format!("customer|{CUSTOMER}"), vec![number()])
        .await;
    scene.dial(contact).await;
    scene
        .publish(2, json!({"rules": CUSTOMER}), json!({}))
        .await;
    scene.clock.advance_ms(20_000);
    scene.dial(contact + 1).await;
    let lists = json!({"has_listed_numbers": true});
    scene.publish(3, policy("allow"), lists).await;
    scene.list_number(CUSTOMER, CUSTOMER, Some("never")).await;
    scene.clock.advance_ms(20_000);
    scene.dial(contact + 2).await;
    let mut malformed = event(contact + 3);
    malformed["Details"]["ContactData"]["InstanceARN"] = json!(CUSTOMER);
    let refused = scene.dial_event(malformed).await.unwrap_err();
    assert!(!refused.to_string().contains("2065550"));
    let lines = lines();
    for told in [
        "reservation not released",
        "decision not recorded",
        "policy not readable",
        "unreadable entries",
        "event refused",
    ] {
        assert!(lines.contains(told), "{told} was not driven");
    }
    for secret in ["2065550", "external", "secret", "token"] {
        let line = lines.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} stands in the log");
    }
}

fn number() -> AttributeValue {
    AttributeValue::S(CUSTOMER.to_owned())
}
