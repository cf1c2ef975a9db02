//! Webhooks are delivered at least once, signed, to each endpoint at its own pace.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use aws_lc_rs::hmac;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::{SignedDuration, Timestamp};
use ringfence_api::aws::Jitter;
use ringfence_api::background::Found;
use ringfence_api::background::webhooks::{WebhookWorker, history::EventHistory, seal_purpose};
use ringfence_api::domain::ids::{EventId, WebhookId};
use ringfence_api::domain::webhook::{CustomerNumbers, EndpointState, EventKind};
use ringfence_api::outbound::{Outbound, Reach};
use ringfence_api::sealer::Sealer;
use ringfence_api::store::{Delivery, NewEvent, TenantTx, Webhook};
use serde_json::{Value, json};
use sqlx::{PgPool, Row};
use tokio::net::TcpListener;
use tokio::sync::Notify;

use crate::world::World;

const KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECRET: [u8; 32] = [7; 32];
/// Nobody listens there.
const DEAD: &str = "http://127.0.0.1:1/";
const PATIENCE: Duration = Duration::from_secs(20);

struct Message {
    id: String,
    timestamp: i64,
    signatures: Vec<String>,
    body: String,
}

impl Message {
    /// By the words of the standard, with none of our own code.
    fn is_signed_with(&self, secret: &[u8]) -> bool {
        let content = format!("{}.{}.{}", self.id, self.timestamp, self.body);
        let key = hmac::Key::new(hmac::HMAC_SHA256, secret);
        self.signatures.iter().any(|signature| {
            let tag = signature.strip_prefix("v1,").expect("a version");
            let tag = STANDARD.decode(tag).expect("base64");
            hmac::verify(&key, content.as_bytes(), &tag).is_ok()
        })
    }

    fn json(&self) -> Value {
        serde_json::from_str(&self.body).expect("JSON")
    }
}

/// A status, and `Retry-After` where it is sent.
type Told = (StatusCode, Option<&'static str>);

/// An endpoint of a tenant: it answers what it is told to, and otherwise that all is well.
#[derive(Clone, Default)]
struct Receiver {
    url: String,
    got: Arc<Mutex<Vec<Message>>>,
    answers: Arc<Mutex<VecDeque<Told>>>,
    /// While it is there, nothing is answered before it is rung.
    held: Arc<Mutex<Option<Arc<Notify>>>>,
    arrived: Arc<Notify>,
}

impl Receiver {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("listening");
        let receiver = Self {
            url: format!("http://{}/", listener.local_addr().expect("an address")),
            ..Self::default()
        };
        let app = Router::new()
            .route("/", post(receive))
            .with_state(receiver.clone());
        tokio::spawn(async move { axum::serve(listener, app).await });
        receiver
    }

    fn answer(&self, status: u16, retry_after: Option<&'static str>) {
        let status = StatusCode::from_u16(status).expect("a status");
        self.answers
            .lock()
            .expect("answers")
            .push_back((status, retry_after));
    }

    fn ids(&self) -> Vec<String> {
        let got = self.got.lock().expect("messages");
        got.iter().map(|message| message.id.clone()).collect()
    }
}

async fn receive(
    State(receiver): State<Receiver>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, [(&'static str, String); 1], &'static str) {
    let header = |name: &str| {
        let value = headers.get(name).expect("a header of the standard");
        value.to_str().expect("text").to_owned()
    };
    let message = Message {
        id: header("webhook-id"),
        timestamp: header("webhook-timestamp").parse().expect("seconds"),
        signatures: header("webhook-signature")
            .split(' ')
            .map(str::to_owned)
            .collect(),
        body: String::from_utf8(body.to_vec()).expect("text"),
    };
    receiver.got.lock().expect("messages").push(message);
    receiver.arrived.notify_one();
    let held = receiver.held.lock().expect("held").clone();
    if let Some(held) = held {
        held.notified().await;
    }
    let answer = receiver.answers.lock().expect("answers").pop_front();
    let (status, retry_after) = answer.unwrap_or((StatusCode::OK, None));
    let retry_after = retry_after.unwrap_or_default().to_owned();
    (status, [("retry-after", retry_after)], "noted\u{0}")
}

fn worker(world: &World) -> WebhookWorker {
    WebhookWorker {
        store: world.store.clone(),
        outbound: Outbound::new(Reach::PublicAndLoopback).expect("a client"),
        sealer: Sealer::read(KEY).expect("a key"),
        clock: world.clock.clone(),
        ids: world.ids.clone(),
        jitter: Jitter::new(11),
    }
}

async fn webhook(world: &World, url: &str, numbers: CustomerNumbers) -> WebhookId {
    let id = WebhookId(world.ids.uuid());
    let webhook = Webhook {
        id,
        url: url.to_owned(),
        description: String::new(),
        events: vec![EventKind::CallDenied],
        customer_numbers: numbers,
        state: EndpointState::Enabled,
        disabled_because: None,
        failing_since: None,
        created_at: world.clock.now(),
        former_secret_until: None,
    };
    let sealed = seal(world, id, &SECRET);
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    tx.webhook_insert(&webhook, &sealed).await.expect("kept");
    tx.commit().await.expect("committed");
    id
}

fn seal(world: &World, id: WebhookId, secret: &[u8]) -> Vec<u8> {
    let sealer = Sealer::read(KEY).expect("a key");
    let purpose = seal_purpose(world.tenant, id);
    sealer.seal(secret, &purpose, &world.ids).expect("sealed")
}

/// Something happens that webhooks are told of.
async fn happen(world: &World) -> EventId {
    let (tx, id) = begin_to_happen(world).await;
    tx.commit().await.expect("committed");
    id
}

async fn begin_to_happen(world: &World) -> (TenantTx, EventId) {
    let id = EventId(world.ids.uuid());
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    tx.event_put(&NewEvent {
        id,
        kind: EventKind::CallDenied,
        subject: &id.to_string(),
        at: world.clock.now(),
        data: json!({ "customer_number": "+12065550100" }),
    })
    .await
    .expect("told");
    (tx, id)
}

async fn delivery(world: &World, webhook: WebhookId, event: EventId) -> Delivery {
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    tx.delivery_get(webhook, event)
        .await
        .expect("read")
        .expect("a delivery")
}

async fn state(world: &World, webhook: WebhookId) -> Webhook {
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    tx.webhook_get(webhook)
        .await
        .expect("read")
        .expect("a webhook")
}

fn pass(world: &World, span: SignedDuration) {
    let later: Timestamp = world.clock.now().checked_add(span).expect("a time");
    world.clock.set(later);
}

async fn look(worker: &WebhookWorker) -> Found {
    worker.look().await.expect("a look")
}

#[sqlx::test(migrations = "../migrations")]
async fn a_message_arrives_signed_with_its_number_masked_unless_asked_for(pool: PgPool) {
    let world = World::new(pool).await;
    let (masked, full) = (Receiver::start().await, Receiver::start().await);
    let first = webhook(&world, &masked.url, CustomerNumbers::Masked).await;
    webhook(&world, &full.url, CustomerNumbers::Full).await;
    let event = happen(&world).await;
    let worker = worker(&world);
    assert_eq!(look(&worker).await, Found::Work);
    assert_eq!(look(&worker).await, Found::Work);
    assert_eq!(look(&worker).await, Found::Nothing);
    for (receiver, number) in [(&masked, "+12•••••••00"), (&full, "+12065550100")] {
        let got = receiver.got.lock().expect("messages");
        let [message] = &got[..] else {
            panic!("{} messages", got.len());
        };
        assert_eq!(message.id, event.to_string());
        assert_eq!(message.timestamp, world.clock.now().as_second());
        assert!(message.is_signed_with(&SECRET));
        assert!(!message.is_signed_with(&[8; 32]));
        let body = message.json();
        assert_eq!(body["type"], "call.denied");
        assert_eq!(body["data"]["customer_number"], number);
    }
    let delivered = delivery(&world, first, event).await;
    assert_eq!(delivered.state.as_str(), "delivered");
    assert_eq!((delivered.attempts, delivered.last_status), (1, Some(200)));
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    let attempts = tx.delivery_attempts(first, event, 9).await.expect("read");
    assert_eq!(attempts[0].answer.as_deref(), Some("noted"));
}

/// The event is as true as what it tells.
#[sqlx::test(migrations = "../migrations")]
async fn nothing_is_told_of_what_did_not_come_to_pass(pool: PgPool) {
    let world = World::new(pool).await;
    let receiver = Receiver::start().await;
    webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    let told = tx
        .event_put(&NewEvent {
            id: EventId(world.ids.uuid()),
            kind: EventKind::CallDenied,
            subject: "it",
            at: world.clock.now(),
            data: json!({}),
        })
        .await
        .expect("told");
    assert_eq!(told, 1);
    drop(tx);
    assert_eq!(look(&worker(&world)).await, Found::Nothing);
    assert!(receiver.ids().is_empty());
}

/// Killed between sending and recording: the message comes once more under the same id, and what the first worker still
/// writes goes nowhere.
#[sqlx::test(migrations = "../migrations")]
async fn a_worker_that_dies_after_sending_is_followed_by_one_that_sends_the_same_again(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let receiver = Receiver::start().await;
    let id = webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    let event = happen(&world).await;
    let dying = worker(&world);
    let leased = dying.lease().await.expect("a lease").expect("due");
    let secrets = dying.secrets(&leased).expect("opened");
    let due = world
        .store
        .deliveries_due(&leased, world.clock.now(), 9)
        .await
        .expect("read");
    let sent = dying.send(&leased, &secrets, &due[0]).await;
    assert!(sent.is_delivered());

    let next = worker(&world);
    assert_eq!(look(&next).await, Found::Nothing, "it is leased");
    pass(&world, SignedDuration::from_secs(91));
    assert_eq!(look(&next).await, Found::Work);
    assert_eq!(receiver.ids(), [event.to_string(), event.to_string()]);
    {
        let got = receiver.got.lock().expect("messages");
        assert_eq!(got[0].body, got[1].body, "the same message");
        assert!(got[1].is_signed_with(&SECRET));
    }
    dying
        .record(&leased, &due[0], &sent)
        .await
        .expect("refused");
    let delivered = delivery(&world, id, event).await;
    assert_eq!(delivered.attempts, 1, "the overtaken attempt is not kept");
}

/// The receiver holds its answer back; the other endpoint is served meanwhile, and a second worker leaves the slow one
/// alone.
#[sqlx::test(migrations = "../migrations")]
async fn a_slow_endpoint_keeps_nobody_waiting_but_itself(pool: PgPool) {
    let world = World::new(pool).await;
    let (slow, quick) = (Receiver::start().await, Receiver::start().await);
    let release = Arc::new(Notify::new());
    *slow.held.lock().expect("held") = Some(Arc::clone(&release));
    webhook(&world, &slow.url, CustomerNumbers::Masked).await;
    let event = happen(&world).await;
    let first = worker(&world);
    let serving = tokio::spawn(async move { first.look().await });
    tokio::time::timeout(PATIENCE, slow.arrived.notified())
        .await
        .expect("the slow endpoint is asked");

    webhook(&world, &quick.url, CustomerNumbers::Masked).await;
    let other = happen(&world).await;
    let second = worker(&world);
    assert_eq!(look(&second).await, Found::Work);
    assert_eq!(quick.ids(), [other.to_string()]);
    assert_eq!(
        look(&second).await,
        Found::Nothing,
        "the slow one is leased"
    );
    assert_eq!(slow.ids(), [event.to_string()]);
    *slow.held.lock().expect("held") = None;
    release.notify_waiters();
    release.notify_one();
    serving.await.expect("no panic").expect("a turn");
}

/// A tenant with many endpoints takes only so many turns at a time.
#[sqlx::test(migrations = "../migrations")]
async fn a_tenant_with_many_endpoints_leaves_workers_to_others(pool: PgPool) {
    let world = World::new(pool).await;
    for _ in 0..6 {
        webhook(&world, DEAD, CustomerNumbers::Masked).await;
    }
    happen(&world).await;
    let worker = worker(&world);
    for _ in 0..4 {
        assert!(worker.lease().await.expect("a lease").is_some());
    }
    assert!(worker.lease().await.expect("a look").is_none());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_dead_endpoint_is_tried_for_more_than_a_day_and_then_given_up(pool: PgPool) {
    let world = World::new(pool).await;
    let id = webhook(&world, DEAD, CustomerNumbers::Masked).await;
    let event = happen(&world).await;
    let begun = world.clock.now();
    let worker = worker(&world);
    let mut rounds = 0;
    while delivery(&world, id, event).await.state.as_str() == "waiting" {
        look(&worker).await;
        pass(&world, SignedDuration::from_mins(5));
        rounds += 1;
        assert!(rounds < 500, "never given up");
    }
    let given_up = delivery(&world, id, event).await;
    assert_eq!(given_up.state.as_str(), "failed");
    assert_eq!(given_up.attempts, 11);
    assert!(given_up.last_error.is_some());
    let lasted = given_up.settled_at.expect("an end").duration_since(begun);
    assert!(lasted >= SignedDuration::from_hours(24), "{lasted}");
    let webhook = state(&world, id).await;
    assert_eq!(webhook.state.as_str(), "enabled");
    assert_eq!(webhook.failing_since, None, "nothing waits any more");
}

/// Days without events are no days of failing.
#[sqlx::test(migrations = "../migrations")]
async fn a_quiet_endpoint_is_not_disabled_by_the_first_failure_of_its_next_event(pool: PgPool) {
    let world = World::new(pool).await;
    let id = webhook(&world, DEAD, CustomerNumbers::Masked).await;
    let worker = worker(&world);
    let event = happen(&world).await;
    let given_up = async || delivery(&world, id, event).await.state.as_str() == "failed";
    for _ in 0..500 {
        look(&worker).await;
        pass(&world, SignedDuration::from_mins(5));
        if given_up().await {
            break;
        }
        assert!(state(&world, id).await.failing_since.is_some());
    }
    assert!(given_up().await);
    pass(&world, SignedDuration::from_hours(30 * 24));
    let next = happen(&world).await;
    assert_eq!(look(&worker).await, Found::Work);
    let state = state(&world, id).await;
    assert_eq!(state.state.as_str(), "enabled");
    assert_eq!(state.failing_since, Some(world.clock.now()));
    assert_eq!(delivery(&world, id, next).await.state.as_str(), "waiting");
}

/// A turn that began before goes on telling of the time before, and nobody listens.
#[sqlx::test(migrations = "../migrations")]
async fn an_endpoint_that_is_enabled_meanwhile_begins_anew_whatever_a_turn_still_says(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let receiver = Receiver::start().await;
    let id = webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    happen(&world).await;
    receiver.answer(500, None);
    look(&worker(&world)).await;
    let failing = state(&world, id).await;
    assert!(failing.failing_since.is_some());
    pass(&world, SignedDuration::from_mins(1));
    let release = Arc::new(Notify::new());
    *receiver.held.lock().expect("held") = Some(Arc::clone(&release));
    receiver.answer(500, None);
    let before = worker(&world);
    let serving = tokio::spawn(async move { before.look().await });
    // The first arrival is of the first look.
    receiver.arrived.notified().await;
    tokio::time::timeout(PATIENCE, receiver.arrived.notified())
        .await
        .expect("the endpoint is asked");
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    let now = world.clock.now();
    tx.webhook_update(&failing, true, now)
        .await
        .expect("enabled");
    tx.commit().await.expect("committed");
    release.notify_one();
    serving.await.expect("no panic").expect("a turn");
    assert_eq!(state(&world, id).await.failing_since, None);
    *receiver.held.lock().expect("held") = None;
    assert_eq!(look(&worker(&world)).await, Found::Work, "at once");
}

/// What was asked for meanwhile is not undone by the end of what was under way.
#[sqlx::test(migrations = "../migrations")]
async fn a_delivery_that_is_begun_anew_is_not_overwritten_by_an_attempt_under_way(pool: PgPool) {
    let world = World::new(pool).await;
    let id = webhook(&world, DEAD, CustomerNumbers::Masked).await;
    let event = happen(&world).await;
    let worker = worker(&world);
    look(&worker).await;
    pass(&world, SignedDuration::from_mins(5));
    let leased = worker.lease().await.expect("a lease").expect("due");
    let now = world.clock.now();
    let due = world.store.deliveries_due(&leased, now, 9).await;
    let due = due.expect("read");
    let secrets = worker.secrets(&leased).expect("opened");
    let sent = worker.send(&leased, &secrets, &due[0]).await;
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    assert!(tx.delivery_resend(id, event, now).await.expect("anew"));
    tx.commit().await.expect("committed");
    worker
        .record(&leased, &due[0], &sent)
        .await
        .expect("passed over");
    let due = world.store.deliveries_due(&leased, now, 9).await;
    let due = due.expect("read");
    assert_eq!(due.len(), 1, "it is due at once");
    assert_eq!(due[0].tries, 0, "all attempts are ahead of it");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_endpoint_at_which_nothing_succeeds_for_days_is_disabled_with_an_entry_in_the_audit_log(
    pool: PgPool,
) {
    let world = World::new(pool.clone()).await;
    let id = webhook(&world, DEAD, CustomerNumbers::Masked).await;
    let worker = worker(&world);
    happen(&world).await;
    look(&worker).await;
    pass(&world, SignedDuration::from_hours(71));
    look(&worker).await;
    assert_eq!(state(&world, id).await.state.as_str(), "enabled");
    pass(&world, SignedDuration::from_hours(2));
    let event = happen(&world).await;
    look(&worker).await;
    let disabled = state(&world, id).await;
    assert_eq!(disabled.state.as_str(), "disabled");
    assert_eq!(
        disabled.disabled_because.map(|because| because.as_str()),
        Some("failing")
    );
    assert_eq!(delivery(&world, id, event).await.state.as_str(), "failed");
    let audited =
        sqlx::query("select actor, target from audit_log where action = 'webhook.disable'")
            .fetch_all(&pool)
            .await
            .expect("rows");
    assert_eq!(audited.len(), 1);
    assert_eq!(audited[0].get::<String, _>("target"), id.to_string());
    pass(&world, SignedDuration::from_hours(1));
    happen(&world).await;
    assert_eq!(look(&worker).await, Found::Nothing, "nothing is told to it");
}

/// One success is enough to begin anew.
#[sqlx::test(migrations = "../migrations")]
async fn an_endpoint_that_works_again_is_served_in_full_at_once(pool: PgPool) {
    let world = World::new(pool).await;
    let receiver = Receiver::start().await;
    let id = webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    let worker = worker(&world);
    receiver.answer(500, None);
    happen(&world).await;
    look(&worker).await;
    assert!(state(&world, id).await.failing_since.is_some());
    for _ in 0..10 {
        happen(&world).await;
    }
    assert_eq!(
        look(&worker).await,
        Found::Nothing,
        "left alone for a while"
    );
    pass(&world, SignedDuration::from_mins(10));
    assert_eq!(look(&worker).await, Found::Work);
    assert_eq!(receiver.ids().len(), 2, "one message tries the ice");
    assert!(state(&world, id).await.failing_since.is_none());
    assert_eq!(look(&worker).await, Found::Work);
    assert_eq!(receiver.ids().len(), 12);
    assert_eq!(look(&worker).await, Found::Nothing);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_endpoint_that_is_busy_is_left_alone_for_as_long_as_it_asks(pool: PgPool) {
    let world = World::new(pool).await;
    let receiver = Receiver::start().await;
    webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    let worker = worker(&world);
    receiver.answer(429, Some("1800"));
    happen(&world).await;
    look(&worker).await;
    pass(&world, SignedDuration::from_secs(1799));
    assert_eq!(look(&worker).await, Found::Nothing);
    pass(&world, SignedDuration::from_secs(1));
    assert_eq!(look(&worker).await, Found::Work);
    assert_eq!(receiver.ids().len(), 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_endpoint_that_says_it_is_gone_is_told_nothing_more(pool: PgPool) {
    let world = World::new(pool).await;
    let receiver = Receiver::start().await;
    let id = webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    receiver.answer(410, None);
    let event = happen(&world).await;
    let worker = worker(&world);
    look(&worker).await;
    let gone = state(&world, id).await;
    assert_eq!(
        gone.disabled_because.map(|because| because.as_str()),
        Some("gone")
    );
    assert_eq!(delivery(&world, id, event).await.state.as_str(), "failed");
    happen(&world).await;
    assert_eq!(look(&worker).await, Found::Nothing);
}

#[sqlx::test(migrations = "../migrations")]
async fn both_secrets_sign_until_the_overlap_ends(pool: PgPool) {
    let world = World::new(pool).await;
    let receiver = Receiver::start().await;
    let id = webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    let until = world
        .clock
        .now()
        .checked_add(SignedDuration::from_hours(1))
        .expect("a time");
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    tx.webhook_rotate(id, &seal(&world, id, &[8; 32]), until)
        .await
        .expect("rotated");
    tx.commit().await.expect("committed");
    let worker = worker(&world);
    happen(&world).await;
    look(&worker).await;
    world.clock.set(until);
    happen(&world).await;
    look(&worker).await;
    let got = receiver.got.lock().expect("messages");
    assert_eq!(got[0].signatures.len(), 2);
    assert!(got[0].is_signed_with(&SECRET) && got[0].is_signed_with(&[8; 32]));
    assert_eq!(got[1].signatures.len(), 1);
    assert!(!got[1].is_signed_with(&SECRET) && got[1].is_signed_with(&[8; 32]));
}

/// Somebody copied another webhook's row over it.
#[sqlx::test(migrations = "../migrations")]
async fn a_secret_that_does_not_open_sends_nothing_unsigned(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let receiver = Receiver::start().await;
    webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    sqlx::query("update webhook_endpoints e set secret = o.secret from webhook_endpoints o where o.id <> e.id")
        .execute(&pool)
        .await
        .expect("swapped");
    let event = happen(&world).await;
    let worker = worker(&world);
    look(&worker).await;
    look(&worker).await;
    assert!(receiver.ids().is_empty(), "{event}");
    // Nor does anybody turn in circles until the operator has put the keys right.
    pass(&world, SignedDuration::from_secs(299));
    assert_eq!(look(&worker).await, Found::Nothing);
    pass(&world, SignedDuration::from_secs(1));
    assert_eq!(look(&worker).await, Found::Work);
}

#[sqlx::test(migrations = "../migrations")]
async fn old_events_are_forgotten_unless_somebody_waits_for_them(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let receiver = Receiver::start().await;
    webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    happen(&world).await;
    look(&worker(&world)).await;
    happen(&world).await;
    let history = EventHistory {
        store: world.store.clone(),
        clock: world.clock.clone(),
    };
    assert_eq!(history.look().await.expect("a look"), Found::Nothing);
    pass(&world, SignedDuration::from_hours(31 * 24));
    assert_eq!(history.look().await.expect("a look"), Found::Work);
    assert_eq!(history.look().await.expect("a look"), Found::Nothing);
    let left: Vec<String> = sqlx::query_scalar("select state from webhook_deliveries")
        .fetch_all(&pool)
        .await
        .expect("rows");
    assert_eq!(left, ["waiting"]);
}

/// An endpoint that was disabled at the end of a turn, and an event whose transaction began to tell it of something before.
async fn disabled_meanwhile(world: &World) -> (WebhookId, EventId) {
    let receiver = Receiver::start().await;
    let release = Arc::new(Notify::new());
    *receiver.held.lock().expect("held") = Some(Arc::clone(&release));
    receiver.answer(410, None);
    let id = webhook(world, &receiver.url, CustomerNumbers::Masked).await;
    happen(world).await;
    let first = worker(world);
    let serving = tokio::spawn(async move { first.look().await });
    tokio::time::timeout(PATIENCE, receiver.arrived.notified())
        .await
        .expect("the endpoint is asked");
    let (late, event) = begin_to_happen(world).await;
    release.notify_one();
    serving.await.expect("no panic").expect("a turn");
    assert_eq!(state(world, id).await.state.as_str(), "disabled");
    late.commit().await.expect("committed");
    assert_eq!(delivery(world, id, event).await.state.as_str(), "waiting");
    (id, event)
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_on_its_way_to_an_endpoint_while_it_was_disabled_is_given_up(pool: PgPool) {
    let world = World::new(pool).await;
    let (id, event) = disabled_meanwhile(&world).await;
    let enabled = webhook(&world, DEAD, CustomerNumbers::Masked).await;
    let next = happen(&world).await;
    let history = EventHistory {
        store: world.store.clone(),
        clock: world.clock.clone(),
    };
    assert_eq!(history.look().await.expect("a look"), Found::Work);
    assert_eq!(history.look().await.expect("a look"), Found::Nothing);
    let given_up = delivery(&world, id, event).await;
    assert_eq!(given_up.state.as_str(), "failed");
    assert_eq!(given_up.settled_at, Some(world.clock.now()));
    let waits = delivery(&world, enabled, next).await;
    assert_eq!(waits.state.as_str(), "waiting", "for one that is enabled");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_event_that_waits_for_a_disabled_endpoint_alone_is_forgotten(pool: PgPool) {
    let world = World::new(pool).await;
    disabled_meanwhile(&world).await;
    let enabled = webhook(&world, DEAD, CustomerNumbers::Masked).await;
    let waits = happen(&world).await;
    pass(&world, SignedDuration::from_hours(31 * 24));
    let forgotten = world.store.events_forget(world.clock.now(), 100).await;
    assert_eq!(forgotten.expect("forgotten"), 2);
    let waits = delivery(&world, enabled, waits).await;
    assert_eq!(waits.state.as_str(), "waiting", "for one that is enabled");
}

#[sqlx::test(migrations = "../migrations")]
async fn messages_that_are_being_stored_keep_nobody_from_an_endpoint(pool: PgPool) {
    let world = World::new(pool).await;
    let receiver = Receiver::start().await;
    let id = webhook(&world, &receiver.url, CustomerNumbers::Masked).await;
    happen(&world).await;
    let (storing, _) = begin_to_happen(&world).await;
    assert_eq!(look(&worker(&world)).await, Found::Work);
    assert_eq!(receiver.ids().len(), 1);
    let mut change = world.store.tenant(world.tenant).await.expect("a tenant");
    let locked = change.webhook_lock(id).await.expect("an answer");
    assert!(locked.is_some());
    change.commit().await.expect("committed");
    storing.commit().await.expect("committed");
}
