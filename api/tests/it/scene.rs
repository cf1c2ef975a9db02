//! A tenant that has one of everything.

use std::collections::BTreeMap;

use axum::http::Method;
use jiff::Timestamp;
use ringfence_api::domain::identity::Identity;
use ringfence_api::domain::ids::{DecisionId, MemberId, PersonId};
use ringfence_api::domain::role::Role;
use ringfence_api::store::{Checkpoint, NewDecision, ShardName};
use serde_json::{Value, json};

use crate::harness::{Cast, World};
use crate::operations::Operation;

pub struct Scene {
    pub cast: Cast,
    /// By the resource's name in paths.
    ids: BTreeMap<&'static str, String>,
    pub arn: String,
    /// That the webhook is told of.
    pub event: String,
}

impl Scene {
    /// `number` sets apart what must be unique in the world.
    pub async fn build(world: &World, number: u32) -> Self {
        let cast = world.tenant(&format!("Tenant {number}")).await;
        let arn = arn(number);
        let instance = world.instance(&cast.owner, &arn).await;
        world.mark_verified(&cast, &instance).await;
        let policy = json!({ "rules": [] });
        for path in [
            "/v1/policies/default".to_owned(),
            format!("/v1/instances/{instance}/policy"),
        ] {
            world.put(&path, &cast.owner, policy.clone()).await.ok(200);
        }
        let installation = format!("/v1/instances/{instance}/installation");
        let wanted = json!({ "queues": "all" });
        world.put(&installation, &cast.owner, wanted).await.ok(202);
        let made = async |path: &str, body| {
            let made = world.post(path, &cast.owner, body).await;
            made.ok(201).text("/id")
        };
        let number =
            |digit: u8| json!({ "number": format!("+1206555010{digit}"), "reason": "asked" });
        let key = json!({ "name": "robot", "role": "viewer" });
        let connections = world.get("/v1/connections", &cast.owner).await.ok(200);
        let connection = connections.text("/data/0/id");
        let webhook = made("/v1/webhooks", webhook()).await;
        let test = format!("/v1/webhooks/{webhook}/test");
        let test = world.call(Method::POST, &test, &cast.owner, None).await;
        let event = test.ok(202).text("/event_id");
        let erased = world.delete("/v1/numbers/+12065550188", &cast.owner).await;
        let ids = BTreeMap::from([
            ("number-erasures", erased.ok(202).text("/id")),
            ("webhooks", webhook),
            ("tenants", cast.id.clone()),
            ("api-keys", made("/v1/api-keys", key).await),
            ("exemptions", made("/v1/exemptions", number(0)).await),
            ("blocks", made("/v1/blocks", number(1)).await),
            ("decisions", decision(world, &cast, &instance, &arn).await),
            ("connections", connection),
            ("members", member(world, &cast).await),
            (
                "invitations",
                made("/v1/invitations", json!({ "role": "viewer" })).await,
            ),
            (
                "token-issuers",
                made("/v1/token-issuers", token_issuer("https://login.example")).await,
            ),
            ("instances", instance),
            ("shards", world.shard().await),
        ]);
        Self {
            cast,
            ids,
            arn,
            event,
        }
    }

    pub fn id(&self, resource: &str) -> &str {
        self.ids.get(resource).expect("the scene has one")
    }

    /// The path of an operation on what this tenant has.
    pub fn path(&self, operation: &Operation) -> String {
        if !operation.names_something() {
            return operation.at("");
        }
        let id = self.ids.get(operation.resource());
        let id = id.unwrap_or_else(|| panic!("the scene has none of {}", operation.resource()));
        operation.at(id).replace("{event_id}", &self.event)
    }

    /// The path with the id of a thing that nobody has, of the same kind.
    pub fn missing(&self, operation: &Operation) -> String {
        let (known, nobodys) = match self.ids.get(operation.resource()) {
            Some(id) => {
                let prefix = id.split('_').next().unwrap_or_default();
                (
                    id.as_str(),
                    format!("{prefix}_01890000000070008000000000000000"),
                )
            }
            None => ("{id}", String::new()),
        };
        self.path(operation).replace(known, &nobodys)
    }

    /// Whether a text names anything of this tenant.
    pub fn shows_in(&self, text: &str) -> bool {
        self.ids.values().any(|id| text.contains(id)) || text.contains(&self.arn)
    }
}

pub fn webhook() -> Value {
    json!({ "url": "https://hooks.example.com/in", "events": ["call.denied"] })
}

pub fn token_issuer(issuer: &str) -> Value {
    json!({
        "issuer": issuer, "audience": "ringfence", "jwks_url": "https://login.example/keys",
        "default_role": "viewer",
    })
}

async fn member(world: &World, cast: &Cast) -> String {
    let identity = Identity {
        issuer: "https://id.example".to_owned(),
        subject: cast.id.clone(),
        name: Some("Ada".to_owned()),
        email: None,
        email_verified: false,
        is_operator: false,
    };
    let (id, tenant) = (MemberId(world.ids.uuid()), cast.id.parse().expect("an id"));
    let now = world.clock.now();
    let mut tx = world.store.system("test").await.expect("a transaction");
    let person = tx
        .person_sign_in(PersonId(world.ids.uuid()), &identity, now)
        .await;
    let person = person.expect("a person");
    let inserted = tx
        .member_insert(tenant, id, &person, Role::Viewer, now)
        .await;
    assert!(inserted.expect("a member"));
    tx.commit().await.expect("committed");
    id.to_string()
}

pub fn arn(number: u32) -> String {
    format!("arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-{number:012x}")
}

async fn decision(world: &World, cast: &Cast, instance: &str, arn: &str) -> String {
    let now: Timestamp = world.clock.now();
    let id = DecisionId(world.ids.uuid());
    let record = json!({
        "schema": 1, "instance_arn": arn, "instance_id": instance, "tenant_id": cast.id,
        "contact_id": "contact-1", "at": now, "outcome": "allowed", "mode": "enforce",
        "customer_number": "+13125550100", "policy_id": "pol_01890000000070008000000000000000",
        "policy_version": 1, "revision": 1, "decided_in_ms": 7,
    });
    let decision = NewDecision {
        id,
        sequence_number: "1".to_owned(),
        owner: Some((
            cast.id.parse().expect("a tenant's id"),
            instance.parse().expect("an instance's id"),
        )),
        instance_arn: arn.to_owned(),
        contact_id: "contact-1".to_owned(),
        at: now,
        outcome: "allowed",
        rule_id: None,
        record,
        notice: None,
        events: Vec::new(),
        told_agent: None,
    };
    let shard = ShardName {
        region: "us-east-1".to_owned(),
        stream_arn: cast.id.clone(),
        shard_id: "shard".to_owned(),
    };
    let read = Checkpoint {
        sequence_number: Some("1".to_owned()),
        finished: false,
    };
    let before = Checkpoint::default();
    world
        .store
        .decisions_ingest(&shard, &before, &read, &[decision], false, now)
        .await
        .expect("stored");
    id.to_string()
}
