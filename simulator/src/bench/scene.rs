//! The store with its tables, a tenant's policy in it, and the calls that are made.

use std::time::Duration;

use dynoxide::Database;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::front::Front;
use super::function::Function;
use super::trust::Trust;
use super::{Programs, Result, failed, io};

const TABLES: [&str; 3] = [
    "ringfence-policies",
    "ringfence-meters",
    "ringfence-decisions",
];
/// As a real table answers within its region.
pub(super) const STORE_LATENCY: Duration = Duration::from_millis(5);
/// Calls to one customer that are let through.
pub(super) const CUSTOMER_MAX: u32 = 5;
/// Calls from one caller id that are let through.
pub(super) const CALLER_MAX: u32 = 200;

pub(super) struct Scene {
    pub(super) programs: Programs,
    pub(super) front: Front,
    pub(super) trust: Trust,
    store: String,
    client: reqwest::Client,
}

/// An instance is named by what its policy is for.
pub(super) fn instance(name: &str) -> String {
    format!("arn:aws:connect:us-east-1:111122223333:instance/{name}")
}

/// A dial. Each contact is another; numbers repeat as the caller chooses.
pub(super) fn event(instance_name: &str, contact: u64, customer: u64, caller: u64) -> Value {
    let instance = instance(instance_name);
    json!({
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": {"campaign": "spring"}, "Channel": "VOICE", "InitiationMethod": "OUTBOUND",
                "ContactId": format!("4a573372-1f28-4e26-b97b-{contact:012}"),
                "InitialContactId": format!("4a573372-1f28-4e26-b97b-{contact:012}"), "PreviousContactId": null,
                "CustomerEndpoint": {"Address": format!("+1206{:07}", 5_000_000 + customer), "Type": "TELEPHONE_NUMBER"},
                "CustomerId": null, "Description": null, "InstanceARN": instance, "LanguageCode": "en-US",
                "MediaStreams": {"Customer": {"Audio": null}}, "Name": null, "References": {}, "Tags": {},
                "Queue": {"ARN": format!("{instance}/queue/sales"), "Name": "Sales",
                    "OutboundCallerId": {"Address": format!("+1425{:07}", 5_000_000 + caller), "Type": "TELEPHONE_NUMBER"}},
                "SystemEndpoint": {"Address": format!("+1425{:07}", 5_000_000 + caller), "Type": "TELEPHONE_NUMBER"}
            },
            "Parameters": {"AgentARN": format!("{instance}/agent/{}", contact % 50)}
        }
    })
}

fn two_rules() -> Value {
    json!({"rules": [
        {"id": "customer-per-hour", "per": ["customer"], "limit": {"kind": "sliding", "max": CUSTOMER_MAX, "window_seconds": 3600}},
        {"id": "caller-id-per-hour", "per": ["caller_id"], "limit": {"kind": "sliding", "max": CALLER_MAX, "window_seconds": 3600}}
    ]})
}

impl Scene {
    pub(super) async fn start(programs: Programs) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(io("listen"))?;
        let store = format!("http://{}/", listener.local_addr().map_err(io("listen"))?);
        tokio::spawn(dynoxide::server::serve_on(
            listener,
            Database::memory().map_err(failed)?,
        ));
        let trust = Trust::new()?;
        let scene = Self {
            front: Front::start(store.clone(), trust.acceptor.clone()).await?,
            trust,
            programs,
            store,
            client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .map_err(failed)?,
        };
        for table in TABLES {
            let request = json!({
                "TableName": table, "BillingMode": "PAY_PER_REQUEST",
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]
            });
            scene.store("CreateTable", &request).await?;
        }
        scene.publish("plain", json!({})).await?;
        Ok(scene)
    }

    /// A policy of two rules for the instance of that name.
    pub(super) async fn publish(&self, instance_name: &str, also: Value) -> Result<()> {
        let arn = instance(instance_name);
        let mut snapshot = json!({
            "schema": 1, "tenant_id": "ten_1", "instance_id": "ins_1", "instance_arn": arn, "status": "active",
            "revision": 1, "policy_id": "pol_1", "policy_version": 1, "policy": two_rules(),
            "runtime_role_arn": "arn:aws:iam::111122223333:role/ringfence-runtime", "external_id": "external",
            "notice_flow_id": "notice-flow", "published_at": "2026-01-01T00:00:00Z"
        });
        if let (Some(snapshot), Value::Object(also)) = (snapshot.as_object_mut(), also) {
            snapshot.extend(also);
        }
        let item = json!({"pk": {"S": arn}, "snapshot": {"S": snapshot.to_string()}});
        self.put("ringfence-policies", item).await
    }

    pub(super) async fn put(&self, table: &str, item: Value) -> Result<()> {
        self.store("PutItem", &json!({"TableName": table, "Item": item}))
            .await
    }

    /// Asks the store itself, past the front.
    async fn store(&self, operation: &str, request: &Value) -> Result<()> {
        let request = self
            .client
            .post(&self.store)
            .header("x-amz-target", format!("DynamoDB_20120810.{operation}"))
            .header("content-type", "application/x-amz-json-1.0")
            .headers(super::front::signed())
            .body(request.to_string());
        let answer = request.send().await.map_err(failed)?;
        if answer.status().is_success() {
            return Ok(());
        }
        let told = answer.text().await.unwrap_or_default();
        Err(failed(format!("{operation}: {told}")))
    }

    /// The environment of a function in Lambda, with this store as its AWS.
    pub(super) fn variables(&self) -> Vec<(&'static str, String)> {
        let fixed = [
            ("AWS_REGION", "us-east-1"),
            ("AWS_DEFAULT_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "ASIAEXAMPLE"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            (
                "AWS_SESSION_TOKEN",
                "a session's token is some hundreds of characters long",
            ),
            ("AWS_LAMBDA_FUNCTION_NAME", "ringfence-limiter-1"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "bench"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "bench"),
            ("_HANDLER", "bootstrap"),
            ("TZ", ":UTC"),
            // As deploy/operator.yaml sets them.
            ("MIMALLOC_PURGE_DELAY", "100"),
            ("MIMALLOC_ARENA_EAGER_COMMIT", "0"),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
        ];
        let mut variables: Vec<_> = fixed.map(|(name, value)| (name, value.to_owned())).into();
        variables.push(("AWS_ENDPOINT_URL", self.front.endpoint.clone()));
        variables.push(("SSL_CERT_FILE", self.trust.bundle.display().to_string()));
        variables
    }

    pub(super) async fn function(&self) -> Result<Function> {
        Function::start(&self.programs.bootstrap, &self.variables()).await
    }
}
