//! A tenant's instance with a policy, a clock that stands still, and agents who dial.

use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Once};
use std::time::Duration;

use aws_sdk_dynamodb::operation::put_item::PutItemError;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ReturnValuesOnConditionCheckFailure, ScalarAttributeType,
};
use jiff::Timestamp;
use ringfence_limiter::adapters::Aws;
use ringfence_limiter::{Answer, Clock, EventError, Limiter, Settings};
use ringfence_policy::wire::v1::DecisionRecord;
use ringfence_policy::{Entry, EntryStatus};
use serde_json::{Value, json};

use crate::cloud::Cloud;
use crate::sdk::sdk_config;

pub const INSTANCE: &str = "arn:aws:connect:us-east-1:111122223333:instance/one";
pub const CUSTOMER: &str = "+12065550100";
pub const CALLER: &str = "+12065550199";

pub struct ManualClock {
    now_ms: AtomicI64,
    panics: AtomicI64,
}

impl ManualClock {
    fn new() -> Arc<Self> {
        let start: Timestamp = "2026-11-25T18:00:00Z".parse().unwrap();
        Arc::new(Self {
            now_ms: AtomicI64::new(start.as_millisecond()),
            panics: AtomicI64::new(0),
        })
    }

    /// A clock of its own, this much ahead of or behind what this one shows now.
    pub fn another(&self, off_ms: i64) -> Arc<Self> {
        Arc::new(Self {
            now_ms: AtomicI64::new(self.now_ms.load(Ordering::SeqCst) + off_ms),
            panics: AtomicI64::new(0),
        })
    }

    pub fn advance_ms(&self, by: i64) {
        self.now_ms.fetch_add(by, Ordering::SeqCst);
    }

    /// The next questions for the time end in a panic.
    pub fn panic_next(&self, times: i64) {
        self.panics.store(times, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        assert!(
            self.panics.fetch_sub(1, Ordering::SeqCst) <= 0,
            "a clock that was told to panic"
        );
        Timestamp::from_millisecond(self.now_ms.load(Ordering::SeqCst)).unwrap()
    }
}

pub struct Scene {
    pub cloud: Cloud,
    pub clock: Arc<ManualClock>,
    pub limiter: Arc<Limiter>,
    pub store: aws_sdk_dynamodb::Client,
    settings: Settings,
}

pub fn sliding(per: &[&str], max: u32, window_seconds: u32) -> Value {
    let id = format!("{}-rule", per.join("-").replace('_', "-"));
    json!({"id": id, "per": per, "limit": {"kind": "sliding", "max": max, "window_seconds": window_seconds}})
}

pub fn until_quiet(block_at: u32) -> Value {
    json!({"id": "quiet-rule", "per": ["customer"], "limit": {"kind": "until_quiet", "block_at": block_at, "quiet_seconds": 60}})
}

impl Scene {
    /// Deadlines are generous, because a busy machine is no part of what most tests are about.
    pub async fn new(policy: Value) -> Self {
        let settings = Settings {
            decision_deadline: Duration::from_secs(6),
            policy_max_age: Duration::from_secs(5),
            ..Settings::default()
        };
        Self::with(settings, policy).await
    }

    pub async fn with(settings: Settings, policy: Value) -> Self {
        static LOGS: Once = Once::new();
        LOGS.call_once(crate::logs::capture);
        let cloud = Cloud::start().await;
        let clock = ManualClock::new();
        let config = sdk_config(&cloud.endpoint);
        let store = aws_sdk_dynamodb::Client::new(&config);
        let limiter = Arc::new(Limiter::new(
            settings.clone(),
            Aws::new(config),
            clock.clone(),
        ));
        let scene = Self {
            cloud,
            clock,
            limiter,
            store,
            settings,
        };
        for table in [
            &scene.settings.policies_table,
            &scene.settings.meters_table,
            &scene.settings.decisions_table,
        ] {
            create_table(&scene.store, table).await;
        }
        scene.publish(1, policy, json!({})).await;
        scene.cloud.forget();
        scene
    }

    /// Another process of the same function: nothing is shared but the tables.
    pub fn another_limiter(&self) -> Arc<Limiter> {
        Arc::new(self.new_limiter())
    }

    pub fn new_limiter(&self) -> Limiter {
        self.limiter_by(self.clock.clone())
    }

    /// On a host whose clock this is.
    pub fn limiter_by(&self, clock: Arc<ManualClock>) -> Limiter {
        let aws = Aws::new(sdk_config(&self.cloud.endpoint));
        Limiter::new(self.settings.clone(), aws, clock)
    }

    pub async fn publish(&self, revision: u64, policy: Value, changes: Value) {
        let document = snapshot(revision, policy, changes);
        self.put(
            &self.settings.policies_table,
            INSTANCE,
            "snapshot",
            AttributeValue::S(document.to_string()),
        )
        .await;
    }

    /// Puts a number on one of the tenant's lists, or off them.
    pub async fn list_number(&self, number: &str, list: &str, expires_at: Option<&str>) {
        let mut entry = json!({"schema": 1, "tenant_id": "ten_1", "number": number, "list": list, "entry_id": "ent_1"});
        if let Some(expires_at) = expires_at {
            entry["expires_at"] = json!(expires_at);
        }
        let pk = format!("number|ten_1|{number}");
        let entry = AttributeValue::S(entry.to_string());
        self.put(&self.settings.policies_table, &pk, "entry", entry)
            .await;
    }

    /// Blocks so many numbers, from +442070000000 on.
    pub async fn list_many(&self, count: usize) {
        let numbers: Vec<String> = (0..count)
            .map(|number| format!("+44207{number:07}"))
            .collect();
        for numbers in numbers.chunks(100) {
            let listing = numbers
                .iter()
                .map(|number| self.list_number(number, "block", None));
            futures::future::join_all(listing).await;
        }
    }

    async fn put(&self, table: &str, pk: &str, name: &str, value: AttributeValue) {
        let put = self
            .store
            .put_item()
            .table_name(table)
            .item("pk", AttributeValue::S(pk.to_owned()))
            .item(name, value);
        put.send().await.unwrap();
    }

    /// Writes a record over the one there is.
    pub async fn put_record(&self, record: &DecisionRecord) {
        let put = self
            .store
            .put_item()
            .table_name(&self.settings.decisions_table)
            .item(
                "pk",
                AttributeValue::S(format!("{INSTANCE}#{}", record.contact_id)),
            )
            .item(
                "record",
                AttributeValue::S(serde_json::to_string(record).unwrap()),
            )
            .item("denied", AttributeValue::Bool(record.outcome.is_denied()))
            .item("ttl", AttributeValue::N("4102444800".to_owned()));
        put.send().await.unwrap();
    }

    pub async fn put_log(&self, meter: &str, entries: Vec<AttributeValue>) {
        self.put(
            &self.settings.meters_table,
            &meter_key(meter),
            "log",
            AttributeValue::L(entries),
        )
        .await;
    }

    /// What is remembered of a meter beside its log.
    pub async fn past(&self, meter: &str) -> Option<AttributeValue> {
        let item = self
            .item(&self.settings.meters_table, &meter_key(meter))
            .await?;
        item.get("past").cloned()
    }

    /// As if somebody else had just folded something.
    pub async fn put_past(&self, meter: &str, past: AttributeValue) {
        let update = self
            .store
            .update_item()
            .table_name(&self.settings.meters_table)
            .key("pk", AttributeValue::S(meter_key(meter)))
            .update_expression("SET past = :past")
            .expression_attribute_values(":past", past);
        update.send().await.unwrap();
    }

    pub async fn dial(&self, contact: u64) -> Answer {
        self.dial_event(event(contact)).await.unwrap()
    }

    pub async fn dial_event(&self, event: Value) -> Result<Answer, EventError> {
        self.limiter.handle(event, Duration::from_secs(8)).await
    }

    /// Waits for what goes on beside the answers.
    pub async fn until(&self, holds: impl AsyncFn() -> bool) {
        let deadline = std::time::Instant::now() + Duration::from_secs(10);
        while !holds().await {
            assert!(std::time::Instant::now() < deadline, "waited in vain");
            tokio::task::yield_now().await;
        }
    }

    pub async fn record(&self, contact: u64) -> Option<DecisionRecord> {
        let key = format!("{INSTANCE}#{}", contact_id(contact));
        let item = self.item(&self.settings.decisions_table, &key).await?;
        assert!(item.contains_key("ttl"));
        Some(serde_json::from_str(item["record"].as_s().unwrap()).unwrap())
    }

    /// As if the record had never been written, or had been lost.
    pub async fn lose_record(&self, contact: u64) {
        let key = format!("{INSTANCE}#{}", contact_id(contact));
        let delete = self
            .store
            .delete_item()
            .table_name(&self.settings.decisions_table)
            .key("pk", AttributeValue::S(key));
        delete.send().await.unwrap();
    }

    pub async fn log(&self, meter: &str) -> Vec<Entry> {
        let Some(item) = self
            .item(&self.settings.meters_table, &meter_key(meter))
            .await
        else {
            return Vec::new();
        };
        let places = item["log"].as_l().unwrap().iter();
        places
            .map(|place| Entry::decode(place.as_b().unwrap().as_ref()).unwrap())
            .collect()
    }

    pub async fn statuses(&self, meter: &str) -> Vec<EntryStatus> {
        self.log(meter)
            .await
            .into_iter()
            .map(|entry| entry.status)
            .collect()
    }

    pub async fn ttl(&self, meter: &str) -> i64 {
        let item = self
            .item(&self.settings.meters_table, &meter_key(meter))
            .await
            .unwrap();
        item["ttl"].as_n().unwrap().parse().unwrap()
    }

    async fn item(
        &self,
        table: &str,
        pk: &str,
    ) -> Option<std::collections::HashMap<String, AttributeValue>> {
        let get = self
            .store
            .get_item()
            .table_name(table)
            .key("pk", AttributeValue::S(pk.to_owned()));
        get.consistent_read(true).send().await.unwrap().item
    }
}

/// As the control plane publishes it; `changes` replace members, or take them away where null.
pub fn snapshot(revision: u64, policy: Value, changes: Value) -> Value {
    let mut snapshot = json!({
        "schema": 1, "tenant_id": "ten_1", "instance_id": "ins_1", "instance_arn": INSTANCE, "status": "active",
        "revision": revision, "policy_id": "pol_1", "policy_version": revision,
        "policy": policy, "runtime_role_arn": "arn:aws:iam::111122223333:role/ringfence-runtime-con_1",
        "external_id": "external", "notice_flow_id": "notice-flow", "published_at": "2026-11-25T17:00:00Z"
    });
    let members = snapshot.as_object_mut().unwrap();
    members.extend(changes.as_object().unwrap().clone());
    members.retain(|_, value| !value.is_null());
    snapshot
}

fn meter_key(meter: &str) -> String {
    format!("{INSTANCE}|{meter}")
}

pub fn contact_id(contact: u64) -> String {
    format!("4a573372-1f28-4e26-b97b-{contact:012}")
}

pub fn event(contact: u64) -> Value {
    event_of(contact, CUSTOMER, &format!("{INSTANCE}/agent/one"))
}

pub fn event_of(contact: u64, customer: &str, agent: &str) -> Value {
    json!({
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": {}, "Channel": "VOICE", "ContactId": contact_id(contact), "InitialContactId": "another",
                "CustomerEndpoint": {"Address": customer, "Type": "TELEPHONE_NUMBER"}, "InstanceARN": INSTANCE,
                "Queue": {"ARN": format!("{INSTANCE}/queue/q"), "OutboundCallerId": {"Address": CALLER}},
                "SystemEndpoint": null
            },
            "Parameters": {"AgentARN": agent}
        }
    })
}

pub async fn create_table(store: &aws_sdk_dynamodb::Client, name: &str) {
    let attribute = AttributeDefinition::builder()
        .attribute_name("pk")
        .attribute_type(ScalarAttributeType::S)
        .build()
        .unwrap();
    let key = KeySchemaElement::builder()
        .attribute_name("pk")
        .key_type(KeyType::Hash)
        .build()
        .unwrap();
    let table = store
        .create_table()
        .table_name(name)
        .attribute_definitions(attribute)
        .key_schema(key);
    table
        .billing_mode(BillingMode::PayPerRequest)
        .send()
        .await
        .unwrap();
}

/// Whether the store gives the item back with a refused condition, as the limiter relies on.
pub async fn refused_with_item(scene: &Scene) -> bool {
    let put = scene
        .store
        .put_item()
        .table_name("ringfence-policies")
        .item("pk", AttributeValue::S(INSTANCE.to_owned()));
    let refused = put
        .condition_expression("attribute_not_exists(pk)")
        .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld)
        .send()
        .await
        .unwrap_err()
        .into_service_error();
    matches!(refused, PutItemError::ConditionalCheckFailedException(refused) if refused.item().is_some())
}
