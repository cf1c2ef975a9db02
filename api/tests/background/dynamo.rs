//! A DynamoDB of one's own that speaks the real protocol, with the operator's tables.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType, StreamSpecification, StreamViewType,
};
use dynoxide::{Database, server};
use ringfence_api::aws::{Aws, AwsSettings, Jitter};
use ringfence_api::clock::Clock;
use ringfence_api::store::Store;
use tokio::net::TcpListener;

pub const POLICIES: &str = "ringfence-policies";
pub const DECISIONS: &str = "ringfence-decisions";
pub const METERS: &str = "ringfence-meters";

#[derive(Clone)]
pub struct Dynamo {
    pub aws: Arc<Aws>,
    pub client: Client,
    /// Where it listens.
    pub endpoint: String,
}

impl Dynamo {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let database = Database::memory().expect("a database");
        tokio::spawn(server::serve_on(listener, database));
        let config = config(&endpoint);
        let client = Client::new(&config);
        create_table(&client, POLICIES, false).await;
        create_table(&client, DECISIONS, true).await;
        create_table(&client, METERS, false).await;
        Self {
            aws: aws_at(&endpoint),
            client,
            endpoint,
        }
    }

    /// The item of this instance in the table of policies: revision and snapshot.
    pub async fn snapshot(&self, instance_arn: &str) -> Option<(String, serde_json::Value)> {
        let output = self
            .client
            .get_item()
            .table_name(POLICIES)
            .key("pk", AttributeValue::S(instance_arn.to_owned()))
            .send()
            .await
            .expect("an answer");
        let item = output.item?;
        let revision = item["revision"].as_n().expect("a number").clone();
        let snapshot =
            serde_json::from_str(item["snapshot"].as_s().expect("a text")).expect("JSON");
        Some((revision, snapshot))
    }

    /// Everything in a table, by key.
    pub async fn items(&self, table: &str) -> BTreeMap<String, HashMap<String, AttributeValue>> {
        let mut items = BTreeMap::new();
        let mut pages = self
            .client
            .scan()
            .table_name(table)
            .into_paginator()
            .items()
            .send();
        while let Some(item) = pages.next().await {
            let item = item.expect("an item");
            items.insert(item["pk"].as_s().expect("a text").clone(), item);
        }
        items
    }

    pub async fn put(&self, table: &str, item: HashMap<String, AttributeValue>) {
        let request = self.client.put_item().table_name(table);
        request.set_item(Some(item)).send().await.expect("put");
    }

    pub async fn create(&self, table: &str) {
        create_table(&self.client, table, false).await;
    }

    pub async fn drop_table(&self, table: &str) {
        let request = self.client.delete_table().table_name(table);
        request.send().await.expect("dropped");
    }

    /// As if the table had just been made.
    pub async fn clear(&self, table: &str) {
        self.drop_table(table).await;
        self.create(table).await;
    }

    pub async fn put_decision(&self, instance_arn: &str, contact_id: &str, record: &str) {
        self.client
            .put_item()
            .table_name(DECISIONS)
            .item(
                "pk",
                AttributeValue::S(format!("{instance_arn}#{contact_id}")),
            )
            .item("record", AttributeValue::S(record.to_owned()))
            .item("ttl", AttributeValue::N("4102444800".to_owned()))
            .send()
            .await
            .expect("put");
    }
}

fn config(endpoint: &str) -> SdkConfig {
    let credentials = Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(endpoint)
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build()
}

/// The adapters, asking whoever listens there.
pub fn aws_at(endpoint: &str) -> Arc<Aws> {
    let settings = AwsSettings {
        connect_requests_per_second: 1.0,
        policies_table: POLICIES.to_owned(),
        decisions_table: DECISIONS.to_owned(),
        meters_table: METERS.to_owned(),
    };
    // Nobody asks Connect here, so nobody asks the database for a turn.
    let nowhere = Store::connect_lazily("postgres://localhost/none").expect("an address");
    Arc::new(Aws::new(
        config(endpoint),
        settings,
        nowhere,
        Jitter::new(1),
        Clock::system(),
    ))
}

async fn create_table(client: &Client, name: &str, stream: bool) {
    let mut request = client
        .create_table()
        .table_name(name)
        .billing_mode(BillingMode::PayPerRequest)
        .attribute_definitions(
            AttributeDefinition::builder()
                .attribute_name("pk")
                .attribute_type(ScalarAttributeType::S)
                .build()
                .expect("a definition"),
        )
        .key_schema(
            KeySchemaElement::builder()
                .attribute_name("pk")
                .key_type(KeyType::Hash)
                .build()
                .expect("a key"),
        );
    if stream {
        let specification = StreamSpecification::builder()
            .stream_enabled(true)
            .stream_view_type(StreamViewType::NewImage)
            .build()
            .expect("a specification");
        request = request.stream_specification(specification);
    }
    request.send().await.expect("a table");
}
