//! Routing profiles are read bit by bit: all of them, however many, whoever dies over it, beside everything else.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, Query, State};
use axum::response::Response;
use axum::routing::get;
use jiff::SignedDuration;
use ringfence_api::app::coverage::{Installed, dialled_queues};
use ringfence_api::background::Found;
use ringfence_api::background::coverage::CoverageReader;
use ringfence_api::domain::coverage::{DialProfile, DialQueue, Reading};
use ringfence_api::domain::ids::InstanceId;
use ringfence_api::domain::installation::ExistingWhisper;
use ringfence_api::store::TenantTx;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use crate::centre::{Centre, answer, refused};
use crate::fake::FakeInstance;
use crate::world::{World, request};

const LEASE: Duration = Duration::from_secs(60);
const PAGE: usize = 100;

/// Routing profiles and queues of a contact centre, and what was asked of it.
#[derive(Default)]
struct Inside {
    /// By id, the default queue first.
    profiles: BTreeMap<String, Vec<String>>,
    queues: BTreeSet<String>,
    denied: BTreeSet<&'static str>,
    throttled: bool,
    /// Every request fails, and no other try would help.
    broken: bool,
    asked: Vec<String>,
    /// A request of this number hangs.
    hangs_at: Option<usize>,
}

#[derive(Clone, Default)]
struct Profiles {
    inside: Arc<Mutex<Inside>>,
    hung: Arc<Notify>,
}

impl Profiles {
    fn of(profiles: usize, queues: usize) -> Self {
        let queue = |number: usize| format!("q{:04}", number % queues);
        let inside = Inside {
            // Five queues each, and every queue in some.
            profiles: (0..profiles)
                .map(|number| {
                    let queues = (0..5).map(|place| queue(number * 5 + place)).collect();
                    (format!("p{number:03}"), queues)
                })
                .collect(),
            queues: (0..queues).map(queue).collect(),
            ..Inside::default()
        };
        Self {
            inside: Arc::new(Mutex::new(inside)),
            hung: Arc::default(),
        }
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no panic inside")
    }

    fn asked(&self, of: &str) -> Vec<String> {
        let inside = self.inside();
        let of = inside.asked.iter().filter(|asked| asked.starts_with(of));
        of.cloned().collect()
    }

    fn routes(&self) -> Router {
        Router::new()
            .route("/routing-profiles-summary/{instance}", get(list_profiles))
            .route("/routing-profiles/{instance}/{id}", get(describe_profile))
            .route(
                "/routing-profiles/{instance}/{id}/queues",
                get(list_profile_queues),
            )
            .route("/queues-summary/{instance}", get(list_queues))
            .route("/queues/{instance}/{id}", get(describe_queue))
            .with_state(self.clone())
    }

    /// Notes the request; refuses, throttles or hangs as ordered.
    async fn asked_for(&self, action: &'static str, of: String) -> Result<(), Response> {
        let hangs = {
            let mut inside = self.inside();
            inside.asked.push(of);
            if inside.throttled {
                return Err(refused(429, "TooManyRequestsException"));
            }
            if inside.broken {
                return Err(refused(400, "InvalidRequestException"));
            }
            if inside.denied.contains(action) {
                return Err(refused(403, "AccessDeniedException"));
            }
            inside.hangs_at == Some(inside.asked.len())
        };
        if hangs {
            self.hung.notify_one();
            std::future::pending::<()>().await;
        }
        Ok(())
    }
}

type Token = Query<BTreeMap<String, String>>;

/// The page behind the token, and the token behind it.
fn page(ids: Vec<String>, token: &Token, list: &str) -> Response {
    let from: usize = token
        .get("nextToken")
        .map_or(0, |token| token.parse().expect("our token"));
    let rows: Vec<Value> = ids
        .iter()
        .skip(from)
        .take(PAGE)
        .map(|id| json!({ "Id": id, "Arn": format!("arn/{id}"), "Name": format!("Name of {id}") }))
        .collect();
    let next = (from + PAGE < ids.len()).then(|| (from + PAGE).to_string());
    let body = json!({ list: rows, "NextToken": next });
    answer(200, "application/json", body.to_string())
}

async fn list_profiles(State(profiles): State<Profiles>, token: Token) -> Response {
    let asked = profiles.asked_for("connect:ListRoutingProfiles", "list".to_owned());
    if let Err(refusal) = asked.await {
        return refusal;
    }
    let ids = profiles.inside().profiles.keys().cloned().collect();
    page(ids, &token, "RoutingProfileSummaryList")
}

async fn list_queues(State(profiles): State<Profiles>, token: Token) -> Response {
    let asked = profiles.asked_for("connect:ListQueues", "list".to_owned());
    if let Err(refusal) = asked.await {
        return refusal;
    }
    let ids = profiles.inside().queues.iter().cloned().collect();
    page(ids, &token, "QueueSummaryList")
}

async fn describe_profile(
    State(profiles): State<Profiles>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let asked = profiles.asked_for("connect:DescribeRoutingProfile", format!("profile {id}"));
    if let Err(refusal) = asked.await {
        return refusal;
    }
    let Some(queues) = profiles.inside().profiles.get(&id).cloned() else {
        return refused(404, "ResourceNotFoundException");
    };
    let body = json!({ "RoutingProfile": { "RoutingProfileId": id, "DefaultOutboundQueueId": queues.first() } });
    answer(200, "application/json", body.to_string())
}

async fn list_profile_queues(
    State(profiles): State<Profiles>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let asked = profiles.asked_for(
        "connect:ListRoutingProfileQueues",
        format!("queues of {id}"),
    );
    if let Err(refusal) = asked.await {
        return refusal;
    }
    let queues = profiles.inside().profiles.get(&id).cloned();
    let rows: Vec<Value> = queues
        .unwrap_or_default()
        .into_iter()
        .map(|id| json!({ "QueueId": id, "QueueArn": id, "QueueName": id, "Priority": 1, "Delay": 0, "Channel": "VOICE" }))
        .collect();
    let body = json!({ "RoutingProfileQueueConfigSummaryList": rows });
    answer(200, "application/json", body.to_string())
}

async fn describe_queue(
    State(profiles): State<Profiles>,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let asked = profiles.asked_for("connect:DescribeQueue", format!("queue {id}"));
    if let Err(refusal) = asked.await {
        return refusal;
    }
    let body = json!({ "Queue": { "QueueId": id, "Name": id, "OutboundCallerConfig": { "OutboundFlowId": "own" } } });
    answer(200, "application/json", body.to_string())
}

/// A verified instance with such profiles, which somebody wished to be read.
struct Town {
    world: World,
    centre: Centre,
    profiles: Profiles,
    instance: InstanceId,
}

impl Town {
    async fn new(pool: PgPool, profiles: Profiles) -> Self {
        let world = World::new(pool).await;
        let centre = Centre::start_with(world.store.clone(), world.clock.clone(), |_| {
            profiles.routes()
        })
        .await;
        let (instance, _) = world.instance().await;
        let town = Self {
            world,
            centre,
            profiles,
            instance,
        };
        town.ask().await;
        town
    }

    fn reader(&self) -> CoverageReader {
        CoverageReader {
            store: self.world.store.clone(),
            aws: self.centre.aws.clone(),
            clock: self.world.clock.clone(),
            ids: self.world.ids.clone(),
            lease: LEASE,
            stop: CancellationToken::new(),
        }
    }

    async fn tx(&self) -> TenantTx {
        let tx = self.world.store.tenant(self.world.tenant).await;
        tx.expect("a transaction")
    }

    async fn ask(&self) {
        let mut tx = self.tx().await;
        tx.coverage_ask(self.instance, self.world.clock.now())
            .await
            .expect("asked");
        tx.commit().await.expect("committed");
    }

    async fn reading(&self) -> Reading {
        let reading = self.tx().await.coverage_reading(self.instance).await;
        reading.expect("an answer").expect("a reading")
    }

    /// When the lease ends, as Postgres writes it.
    async fn lease_end(&self) -> String {
        sqlx::query_scalar(
            "select lease_expires_at::text from coverage_readings where instance_id = $1",
        )
        .bind(self.instance.0)
        .fetch_one(&self.world.pool)
        .await
        .expect("a lease")
    }

    /// The daily reading is due, as it is after a removal.
    async fn is_due(&self) {
        let now = self.world.clock.now().to_string();
        sqlx::query("update coverage_readings set next_due_at = $2::text::timestamptz where instance_id = $1")
            .bind(self.instance.0)
            .bind(now)
            .execute(&self.world.pool)
            .await
            .expect("due");
    }

    /// All that is known of profiles and queues, but for when it was read.
    async fn known(&self) -> (Vec<DialProfile>, Vec<DialQueue>) {
        let mut tx = self.tx().await;
        let profiles = tx.coverage_profiles(self.instance).await;
        let queues = tx.coverage_queues(self.instance).await;
        let (mut profiles, mut queues) = (profiles.expect("profiles"), queues.expect("queues"));
        profiles
            .iter_mut()
            .for_each(|profile| profile.read_at = None);
        queues.iter_mut().for_each(|queue| queue.read_at = None);
        (profiles, queues)
    }

    /// Looks until nothing is due any more; answers how often.
    async fn read_all(&self) -> usize {
        for looks in 0..1000 {
            self.world.wait(SignedDuration::from_secs(1));
            if self.reader().look().await.expect("a look") == Found::Nothing {
                return looks;
            }
        }
        panic!("it never ends");
    }

    /// Names of the queues that agents can dial from, as far as is known.
    async fn dialled(&self) -> BTreeSet<String> {
        let mut tx = self.tx().await;
        let profiles = tx.coverage_profiles(self.instance).await;
        let queues = tx.coverage_queues(self.instance).await;
        let (profiles, queues) = (profiles.expect("profiles"), queues.expect("queues"));
        let found = dialled_queues(&profiles, &queues, &Installed::default());
        found.into_iter().map(|queue| queue.queue_id).collect()
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn five_hundred_profiles_and_a_thousand_queues_are_read_bit_by_bit(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(500, 1000)).await;
    let looks = town.read_all().await;
    assert!(
        looks > 50,
        "others have their turn in between: {looks} looks"
    );
    let reading = town.reading().await;
    assert!(reading.computed_at.is_some());
    assert!(!reading.is_under_way());
    let all = town.profiles.inside().queues.clone();
    assert_eq!(town.dialled().await, all);
    // Nothing twice, and nothing more than that.
    for (of, count) in [
        ("list", 5 + 10),
        ("profile", 500),
        ("queues of", 500),
        ("queue q", 1000),
    ] {
        let asked = town.profiles.asked(of);
        assert_eq!(asked.len(), count, "{of}");
        if of != "list" {
            let once: BTreeSet<&String> = asked.iter().collect();
            assert_eq!(once.len(), count, "{of}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_reader_that_dies_is_followed_by_one_that_goes_on_where_it_was(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(40, 60)).await;
    town.profiles.inside().hangs_at = Some(30);
    let hung = Arc::clone(&town.profiles.hung);
    let reader = town.reader();
    tokio::select! {
        _ = reader.look() => panic!("it was to hang"),
        () = hung.notified() => {}
    }
    drop(reader);
    assert_eq!(
        town.reader().look().await.expect("a look"),
        Found::Nothing,
        "its lease keeps others away"
    );
    town.world.wait(SignedDuration::from_secs(61));
    town.read_all().await;
    assert!(town.reading().await.computed_at.is_some());
    assert_eq!(town.dialled().await.len(), 60);
    // Only what was in hand was asked for again.
    let total = town.profiles.inside().asked.len();
    let needed = 1 + 1 + 2 * 40 + 60;
    assert!(total <= needed + 2, "{total} of {needed}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_permission_that_is_missing_is_named_and_asked_for_once(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(30, 30)).await;
    town.profiles.inside().denied = ["connect:DescribeRoutingProfile"].into();
    town.read_all().await;
    let reading = town.reading().await;
    assert_eq!(
        reading.missing_permissions,
        ["connect:DescribeRoutingProfile"]
    );
    assert_eq!(town.profiles.asked("profile").len(), 1);
    assert_eq!(
        town.dialled().await.len(),
        30,
        "the rest was read all the same"
    );

    town.profiles.inside().denied.clear();
    town.ask().await;
    town.read_all().await;
    assert!(town.reading().await.missing_permissions.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_read_stays_while_connect_throttles_and_why_it_waits_is_told(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(60, 60)).await;
    town.reader().look().await.expect("a look");
    let before = town.dialled().await.len();
    assert!(before > 0);
    town.profiles.inside().throttled = true;
    town.world.wait(SignedDuration::from_secs(1));
    town.reader().look().await.expect("a look");
    let reading = town.reading().await;
    assert!(reading.problem.contains("throttles"), "{}", reading.problem);
    assert!(reading.is_under_way());
    assert!(town.dialled().await.len() >= before);
    assert_eq!(
        town.reader().look().await.expect("a look"),
        Found::Nothing,
        "it waits a while"
    );

    town.profiles.inside().throttled = false;
    town.world.wait(SignedDuration::from_mins(10));
    town.read_all().await;
    let reading = town.reading().await;
    assert!(reading.computed_at.is_some());
    assert_eq!(reading.problem, "");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wish_that_comes_during_a_reading_leads_to_another(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(6, 30)).await;
    town.reader().look().await.expect("a look");
    town.world.wait(SignedDuration::from_secs(1));
    town.ask().await;
    // Somebody took a profile away since, which had been read and alone names its queues.
    town.profiles.inside().profiles.remove("p000");
    town.read_all().await;
    assert_eq!(town.profiles.asked("profile p001").len(), 2);
    assert!(!town.dialled().await.contains("q0000"));
}

#[sqlx::test(migrations = "../migrations")]
async fn reading_holds_up_no_pass_over_the_installation_and_begins_with_its_first(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(5, 5)).await;
    let leased = town.world.store.coverage_lease(
        town.world.ids.uuid(),
        town.world.clock.now(),
        ringfence_api::clock::later(town.world.clock.now(), Duration::from_secs(3600)),
    );
    leased.await.expect("an answer").expect("a reading");
    let site = town
        .world
        .site(FakeInstance::with_queues(&[("q1", None), ("q2", None)]))
        .await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.settle().await;
    let mut tx = town.tx().await;
    let reading = tx.coverage_reading(site.instance).await.expect("an answer");
    assert!(reading.is_some_and(|reading| reading.is_under_way()));
}

#[sqlx::test(migrations = "../migrations")]
async fn an_installation_that_is_refused_from_the_start_has_its_profiles_read_too(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(FakeInstance::with_queues(&[("q1", None)])).await;
    site.fake.inside().denied.insert("sts:AssumeRole");
    site.ask(&request(ExistingWhisper::Merge)).await;
    assert!(!site.pass().await.expect("a pass").reached);
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    let reading = tx.coverage_reading(site.instance).await.expect("an answer");
    assert!(reading.is_some_and(|reading| reading.is_under_way()));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_request_that_takes_longer_than_a_lease_keeps_it(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(4, 4)).await;
    town.profiles.inside().hangs_at = Some(1);
    let hung = Arc::clone(&town.profiles.hung);
    let reader = CoverageReader {
        lease: Duration::from_millis(300),
        ..town.reader()
    };
    let others = async {
        hung.notified().await;
        for _ in 0..3 {
            let first = town.lease_end().await;
            town.world.wait(SignedDuration::from_millis(250));
            let prolonged = async { while town.lease_end().await == first {} };
            tokio::time::timeout(Duration::from_secs(20), prolonged)
                .await
                .expect("the lease is prolonged while a request goes on");
            let found = town.reader().look().await.expect("a look");
            assert_eq!(found, Found::Nothing, "it is not theirs");
        }
    };
    tokio::select! {
        _ = reader.look() => panic!("it was to hang"),
        () = others => {}
    }
    assert_eq!(town.profiles.asked("list").len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn where_nothing_is_installed_a_daily_reading_that_fails_is_not_tried_again(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(5, 5)).await;
    town.read_all().await;
    let known = town.known().await;
    town.is_due().await;
    town.profiles.inside().broken = true;
    assert_eq!(town.reader().look().await.expect("a look"), Found::Work);
    town.world.wait(SignedDuration::from_hours(48));
    assert_eq!(town.reader().look().await.expect("a look"), Found::Nothing);
    let reading = town.reading().await;
    assert!(!reading.is_under_way(), "it was given up");
    assert_ne!(reading.problem, "");
    assert_eq!(town.known().await, known, "what was known stays");
}

#[sqlx::test(migrations = "../migrations")]
async fn where_nothing_is_installed_a_wish_is_given_up_after_some_failures(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(5, 5)).await;
    town.profiles.inside().broken = true;
    let mut tries = 0;
    while tries < 30 {
        town.world.wait(SignedDuration::from_mins(10));
        if town.reader().look().await.expect("a look") == Found::Nothing {
            break;
        }
        tries += 1;
    }
    assert!((3..=10).contains(&tries), "{tries} tries");
    let reading = town.reading().await;
    assert!(!reading.is_under_way());
    assert_ne!(reading.problem, "");

    town.profiles.inside().broken = false;
    town.ask().await;
    assert!(town.reading().await.is_under_way(), "another wish");
    town.read_all().await;
    let reading = town.reading().await;
    assert!(reading.computed_at.is_some() && reading.problem.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn where_something_is_installed_a_reading_that_fails_is_tried_again_however_often(
    pool: PgPool,
) {
    let mut town = Town::new(pool, Profiles::of(5, 5)).await;
    let site = town
        .world
        .site(FakeInstance::with_queues(&[("q1", None)]))
        .await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.settle().await;
    let instance = site.instance;
    town.read_all().await;
    town.instance = instance;
    town.is_due().await;
    town.profiles.inside().broken = true;
    for _ in 0..12 {
        assert_eq!(town.reader().look().await.expect("a look"), Found::Work);
        town.world.wait(SignedDuration::from_mins(10));
    }
    assert!(town.reading().await.is_under_way());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_permission_taken_away_takes_nothing_of_what_was_known(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(6, 12)).await;
    town.read_all().await;
    let known = town.known().await;
    assert!(
        known
            .0
            .iter()
            .all(|profile| profile.default_queue_id.is_some())
    );
    assert!(known.1.iter().all(|queue| queue.whisper_flow_id.is_some()));
    for permission in [
        "connect:ListRoutingProfiles",
        "connect:ListQueues",
        "connect:DescribeRoutingProfile",
        "connect:ListRoutingProfileQueues",
        "connect:DescribeQueue",
    ] {
        town.profiles.inside().denied = [permission].into();
        town.ask().await;
        town.read_all().await;
        assert_eq!(town.reading().await.missing_permissions, [permission]);
        assert_eq!(town.known().await, known, "{permission}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_could_not_be_read_is_not_told_as_read(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(6, 12)).await;
    town.profiles.inside().denied = ["connect:DescribeQueue"].into();
    town.read_all().await;
    assert!(town.reading().await.computed_at.is_some());
    let mut tx = town.tx().await;
    let queues = tx.coverage_queues(town.instance).await.expect("queues");
    assert_eq!(queues.len(), 12);
    assert!(queues.iter().all(|queue| queue.read_at.is_none()));
    assert_eq!(
        town.profiles.asked("queue q").len(),
        1,
        "and asked for once"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn wishes_during_a_reading_lead_to_one_more_and_it_is_under_way_until_then(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(30, 30)).await;
    town.world.wait(SignedDuration::from_secs(1));
    town.reader().look().await.expect("a look");
    town.world.wait(SignedDuration::from_secs(1));
    town.ask().await;
    let wished_at = town.reading().await.asked_at;
    town.world.wait(SignedDuration::from_secs(1));
    town.ask().await;
    assert_eq!(town.reading().await.asked_at, wished_at, "one wish");
    while town.reading().await.computed_at.is_none() {
        town.world.wait(SignedDuration::from_secs(1));
        town.reader().look().await.expect("a look");
    }
    assert!(
        town.reading().await.is_under_way(),
        "the wish is not served"
    );
    // Before the second has begun, one more is the same wish.
    town.world.wait(SignedDuration::from_secs(1));
    town.ask().await;
    town.read_all().await;
    assert!(!town.reading().await.is_under_way());
    assert_eq!(town.profiles.asked("profile p001").len(), 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_wish_shortens_no_pause_after_a_failure(pool: PgPool) {
    let town = Town::new(pool, Profiles::of(5, 5)).await;
    town.profiles.inside().broken = true;
    for _ in 0..4 {
        town.world.wait(SignedDuration::from_mins(10));
        assert_eq!(town.reader().look().await.expect("a look"), Found::Work);
    }
    town.world.wait(SignedDuration::from_secs(1));
    town.ask().await;
    assert_eq!(town.reading().await.attempts, 4);
    assert_eq!(town.reader().look().await.expect("a look"), Found::Nothing);
}
