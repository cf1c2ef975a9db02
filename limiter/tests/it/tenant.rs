//! A limit over all of a tenant's instances: one meter, in the tenant's home region.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use ringfence_limiter::adapters::Aws;
use ringfence_limiter::{Answer, Clock, Limiter, Settings};
use serde_json::{Value, json};

use crate::cloud::Fault;
use crate::scene::{INSTANCE, Scene, create_table, event, sliding, snapshot};
use crate::sdk::sdk_config;

const HOME: &str = "eu-west-2";
const INSTANCE_AT_HOME: &str = "arn:aws:connect:eu-west-2:111122223333:instance/two";

fn tenant_wide(max: u32) -> Value {
    let mut rule = sliding(&["customer"], max, 60);
    rule["scope"] = json!("tenant");
    rule
}

/// One tenant, two instances in two regions, each with a limiter of its own region.
struct Tenant {
    scene: Scene,
    at_home: Arc<Limiter>,
    settings: Settings,
    home: aws_sdk_dynamodb::Client,
}

impl Tenant {
    async fn new(policy: Value) -> Self {
        let settings = Settings {
            decision_deadline: Duration::from_secs(6),
            ..Settings::default()
        };
        let scene = Scene::with(settings.clone(), policy.clone()).await;
        scene
            .publish(2, policy.clone(), json!({"home_region": HOME}))
            .await;
        scene.cloud.open_region(HOME).await;
        let config = sdk_config(&scene.cloud.endpoint).into_builder();
        let config = config.region(aws_config::Region::new(HOME)).build();
        let store = aws_sdk_dynamodb::Client::new(&config);
        for table in [
            &settings.policies_table,
            &settings.meters_table,
            &settings.decisions_table,
        ] {
            create_table(&store, table).await;
        }
        let at_home = Arc::new(Limiter::new(
            settings.clone(),
            Aws::new(config),
            scene.clock.clone(),
        ));
        let tenant = Self {
            scene,
            at_home,
            settings,
            home: store,
        };
        let changes = json!({"home_region": HOME});
        tenant.publish_at_home(2, policy, changes).await;
        tenant.scene.cloud.forget();
        tenant
    }

    async fn publish_at_home(&self, revision: u64, policy: Value, mut changes: Value) {
        changes["instance_id"] = json!("ins_2");
        changes["instance_arn"] = json!(INSTANCE_AT_HOME);
        let published = AttributeValue::S(snapshot(revision, policy, changes).to_string());
        let put = self
            .home
            .put_item()
            .table_name(&self.settings.policies_table)
            .item("pk", AttributeValue::S(INSTANCE_AT_HOME.to_owned()))
            .item("snapshot", published);
        put.send().await.unwrap();
    }

    /// When the only meter there is may be deleted by the store.
    async fn meter_expires_at(&self) -> i64 {
        let scan = self.home.scan().table_name(&self.settings.meters_table);
        let items = scan.send().await.unwrap().items.unwrap_or_default();
        assert_eq!(items.len(), 1);
        items[0]["ttl"].as_n().unwrap().parse().unwrap()
    }

    async fn dial_at_home(&self, contact: u64) -> Answer {
        let text = event(contact)
            .to_string()
            .replace(INSTANCE, INSTANCE_AT_HOME);
        let event = serde_json::from_str(&text).unwrap();
        self.at_home
            .handle(event, Duration::from_secs(8))
            .await
            .unwrap()
    }

    fn regions_counted_in(&self) -> Vec<String> {
        let counted = self.scene.cloud.seen("UpdateItem").into_iter();
        let mut regions: Vec<String> = counted.map(|seen| seen.region).collect();
        regions.sort();
        regions.dedup();
        regions
    }
}

#[tokio::test]
async fn calls_of_all_instances_and_regions_share_a_tenant_wide_limit() {
    let tenant = Tenant::new(json!({"rules": [tenant_wide(3)]})).await;
    let mut allowed = 0;
    for contact in 0..4 {
        let answers = [
            tenant.scene.dial(2 * contact).await,
            tenant.dial_at_home(2 * contact + 1).await,
        ];
        allowed += answers.iter().filter(|answer| answer.allowed()).count();
    }
    assert_eq!(allowed, 3);
    assert_eq!(tenant.regions_counted_in(), [HOME]);
}

#[tokio::test]
async fn an_instance_s_own_limits_stay_in_its_region_and_all_count_in_one_round() {
    let rules = [tenant_wide(3), sliding(&["caller_id"], 9, 60)];
    let tenant = Tenant::new(json!({ "rules": rules })).await;
    assert!(tenant.scene.dial(1).await.allowed());
    let mut counted: Vec<String> = tenant
        .scene
        .cloud
        .seen("UpdateItem")
        .into_iter()
        .map(|seen| seen.region)
        .collect();
    counted.sort();
    assert_eq!(counted, [HOME, "us-east-1"]);
}

#[tokio::test]
async fn a_denied_call_is_released_where_it_was_counted() {
    let tenant = Tenant::new(json!({"rules": [tenant_wide(1)]})).await;
    assert!(tenant.dial_at_home(1).await.allowed());
    assert!(!tenant.scene.dial(2).await.allowed());
    tenant.scene.clock.advance_ms(60_000);
    assert!(tenant.scene.dial(3).await.allowed());
    assert_eq!(tenant.regions_counted_in(), [HOME]);
}

#[tokio::test]
async fn a_home_region_that_is_not_reached_is_a_store_that_is_not_reached() {
    for (on_unavailable, allowed) in [("allow", true), ("deny", false)] {
        let policy = json!({"on_unavailable": on_unavailable, "rules": [tenant_wide(3)]});
        let tenant = Tenant::new(policy).await;
        let refused = Fault::Refuse(400, "AccessDeniedException");
        tenant.scene.cloud.fault("UpdateItem", refused, 1);
        let answer = tenant.scene.dial(1).await;
        assert_eq!(
            (answer.allowed(), answer.get("Reason")),
            (allowed, Some("unavailable"))
        );
    }
}

/// Each instance has a policy of its own; both count on one meter.
#[tokio::test]
async fn a_short_limit_at_one_instance_forgets_nothing_that_a_long_one_at_another_needs() {
    let minute = tenant_wide(2);
    let mut day = tenant_wide(58);
    day["limit"]["window_seconds"] = json!(86_400);
    let tenant = Tenant::new(json!({"rules": [minute]})).await;
    let beside = |rule: &Value| {
        let elsewhere = json!({"customer-rule": [rule["limit"]]});
        json!({"home_region": HOME, "limits_elsewhere": elsewhere})
    };
    let (by_the_day, by_the_minute) = (json!({"rules": [day]}), json!({"rules": [minute]}));
    tenant.scene.publish(3, by_the_day, beside(&minute)).await;
    tenant.publish_at_home(3, by_the_minute, beside(&day)).await;
    for contact in 0..3 {
        assert!(tenant.scene.dial(contact).await.allowed());
    }
    for contact in 3..58 {
        tenant.scene.clock.advance_ms(600_000);
        assert!(tenant.dial_at_home(contact).await.allowed());
    }
    let now = tenant.scene.clock.now().as_second();
    let expires_at = tenant.meter_expires_at().await;
    assert!(expires_at >= now + 86_400, "{expires_at} at {now}");
    assert!(!tenant.scene.dial(100).await.allowed());
}
