//! A limit over all of a tenant's instances: one meter, in the tenant's home region.

use std::sync::Arc;
use std::time::Duration;

use aws_sdk_dynamodb::types::AttributeValue;
use ringfence_limiter::adapters::Aws;
use ringfence_limiter::{Answer, Limiter, Settings};
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
        let changes =
            json!({"home_region": HOME, "instance_id": "ins_2", "instance_arn": INSTANCE_AT_HOME});
        let published = AttributeValue::S(snapshot(2, policy, changes).to_string());
        let put = store
            .put_item()
            .table_name(&settings.policies_table)
            .item("pk", AttributeValue::S(INSTANCE_AT_HOME.to_owned()))
            .item("snapshot", published);
        put.send().await.unwrap();
        let at_home = Arc::new(Limiter::new(
            settings,
            Aws::new(config),
            scene.clock.clone(),
        ));
        scene.cloud.forget();
        Self { scene, at_home }
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
