//! A number is erased everywhere, whatever fails in between, and what is counted of its calls stays true.

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use jiff::{SignedDuration, Timestamp};
use ringfence_api::background::Found;
use ringfence_api::background::ingest::Ingest;
use ringfence_api::background::number_erasure::NumberEraser;
use ringfence_api::domain::ids::{InstanceId, NumberErasureId, PolicyId, WebhookId};
use ringfence_api::domain::number_erasure::Kept;
use ringfence_api::domain::phone::PhoneNumber;
use ringfence_api::domain::precondition::Precondition;
use ringfence_api::store::{NewNumberErasure, NumberErasure, PutPolicy};
use ringfence_policy::Policy;
use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, PgPool, Row as _};

use crate::dynamo::{DECISIONS, Dynamo, METERS};
use crate::world::{REGION, World};

const NUMBER: &str = "+12065550142";
const DIGITS: &str = "2065550142";
const OTHER: &str = "+12065550199";

struct Town {
    world: World,
    dynamo: Dynamo,
    ingest: Ingest,
    instance: InstanceId,
    arn: String,
}

impl Town {
    async fn new(pool: PgPool) -> Self {
        let world = World::new(pool).await;
        let dynamo = Dynamo::start().await;
        let (instance, arn) = world.instance().await;
        let ingest = ingest(&world, &dynamo);
        let town = Self {
            world,
            dynamo,
            ingest,
            instance,
            arn: arn.to_string(),
        };
        // The one in force names other meters than the one before.
        town.put_policy(json!([rule("before", &["customer", "queue"])]))
            .await;
        let rules = json!([
            rule("customer", &["customer"]),
            rule("pairs", &["customer", "caller_id"])
        ]);
        town.put_policy(rules).await;
        town
    }

    async fn put_policy(&self, rules: Value) {
        let policy: Policy = serde_json::from_value(json!({ "rules": rules })).expect("a policy");
        let mut tx = self
            .world
            .store
            .tenant(self.world.tenant)
            .await
            .expect("a tx");
        let put = PutPolicy {
            new_id: PolicyId(self.world.ids.uuid()),
            instance: None,
            policy: &policy,
            expected: &Precondition::default(),
            now: self.world.clock.now(),
            by: "test",
        };
        tx.policy_put(&put).await.expect("put");
        tx.commit().await.expect("committed");
    }

    /// A denied call has come back; its notice waits, and a webhook was told.
    async fn denied(&mut self, contact: &str, customer: &str, caller_id: &str) {
        let record = self.record(contact, customer, caller_id);
        let text = record.to_string();
        self.dynamo.put_decision(&self.arn, contact, &text).await;
        self.drain().await;
    }

    /// An allowed call that came near to a limit has come back.
    async fn near(&mut self, contact: &str, customer: &str) {
        let mut record = self.record(contact, customer, "+14255550100");
        let near =
            json!({ "rule_id": "pairs", "mode": "enforce", "count": 3, "limit": 4, "near": true });
        for (member, value) in [
            ("outcome", json!("allowed")),
            ("rules", json!([near])),
            ("notice", json!("not_needed")),
        ] {
            record[member] = value;
        }
        let members = record.as_object_mut().expect("members");
        members.remove("deferred_notice");
        let text = record.to_string();
        self.dynamo.put_decision(&self.arn, contact, &text).await;
        self.drain().await;
    }

    fn record(&self, contact: &str, customer: &str, caller_id: &str) -> Value {
        json!({
            "schema": 1, "instance_arn": self.arn, "instance_id": self.instance.to_string(),
            "tenant_id": self.world.tenant.to_string(), "contact_id": contact, "at": self.world.clock.now(),
            "outcome": "denied", "mode": "enforce", "rule_id": "customer", "customer_number": customer,
            "caller_id": caller_id, "queue_arn": format!("{}/queue/sales", self.arn), "policy_id": "none",
            "policy_version": 0, "revision": 1, "stop": "stopped", "notice": "deferred",
            "deferred_notice": {
                "name": "Call not placed", "description": format!("The call to {customer} was not placed."),
                "attributes": { "CustomerNumber": customer }, "client_token": contact,
            },
            "decided_in_ms": 3,
        })
    }

    async fn drain(&mut self) {
        while self.ingest.look().await.expect("a look") == Found::Work {}
    }

    async fn meter(&self, rest: &str) {
        let item = [
            (
                "pk".to_owned(),
                AttributeValue::S(format!("{}|{rest}", self.arn)),
            ),
            (
                "log".to_owned(),
                AttributeValue::L(vec![AttributeValue::B(Blob::new(*b"entry"))]),
            ),
        ];
        self.dynamo.put(METERS, item.into()).await;
    }

    async fn ask(&self) -> NumberErasure {
        let number = PhoneNumber::read(NUMBER).expect("a number");
        let new = NewNumberErasure {
            id: NumberErasureId(self.world.ids.uuid()),
            number: &number,
            masked: "+12•••••••42",
            kept: &[Kept::AuditLog],
            asked_at: self.world.clock.now(),
        };
        let mut tx = self
            .world
            .store
            .tenant(self.world.tenant)
            .await
            .expect("a tx");
        let erasure = tx.number_erasure_ask(&new).await.expect("asked");
        tx.commit().await.expect("committed");
        erasure
    }

    fn eraser(&self) -> NumberEraser {
        NumberEraser {
            store: self.world.store.clone(),
            aws: self.dynamo.aws.clone(),
            clock: self.world.clock.clone(),
            ids: self.world.ids.clone(),
        }
    }

    /// A new one each time, as if the last had been killed.
    async fn look(&self) -> Found {
        self.eraser().look().await.expect("a look")
    }

    async fn erasure(&self, id: NumberErasureId) -> NumberErasure {
        let mut tx = self
            .world
            .store
            .tenant(self.world.tenant)
            .await
            .expect("a tx");
        let found = tx.number_erasure_get(id).await.expect("read");
        found.expect("the erasure")
    }

    /// Where the number's digits stand: tables of both databases.
    async fn traces(&self) -> Vec<String> {
        let mut found = Vec::new();
        let tables: Vec<String> = sqlx::query_scalar(
            "select relname::text from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1",
        )
        .fetch_all(&self.world.pool)
        .await
        .expect("the catalog");
        for table in tables {
            let count =
                format!("select count(*) from {table} t where to_jsonb(t)::text like '%{DIGITS}%'");
            let count: i64 = sqlx::query_scalar(AssertSqlSafe(count))
                .fetch_one(&self.world.pool)
                .await
                .expect("a count");
            if count > 0 {
                found.push(table);
            }
        }
        for table in [DECISIONS, METERS] {
            let items = self.dynamo.items(table).await;
            if format!("{items:?}").contains(DIGITS) {
                found.push(table.to_owned());
            }
        }
        found
    }
}

fn rule(id: &str, per: &[&str]) -> Value {
    json!({ "id": id, "per": per, "limit": { "kind": "sliding", "max": 3, "window_seconds": 60 } })
}

fn ingest(world: &World, dynamo: &Dynamo) -> Ingest {
    Ingest::new(
        world.store.clone(),
        &dynamo.aws,
        REGION,
        world.clock.clone(),
        world.ids.clone(),
    )
}

async fn webhook(world: &World) {
    sqlx::query(
        "insert into webhook_endpoints (tenant_id, id, url, description, events, customer_numbers, state, secret,
             created_at, failures, next_turn_at)
         select id, $1, 'https://x/', '', '{call.denied,limit.near}', 'full', 'enabled', 'x', created_at, 0, created_at from tenants",
    )
    .bind(WebhookId(world.ids.uuid()).0)
    .execute(&world.pool)
    .await
    .expect("a webhook");
}

async fn outcomes(pool: &PgPool) -> Vec<(String, i64)> {
    sqlx::query("select outcome, count(*) from decisions group by 1 order by 1")
        .fetch_all(pool)
        .await
        .expect("counts")
        .into_iter()
        .map(|row| (row.get(0), row.get(1)))
        .collect()
}

/// A town in which the number stands everywhere it can, with another one beside it.
async fn full(pool: PgPool) -> Town {
    let mut town = Town::new(pool).await;
    webhook(&town.world).await;
    town.denied("a", NUMBER, "+14255550100").await;
    town.denied("b", NUMBER, "+14255550101").await;
    // Somebody called from it.
    town.denied("c", OTHER, NUMBER).await;
    town.denied("d", OTHER, "+14255550100").await;
    town.near("e", NUMBER).await;
    // A receiver that answers with what it was sent.
    sqlx::query(
        "insert into webhook_attempts (tenant_id, endpoint_id, event_id, number, at, duration_ms, answer)
         select tenant_id, endpoint_id, event_id, 1, next_due_at, 3, 'got ' || (
             select data ->> 'customer_number' from webhook_events e where e.id = event_id) from webhook_deliveries",
    )
    .execute(&town.world.pool)
    .await
    .expect("attempts");
    for meter in [
        format!("customer|{NUMBER}"),
        format!("customer+caller_id|{NUMBER},+14255550100"),
        format!("customer+caller_id|{NUMBER},+14255550101"),
        format!("customer+queue|{NUMBER},{}/queue/sales", town.arn),
        format!("customer|{OTHER}"),
        format!("customer+caller_id|{OTHER},+14255550100"),
    ] {
        town.meter(&meter).await;
    }
    town
}

#[sqlx::test(migrations = "../migrations")]
async fn an_erased_number_stands_nowhere_and_what_is_counted_stays(pool: PgPool) {
    let mut town = full(pool.clone()).await;
    let before = outcomes(&pool).await;
    let asked = town.ask().await;
    assert_eq!(
        town.traces().await,
        [
            "decisions",
            "deferred_notices",
            "number_erasures",
            "webhook_attempts",
            "webhook_events",
            DECISIONS,
            METERS
        ]
    );
    // Calls were made at this very moment: limiters may still be at them.
    town.look().await;
    assert!(town.traces().await.contains(&DECISIONS.to_owned()));
    assert_eq!(town.look().await, Found::Nothing);
    town.world.wait(SignedDuration::from_secs(70));
    while town.look().await == Found::Work {}

    assert_eq!(town.traces().await, Vec::<String>::new());
    let erasure = town.erasure(asked.id).await;
    assert!(erasure.erased_at.is_some() && erasure.number.is_none());
    assert_eq!((erasure.decisions, erasure.meters), (4, 4));
    assert_eq!(outcomes(&pool).await, before, "figures stay true");
    let left: Vec<String> = town.dynamo.items(METERS).await.into_keys().collect();
    assert_eq!(left.len(), 2, "only of the other number: {left:?}");
    let told: i64 = sqlx::query_scalar(
        "select count(*) from webhook_events where data ->> 'customer_number' = $1",
    )
    .bind(OTHER)
    .fetch_one(&pool)
    .await
    .expect("a count");
    assert_eq!(told, 2, "of the other number all is told");
    let audited: i64 =
        sqlx::query_scalar("select count(*) from audit_log where action = 'number.erased'")
            .fetch_one(&pool)
            .await
            .expect("a count");
    assert_eq!(audited, 1);

    // Positions are lost, and the whole stream is read anew.
    sqlx::query("delete from stream_checkpoints")
        .execute(&pool)
        .await
        .expect("lost");
    town.ingest = ingest(&town.world, &town.dynamo);
    town.drain().await;
    assert_eq!(
        town.traces().await,
        Vec::<String>::new(),
        "the stream brings nothing back"
    );
    assert_eq!(outcomes(&pool).await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_call_that_was_under_way_is_erased_too_and_a_later_one_is_not(pool: PgPool) {
    let mut town = Town::new(pool.clone()).await;
    let under_way = town.record("under-way", NUMBER, "+14255550100").to_string();
    let asked = town.ask().await;
    town.look().await;
    town.world.wait(SignedDuration::from_secs(30));
    let arn = town.arn.clone();
    town.dynamo
        .put_decision(&arn, "under-way", &under_way)
        .await;
    town.denied("later", NUMBER, "+14255550100").await;
    while town.look().await == Found::Work {}
    assert!(
        town.erasure(asked.id).await.erased_at.is_none(),
        "it waits for such calls"
    );
    town.world.wait(SignedDuration::from_secs(40));
    while town.look().await == Found::Work {}
    assert!(town.erasure(asked.id).await.erased_at.is_some());
    let named: Vec<String> =
        sqlx::query_scalar("select contact_id from decisions where customer_number = $1")
            .bind(NUMBER)
            .fetch_all(&pool)
            .await
            .expect("decisions");
    assert_eq!(named, ["later"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_fails_is_told_and_tried_again_and_no_decision_loses_its_number_before(pool: PgPool) {
    let town = full(pool.clone()).await;
    town.world.wait(SignedDuration::from_secs(70));
    let asked = town.ask().await;
    // Its records cannot be taken away.
    town.dynamo.drop_table(DECISIONS).await;
    assert_eq!(town.look().await, Found::Work);
    let erasure = town.erasure(asked.id).await;
    assert!(
        erasure.error.is_some() && erasure.decisions == 0,
        "{erasure:?}"
    );
    assert!(town.erasure(asked.id).await.erased_at.is_none());
    let named: i64 =
        sqlx::query_scalar("select count(*) from decisions where customer_number = $1")
            .bind(NUMBER)
            .fetch_one(&pool)
            .await
            .expect("a count");
    assert_eq!(named, 3, "by it the rest is found");
    assert_eq!(town.look().await, Found::Nothing, "after a pause");
    town.dynamo.create(DECISIONS).await;
    for _ in 0..30 {
        town.world.wait(SignedDuration::from_secs(10));
        town.look().await;
    }
    assert_eq!(town.traces().await, Vec::<String>::new());
    assert!(town.erasure(asked.id).await.error.is_none());
}

#[sqlx::test(migrations = "../migrations")]
async fn asked_for_again_it_is_the_same_erasure_and_takes_in_what_has_come_since(pool: PgPool) {
    let mut town = Town::new(pool.clone()).await;
    let first = town.ask().await;
    town.look().await;
    town.world.wait(SignedDuration::from_secs(50));
    town.denied("since", NUMBER, "+14255550100").await;
    let again = town.ask().await;
    assert_eq!(again.id, first.id);
    town.world.wait(SignedDuration::from_secs(70));
    while town.look().await == Found::Work {}
    assert_eq!(town.traces().await, Vec::<String>::new());
    let ended: Timestamp = town.erasure(first.id).await.erased_at.expect("the end");
    assert!(ended > again.asked_at);
    // Once it has ended the next one is another.
    assert_ne!(town.ask().await.id, first.id);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_long_history_is_erased_bit_by_bit(pool: PgPool) {
    let town = Town::new(pool.clone()).await;
    sqlx::query(
        "insert into decisions (tenant_id, id, instance_id, contact_id, at, outcome, record)
         select i.tenant_id, gen_random_uuid(), i.id, n::text, i.created_at, 'allowed',
             jsonb_build_object('customer_number', $1::text, 'n', n)
         from instances i, generate_series(1, 450) n",
    )
    .bind(NUMBER)
    .execute(&pool)
    .await
    .expect("a history");
    town.world.wait(SignedDuration::from_secs(70));
    let asked = town.ask().await;
    let mut seen = Vec::new();
    while town.look().await == Found::Work {
        seen.push(town.erasure(asked.id).await.decisions);
    }
    assert_eq!(seen, [200, 400, 450, 450]);
}
