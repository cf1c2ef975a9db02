//! Denied calls, and limits that come near, reach the tenant's own system, signed so that a library that nobody here wrote
//! accepts it.

use std::process::Stdio;
use std::time::Duration;

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::Customer;
use ringfence_simulator::dev::rest::text;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

use super::harness::{NOBODY, in_town, python};

const RECEIVER: &str = include_str!("python/webhook_receiver.py");
const ARRIVES_WITHIN: Duration = Duration::from_secs(60);

struct Receiver {
    lines: Lines<BufReader<ChildStdout>>,
    stdin: ChildStdin,
    /// Ends with the value.
    _child: Child,
}

impl Receiver {
    fn start() -> Self {
        let mut child = Command::new(python())
            .args(["-c", RECEIVER])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .expect("python");
        Self {
            lines: BufReader::new(child.stdout.take().expect("stdout")).lines(),
            stdin: child.stdin.take().expect("stdin"),
            _child: child,
        }
    }

    /// A webhook of this customer's for these events leads here.
    async fn told(customer: &Customer, events: Value, numbers: &str) -> Result<Self> {
        let mut receiver = Self::start();
        let port = receiver.line().await;
        let webhook = json!({
            "url": format!("http://127.0.0.1:{port}/"),
            "events": events,
            "customer_numbers": numbers,
        });
        let webhook = customer.rest.post("/v1/webhooks", &webhook).await?;
        let secret = format!("{}\n", text(&webhook, "/secret")?);
        let written = receiver.stdin.write_all(secret.as_bytes()).await;
        written.expect("the secret");
        Ok(receiver)
    }

    async fn line(&mut self) -> String {
        let line = tokio::time::timeout(ARRIVES_WITHIN, self.lines.next_line());
        let line = line.await.expect("in time").expect("readable");
        line.expect("the receiver goes on")
    }

    async fn message(&mut self) -> Value {
        serde_json::from_str(&self.line().await).expect("JSON")
    }
}

#[tokio::test]
async fn a_denied_call_is_told_to_the_tenant_s_own_system() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let mut receiver = Receiver::told(&customer, json!(["call.denied"]), "full").await?;
        for number in 1..=5 {
            let call = customer.call("ada", NOBODY).await?;
            assert_eq!(call.rang(), number < 5, "call {number}: {call:?}");
        }
        let (first, again) = (receiver.message().await, receiver.message().await);
        assert_eq!(first["id"], again["id"], "the same message once more");
        for arrived in [&first, &again] {
            let message = &arrived["message"];
            assert_eq!(message["type"], "call.denied");
            assert_eq!(message["data"]["customer_number"], NOBODY);
            assert_eq!(message["data"]["rule_id"], "repeat-calls");
            assert_eq!(arrived["is_forgery_seen"], true);
        }
        let decision = text(&again, "/message/data/decision_id")?;
        let decision = customer
            .rest
            .get(&format!("/v1/decisions/{decision}"))
            .await?;
        assert_eq!(decision["outcome"], "denied");
        usage_counts(&customer.rest).await
    })
    .await;
}

fn five_per_caller_id_and_hour() -> Value {
    json!({ "rules": [{
        "id": "caller-id-per-hour",
        "per": ["caller_id"],
        "limit": { "kind": "sliding", "max": 5, "window_seconds": 3600 },
    }] })
}

/// Of five: the fourth call comes near, the sixth is denied. What is told of both tells in between nothing else.
#[tokio::test]
async fn a_limit_that_comes_near_is_told_before_a_call_is_denied() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let policy = five_per_caller_id_and_hour();
        let rest = &customer.rest;
        rest.put("/v1/policies/default", &policy).await?;
        customer.in_force("/v1/policies/default").await?;
        let events = json!(["limit.near", "call.denied"]);
        let mut receiver = Receiver::told(&customer, events, "masked").await?;
        for number in 1..=6 {
            let call = customer.call("ada", NOBODY).await?;
            assert_eq!(call.rang(), number < 6, "call {number}: {call:?}");
        }
        let mut told = std::collections::BTreeMap::new();
        while told.len() < 2 {
            let arrived = receiver.message().await;
            let kind = text(&arrived, "/message/type")?;
            told.insert(kind, arrived);
        }
        assert_eq!(told["call.denied"]["is_forgery_seen"], true);
        let near = &told["limit.near"]["message"]["data"];
        let members =
            ["rule_id", "mode", "count", "limit", "customer_number"].map(|name| &near[name]);
        let masked = "+12•••••••42";
        let wanted = [
            json!("caller-id-per-hour"),
            json!("enforce"),
            json!(4),
            json!(5),
            json!(masked),
        ];
        assert_eq!(members, wanted.each_ref());
        let decision = text(near, "/decision_id")?;
        let decision = rest.get(&format!("/v1/decisions/{decision}")).await?;
        assert_eq!(
            (&decision["outcome"], &decision["rules"][0]["count"]),
            (&json!("allowed"), &json!(3))
        );
        Ok(())
    })
    .await;
}

async fn usage_counts(rest: &ringfence_simulator::dev::rest::Rest) -> Result<()> {
    let usage = rest.get("/v1/usage").await?;
    assert_eq!(usage["data"][0]["by_outcome"]["denied"], 1, "{usage}");
    Ok(())
}
