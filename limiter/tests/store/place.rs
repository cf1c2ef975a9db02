//! Where the tests run: a store, tables of their own in it, and requests as the limiter makes them.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{
    AttributeDefinition, AttributeValue, BillingMode, KeySchemaElement, KeyType,
    ScalarAttributeType, TableStatus,
};
use aws_types::service_config::{LoadServiceConfig, ServiceConfigKey};
use futures::FutureExt;

use crate::cloud::Cloud;

pub type Item = HashMap<String, AttributeValue>;

/// AWS makes a table within seconds, and now and then within a minute.
const ACTIVE_WITHIN: Duration = Duration::from_secs(120);

pub struct Place {
    pub client: Client,
    /// DynamoDB is the store under test, all else the double.
    pub config: SdkConfig,
    /// One table of one string key, `pk`.
    pub table: String,
    prefix: String,
    made: AtomicUsize,
}

/// Which service is where.
#[derive(Debug)]
struct Endpoints {
    store: String,
    double: String,
}

impl LoadServiceConfig for Endpoints {
    fn load_config(&self, key: ServiceConfigKey<'_>) -> Option<String> {
        if key.env() != "AWS_ENDPOINT_URL" {
            return None;
        }
        Some(match key.service_id() {
            "DynamoDB" => self.store.clone(),
            _ => self.double.clone(),
        })
    }
}

/// Runs a test in a store and removes its tables, also when the test fails.
pub async fn in_store(test: impl AsyncFnOnce(&Place)) {
    let cloud = Cloud::start().await;
    let store = variable("DYNAMODB_ENDPOINT").unwrap_or_else(|| cloud.endpoint.clone());
    let config = config(Endpoints {
        store,
        double: cloud.endpoint.clone(),
    })
    .await;
    let prefix = prefix();
    let place = Place {
        client: Client::new(&config),
        config,
        table: format!("{prefix}-0"),
        prefix,
        made: AtomicUsize::new(0),
    };
    let done = AssertUnwindSafe(async {
        place.new_table().await;
        test(&place).await;
    })
    .catch_unwind()
    .await;
    place.clear().await;
    if let Err(failed) = done {
        resume_unwind(failed);
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|text| !text.is_empty())
}

/// The machine's own credentials where there are some: AWS itself may be what is asked.
async fn config(endpoints: Endpoints) -> SdkConfig {
    let loader = aws_config::defaults(BehaviorVersion::latest());
    let own = [
        "AWS_ACCESS_KEY_ID",
        "AWS_PROFILE",
        "AWS_WEB_IDENTITY_TOKEN_FILE",
    ];
    let loader = if own.iter().any(|name| variable(name).is_some()) {
        loader
    } else {
        let anybody = Credentials::new("test", "test", None, None, "test");
        loader.credentials_provider(SharedCredentialsProvider::new(anybody))
    };
    let region = variable("AWS_REGION").unwrap_or_else(|| "us-east-1".to_owned());
    let config = loader.region(Region::new(region)).load().await;
    config.into_builder().service_config(endpoints).build()
}

#[expect(
    clippy::disallowed_methods,
    reason = "tests of several machines may share one account"
)]
fn prefix() -> String {
    format!("ringfence-store-{}", uuid::Uuid::now_v7().simple())
}

impl Place {
    /// Makes a table as deploy/operator.yaml does, and waits until it can be used.
    pub async fn new_table(&self) -> String {
        let name = format!(
            "{}-{}",
            self.prefix,
            self.made.fetch_add(1, Ordering::SeqCst)
        );
        let attribute = AttributeDefinition::builder()
            .attribute_name("pk")
            .attribute_type(ScalarAttributeType::S);
        let key = KeySchemaElement::builder()
            .attribute_name("pk")
            .key_type(KeyType::Hash);
        let request = self
            .client
            .create_table()
            .table_name(&name)
            .attribute_definitions(attribute.build().unwrap())
            .key_schema(key.build().unwrap())
            .billing_mode(BillingMode::PayPerRequest);
        request.send().await.unwrap();
        let begun = Instant::now();
        loop {
            let described = self.client.describe_table().table_name(&name).send().await;
            let table = described.unwrap().table;
            if table.and_then(|table| table.table_status) == Some(TableStatus::Active) {
                return name;
            }
            assert!(
                begun.elapsed() < ACTIVE_WITHIN,
                "{name} does not become active"
            );
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    async fn clear(&self) {
        for number in 0..self.made.load(Ordering::SeqCst) {
            let name = format!("{}-{number}", self.prefix);
            // What is left behind is seen by its name; a test's own failure is what should be told.
            let _ = self.client.delete_table().table_name(name).send().await;
        }
    }

    pub async fn put(&self, item: Item) {
        let request = self.client.put_item().table_name(&self.table);
        request.set_item(Some(item)).send().await.unwrap();
    }

    pub async fn item(&self, table: &str, pk: &str) -> Option<Item> {
        let request = self.client.get_item().table_name(table).key("pk", text(pk));
        request.consistent_read(true).send().await.unwrap().item
    }

    /// The log of a meter in the test's table.
    pub async fn log(&self, pk: &str) -> Vec<u64> {
        match self.item(&self.table, pk).await {
            Some(item) => log_of(&item),
            None => Vec::new(),
        }
    }
}

pub fn text(text: &str) -> AttributeValue {
    AttributeValue::S(text.to_owned())
}

pub fn number(number: i64) -> AttributeValue {
    AttributeValue::N(number.to_string())
}

pub fn bytes(bytes: &[u8]) -> AttributeValue {
    AttributeValue::B(Blob::new(bytes))
}

/// As long as the limiter's, and told apart by a number.
pub fn entry(number: u64) -> AttributeValue {
    let mut entry = vec![0_u8; 15];
    entry.extend(number.to_be_bytes());
    bytes(&entry)
}

pub fn entries(numbers: impl IntoIterator<Item = u64>) -> AttributeValue {
    AttributeValue::L(numbers.into_iter().map(entry).collect())
}

pub fn log_of(item: &Item) -> Vec<u64> {
    let places = item["log"].as_l().unwrap().iter();
    places
        .map(|place| {
            let bytes = place.as_b().unwrap().as_ref();
            assert_eq!(bytes.len(), 23);
            u64::from_be_bytes(bytes[15..].try_into().unwrap())
        })
        .collect()
}

/// A meter with a log of so many entries.
pub fn meter(pk: &str, length: u64) -> Item {
    Item::from([
        ("pk".to_owned(), text(pk)),
        ("log".to_owned(), entries(0..length)),
        ("ttl".to_owned(), number(2_000_000_000)),
    ])
}
