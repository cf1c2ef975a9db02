//! Deferred notices: each agent is told once, in time or not at all, whatever fails in between.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use ringfence_api::background::Found;
use ringfence_api::background::ingest::Ingest;
use ringfence_api::background::notices::NoticeWorker;
use ringfence_api::background::task_channels::TaskChannels;
use ringfence_api::domain::ids::InstanceId;
use ringfence_api::store::DecisionFilter;
use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus};
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::centre::{Centre, Fault};
use crate::dynamo::Dynamo;
use crate::world::{REGION, World};

const FLOW: &str = "flow-notice";

/// An installed instance whose denials come in by the stream.
struct Town {
    world: World,
    dynamo: Dynamo,
    centre: Centre,
    instance: InstanceId,
    arn: String,
    ingest: Ingest,
    pool: PgPool,
}

impl Town {
    async fn new(pool: PgPool) -> Self {
        let world = World::new(pool.clone()).await;
        let dynamo = Dynamo::start().await;
        let (instance, arn) = world.instance().await;
        install(&pool, &world, instance).await;
        let ingest = Ingest::new(
            world.store.clone(),
            &dynamo.aws,
            REGION,
            world.clock.clone(),
            world.ids.clone(),
        );
        Self {
            centre: Centre::start(world.store.clone(), world.clock.clone()).await,
            arn: arn.to_string(),
            world,
            dynamo,
            instance,
            ingest,
            pool,
        }
    }

    fn worker(&self) -> NoticeWorker {
        NoticeWorker {
            store: self.world.store.clone(),
            aws: self.centre.aws.clone(),
            clock: self.world.clock.clone(),
            ids: self.world.ids.clone(),
        }
    }

    fn record(&self, contact: &str, token: &str) -> Value {
        json!({
            "schema": 1, "instance_arn": self.arn, "instance_id": self.instance.to_string(),
            "tenant_id": self.world.tenant.to_string(), "contact_id": contact, "at": self.world.clock.now(),
            "outcome": "denied", "mode": "enforce", "rule_id": "day", "customer_number": "+12065550100",
            "agent_arn": format!("{}/agent/one", self.arn), "policy_id": "none", "policy_version": 0, "revision": 1,
            "retry_at": later(self.world.clock.now(), 86_400), "stop": "stopped",
            "notice": "deferred", "notice_error": "starting the task: ThrottlingException",
            "deferred_notice": {
                "name": "Call not placed", "description": "The call to +12065550100 was not placed.",
                "attributes": { "AgentARN": format!("{}/agent/one", self.arn), "DecisionContactId": contact },
                "client_token": token,
            },
            "decided_in_ms": 3,
        })
    }

    /// A denial whose notice was deferred has come in.
    async fn denied(&mut self, contact: &str, token: &str) {
        let record = self.record(contact, token);
        self.came_in(&record).await;
    }

    async fn came_in(&mut self, record: &Value) {
        let contact = record["contact_id"].as_str().expect("a contact");
        self.dynamo
            .put_decision(&self.arn, contact, &record.to_string())
            .await;
        while self.ingest.look().await.expect("a look") == Found::Work {}
    }

    fn wait(&self, seconds: i64) {
        self.world.clock.set(later(self.world.clock.now(), seconds));
    }

    /// Looks until nothing is left, a second after the other.
    async fn send_all(&self) {
        let worker = self.worker();
        for _ in 0..1000 {
            if self.waiting().await == 0 {
                return;
            }
            worker.look().await.expect("a look");
            self.wait(1);
        }
        panic!("notices are waiting after all this time");
    }

    async fn waiting(&self) -> i64 {
        sqlx::query_scalar("select count(*) from deferred_notices where state = 'waiting'")
            .fetch_one(&self.pool)
            .await
            .expect("a count")
    }

    /// The decision as the API shows it.
    async fn decision(&self, contact: &str) -> DecisionRecord {
        let mut tx = self
            .world
            .store
            .tenant(self.world.tenant)
            .await
            .expect("a transaction");
        let all = tx
            .decision_list(&DecisionFilter::default(), None, 1000)
            .await
            .expect("decisions");
        let mut records = all.into_iter().map(|stored| stored.record);
        records
            .find(|record| record.contact_id == contact)
            .expect("the decision")
    }

    async fn notice(&self, contact: &str) -> NoticeStatus {
        self.decision(contact).await.notice
    }
}

fn later(at: Timestamp, seconds: i64) -> Timestamp {
    at.checked_add(SignedDuration::from_secs(seconds))
        .expect("a time")
}

async fn install(pool: &PgPool, world: &World, instance: InstanceId) {
    sqlx::query(
        "with installed as (
             insert into installations (tenant_id, instance_id, generation, observed_generation, state, conditions,
                 attempts, next_due_at, updated_at)
             values ($1, $2, 1, 1, 'installed', '[]', 0, '9000-01-01', '2026-01-01')
         )
         insert into installed_flows (tenant_id, instance_id, flow_key, flow_id, name, content_sha256)
         values ($1, $2, 'notice', $3, 'Ringfence notice', '')",
    )
    .bind(world.tenant.0)
    .bind(instance.0)
    .bind(FLOW)
    .execute(pool)
    .await
    .expect("installed");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_deferred_notice_is_sent_as_the_limiter_would_have_and_the_decision_says_so(
    pool: PgPool,
) {
    let mut town = Town::new(pool).await;
    town.denied("a", "token-a").await;
    assert_eq!(town.notice("a").await, NoticeStatus::Deferred);
    town.send_all().await;
    let request = town.centre.inside().tasks["token-a"].clone();
    assert_eq!(
        request,
        json!({
            "InstanceId": "i1", "ContactFlowId": FLOW, "Name": "Call not placed",
            "Description": "The call to +12065550100 was not placed.", "RelatedContactId": "a", "ClientToken": "token-a",
            "Attributes": { "AgentARN": format!("{}/agent/one", town.arn), "DecisionContactId": "a" },
        })
    );
    let assumed = town.centre.inside().assumed.clone();
    assert_eq!(assumed.len(), 1);
    for part in [
        "RoleArn=arn%3Aaws%3Aiam%3A%3A111122223333%3Arole%2Fruntime",
        "ExternalId=external",
        "StartTaskContact",
    ] {
        assert!(assumed[0].contains(part), "{part} in {}", assumed[0]);
    }
    assert!(!assumed[0].contains("connect%3A%2A"), "{}", assumed[0]);
    let told = town.decision("a").await;
    assert_eq!(
        (
            told.notice,
            told.notice_error,
            told.task_contact_id.as_deref()
        ),
        (NoticeStatus::Sent, None, Some("task-of-token-a"))
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_copy_of_the_record_that_comes_later_turns_nothing_back(pool: PgPool) {
    let mut town = Town::new(pool).await;
    let record = town.record("a", "token-a");
    town.came_in(&record).await;
    town.send_all().await;
    let mut copy = record.clone();
    copy["decided_in_ms"] = json!(4);
    town.came_in(&copy).await;
    assert_eq!(town.notice("a").await, NoticeStatus::Sent);
    town.send_all().await;
    assert_eq!(town.centre.inside().starts.len(), 1, "nor is it sent again");
    copy["notice"] = json!("queue_full");
    town.came_in(&copy).await;
    assert_eq!(
        town.notice("a").await,
        NoticeStatus::QueueFull,
        "what the agent's queue said is news"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn the_denials_of_one_stretch_are_told_once_and_all_show_it(pool: PgPool) {
    let mut town = Town::new(pool).await;
    for contact in ["a", "b", "c"] {
        town.denied(contact, "one-stretch").await;
    }
    town.send_all().await;
    assert_eq!(town.centre.inside().starts.len(), 1);
    for contact in ["a", "b", "c"] {
        assert_eq!(town.notice(contact).await, NoticeStatus::Sent, "{contact}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn two_workers_at_once_send_each_notice_once_and_keep_one_pace_for_the_account(pool: PgPool) {
    let mut town = Town::new(pool).await;
    for number in 0..20 {
        town.denied(&format!("contact-{number}"), &format!("token-{number}"))
            .await;
    }
    let (one, two) = (town.worker(), town.worker());
    for second in 1..=20 {
        for _ in 0..3 {
            let (first, other) = tokio::join!(one.look(), two.look());
            first.expect("a look");
            other.expect("a look");
        }
        assert_eq!(
            town.centre.inside().starts.len(),
            second,
            "at most one task a second in an account, and one if any waits"
        );
        town.wait(1);
    }
    assert_eq!(town.centre.inside().tasks.len(), 20);
    assert_eq!(town.waiting().await, 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_dies_after_the_task_was_started_makes_no_second_task(pool: PgPool) {
    let mut town = Town::new(pool).await;
    town.denied("a", "token-a").await;
    let dying = town.worker();
    let leased = dying.lease().await.expect("a lease").expect("due");
    dying.send(&leased).await;
    assert_eq!(town.centre.inside().tasks.len(), 1);
    assert_eq!(
        town.worker().look().await.expect("a look"),
        Found::Nothing,
        "the lease holds"
    );
    town.wait(121);
    town.send_all().await;
    let started = {
        let inside = town.centre.inside();
        (inside.starts.len(), inside.tasks.len())
    };
    assert_eq!(started, (2, 1));
    assert_eq!(town.notice("a").await, NoticeStatus::Sent);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_worker_whose_lease_has_run_out_records_nothing(pool: PgPool) {
    let mut town = Town::new(pool).await;
    town.denied("a", "token-a").await;
    let slow = town.worker();
    let leased = slow.lease().await.expect("a lease").expect("due");
    town.wait(121);
    town.send_all().await;
    town.centre
        .inside()
        .task_faults
        .push_back(Fault::Refuse(400, "InvalidRequestException"));
    let late = slow.send(&leased).await;
    slow.record(&leased, late).await.expect("recorded");
    assert_eq!(town.notice("a").await, NoticeStatus::Sent);
}

#[sqlx::test(migrations = "../migrations")]
async fn throttling_and_lost_answers_delay_a_notice_but_neither_lose_nor_double_it(pool: PgPool) {
    let mut town = Town::new(pool).await;
    town.centre.inside().task_faults.extend([
        Fault::Refuse(429, "ThrottlingException"),
        Fault::LoseAnswer,
        Fault::Refuse(500, "InternalServiceException"),
    ]);
    town.centre
        .inside()
        .role_faults
        .push_back(Fault::Refuse(403, "AccessDenied"));
    town.denied("a", "token-a").await;
    town.denied("b", "token-b").await;
    town.send_all().await;
    assert_eq!(town.centre.inside().tasks.len(), 2);
    for contact in ["a", "b"] {
        assert_eq!(town.notice(contact).await, NoticeStatus::Sent, "{contact}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_throttled_account_is_left_alone_for_a_while(pool: PgPool) {
    let mut town = Town::new(pool).await;
    for _ in 0..3 {
        let throttled = Fault::Refuse(429, "ThrottlingException");
        town.centre.inside().task_faults.push_back(throttled);
    }
    town.denied("a", "token-a").await;
    let worker = town.worker();
    for _ in 0..3 {
        town.wait(30);
        assert_eq!(worker.look().await.expect("a look"), Found::Work);
    }
    // The third pause lasts four seconds at least, and the account's usual pace would allow another task after one.
    town.denied("b", "token-b").await;
    town.wait(3);
    assert_eq!(
        worker.look().await.expect("a look"),
        Found::Nothing,
        "nor any other notice there"
    );
    town.wait(9);
    assert_eq!(worker.look().await.expect("a look"), Found::Work);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_connect_refuses_for_good_is_failed_and_quotes_nothing(pool: PgPool) {
    let mut town = Town::new(pool).await;
    town.centre
        .inside()
        .task_faults
        .push_back(Fault::Refuse(400, "InvalidRequestException"));
    town.denied("a", "token-a").await;
    town.send_all().await;
    let told = town.decision("a").await;
    assert_eq!(told.notice, NoticeStatus::Failed);
    assert_eq!(
        told.notice_error.as_deref(),
        Some("connect:StartTaskContact: request refused")
    );
    assert_eq!(town.centre.inside().starts.len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_notice_for_whose_task_there_is_no_room_waits_for_it(pool: PgPool) {
    let mut town = Town::new(pool).await;
    let full = Fault::Refuse(402, "ServiceQuotaExceededException");
    town.centre.inside().task_faults.push_back(full);
    town.denied("a", "token-a").await;
    let worker = town.worker();
    worker.look().await.expect("a look");
    assert_eq!(town.notice("a").await, NoticeStatus::Deferred);
    town.send_all().await;
    assert_eq!(town.notice("a").await, NoticeStatus::Sent);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_later_denial_of_the_stretch_gives_a_notice_that_waits_its_own_hour(pool: PgPool) {
    let mut town = Town::new(pool).await;
    town.denied("first", "token-a").await;
    town.wait(58 * 60);
    town.denied("second", "token-a").await;
    town.wait(10 * 60);
    town.send_all().await;
    for contact in ["first", "second"] {
        assert_eq!(town.notice(contact).await, NoticeStatus::Sent, "{contact}");
    }
    assert_eq!(town.centre.inside().tasks.len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_notice_is_not_sent_after_its_time(pool: PgPool) {
    let mut town = Town::new(pool).await;
    town.denied("old", "token-old").await;
    let mut soon = town.record("soon", "token-soon");
    soon["retry_at"] = json!(later(town.world.clock.now(), 60));
    town.came_in(&soon).await;
    let worker = town.worker();
    town.wait(16 * 60 - 1);
    let denied = vec![Fault::Refuse(403, "AccessDenied"); 2];
    town.centre.inside().role_faults.extend(denied);
    worker.look().await.expect("a look");
    town.wait(1);
    worker.look().await.expect("a look");
    assert_eq!(
        (town.notice("old").await, town.notice("soon").await),
        (NoticeStatus::Deferred, NoticeStatus::Expired),
        "a quarter of an hour after the time to try again"
    );
    town.wait(44 * 60);
    worker.look().await.expect("a look");
    assert_eq!(
        town.notice("old").await,
        NoticeStatus::Expired,
        "an hour after the call"
    );
    assert_eq!(town.centre.inside().starts.len(), 0);
    let kept: i64 =
        sqlx::query_scalar("select count(*) from deferred_notices where task is not null")
            .fetch_one(&town.pool)
            .await
            .expect("a count");
    assert_eq!(kept, 0, "nor is what it said kept");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_denial_after_its_notice_had_come_to_nothing_is_told(pool: PgPool) {
    let mut town = Town::new(pool).await;
    let first = town.record("a", "token-a");
    town.came_in(&first).await;
    town.wait(2 * 3600);
    town.worker().look().await.expect("a look");
    assert_eq!(town.notice("a").await, NoticeStatus::Expired);
    let mut again = first.clone();
    again["decided_in_ms"] = json!(9);
    town.came_in(&again).await;
    assert_eq!(
        town.notice("a").await,
        NoticeStatus::Expired,
        "the old denial read again"
    );
    town.wait(60);
    town.denied("b", "token-a").await;
    town.send_all().await;
    assert_eq!(town.centre.inside().tasks.len(), 1);
    assert_eq!(town.notice("b").await, NoticeStatus::Sent);
}

#[sqlx::test(migrations = "../migrations")]
async fn without_a_notice_flow_the_decision_says_that_nobody_was_told(pool: PgPool) {
    let mut town = Town::new(pool).await;
    sqlx::query("delete from installed_flows")
        .execute(&town.pool)
        .await
        .expect("deleted");
    town.denied("a", "token-a").await;
    town.send_all().await;
    assert_eq!(
        town.decision("a").await.notice_error.as_deref(),
        Some("no notice flow is installed")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn one_accounts_throttling_keeps_no_other_account_back(pool: PgPool) {
    let mut town = Town::new(pool).await;
    town.denied("a", "token-a").await;
    sqlx::query("update request_paces set next_at = '2026-06-01'")
        .execute(&town.pool)
        .await
        .expect("paused");
    assert_eq!(town.worker().look().await.expect("a look"), Found::Nothing);
    // The same tenant's instance in another region is a quota of its own.
    sqlx::query("update instances set region = 'eu-west-2'")
        .execute(&town.pool)
        .await
        .expect("moved");
    town.denied("b", "token-b").await;
    assert_eq!(town.worker().look().await.expect("a look"), Found::Work);
}

/// Sees to the agents that notices went to, as long as there is anything to find out.
async fn look_agents_up(town: &Town) {
    let mut channels = TaskChannels::new(
        town.world.store.clone(),
        town.centre.aws.clone(),
        town.world.clock.clone(),
    );
    while channels.look().await.expect("a look") == Found::Work {}
}

#[sqlx::test(migrations = "../migrations")]
async fn a_notice_to_an_agent_who_takes_no_tasks_is_shown_as_that_until_the_agent_does(
    pool: PgPool,
) {
    let mut town = Town::new(pool).await;
    town.centre.inside().profiles = BTreeMap::from([("one".to_owned(), "voice".to_owned())]);
    town.centre.inside().without_tasks = BTreeSet::from(["voice".to_owned()]);
    town.denied("a", "token-a").await;
    town.send_all().await;
    assert_eq!(
        town.notice("a").await,
        NoticeStatus::Sent,
        "as far as is known"
    );
    look_agents_up(&town).await;
    assert_eq!(town.notice("a").await, NoticeStatus::NoTaskChannel);

    town.centre.inside().without_tasks.clear();
    town.wait(11 * 60);
    town.denied("b", "token-b").await;
    town.send_all().await;
    look_agents_up(&town).await;
    for contact in ["a", "b"] {
        assert_eq!(
            town.notice(contact).await,
            NoticeStatus::Sent,
            "{contact}: the task is delivered now"
        );
    }

    // Long after that the channel is taken away again: what was told then was told.
    town.centre.inside().without_tasks = BTreeSet::from(["voice".to_owned()]);
    town.wait(25 * 3600);
    town.denied("c", "token-c").await;
    town.send_all().await;
    look_agents_up(&town).await;
    let seen = [
        town.notice("a").await,
        town.notice("b").await,
        town.notice("c").await,
    ];
    assert_eq!(
        seen,
        [
            NoticeStatus::Sent,
            NoticeStatus::Sent,
            NoticeStatus::NoTaskChannel
        ]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn agents_are_looked_up_once_in_a_while_and_their_profiles_seldom(pool: PgPool) {
    let mut town = Town::new(pool).await;
    let agents = [("one", "basic"), ("two", "basic")];
    town.centre.inside().profiles = agents
        .map(|(id, profile)| (id.to_owned(), profile.to_owned()))
        .into();
    for number in 0..6 {
        let mut record = town.record(&format!("c-{number}"), &format!("t-{number}"));
        record["notice"] = json!("sent");
        record["agent_arn"] = json!(format!("{}/agent/{}", town.arn, agents[number % 2].0));
        town.came_in(&record).await;
        look_agents_up(&town).await;
    }
    let read = town.centre.inside().read.clone();
    assert_eq!(
        read,
        ["user one", "profile basic", "user two", "profile basic"]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn where_agents_may_not_be_read_nothing_is_claimed(pool: PgPool) {
    let mut town = Town::new(pool).await;
    town.centre.inside().reading_denied = true;
    town.denied("a", "token-a").await;
    town.send_all().await;
    look_agents_up(&town).await;
    assert_eq!(town.notice("a").await, NoticeStatus::Sent);
    assert_eq!(
        town.centre.inside().read.len(),
        1,
        "and it is not asked again and again"
    );
}
