//! What an operator sees of the running program: metrics, traces, and whether its settings make sense.

use std::io;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::Method;
use axum::routing::post;
use serde_json::json;
use sqlx::PgPool;
use tokio::net::TcpListener;
use tokio::process::Command;
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::harness::{ARN, World};
use crate::running::{Running, key_for, migrated, program, run};

const LOOKS_WITHIN: Duration = Duration::from_secs(30);

fn sample(text: &str, series: &str) -> Option<f64> {
    let line = text.lines().find(|line| line.starts_with(series))?;
    line.rsplit(' ').next()?.parse().ok()
}

async fn text(url: &str) -> String {
    let answer = reqwest::get(url).await.expect("an answer");
    assert_eq!(answer.status().as_u16(), 200, "{url}");
    answer.text().await.expect("text")
}

#[sqlx::test(migrations = false)]
async fn requests_are_counted_by_route_and_never_by_what_stands_in_the_path(pool: PgPool) {
    migrated(&pool).await;
    let key = key_for(&pool).await;
    let mut serve = program(&pool);
    serve
        .args(["serve", "--with-workers"])
        .env("RINGFENCE_METRICS_LISTEN", "127.0.0.1:0");
    let running = Running::serve(serve).await;
    let metrics = running.metrics.clone().expect("an address");
    let client = reqwest::Client::new();
    for _ in 0..3 {
        let path = "/v1/tenants/ten_01890000000070008000000000000000";
        let answer = client
            .get(format!("{}{path}", running.base))
            .bearer_auth(&key)
            .send()
            .await
            .expect("an answer");
        assert_eq!(answer.status().as_u16(), 404);
    }
    let told = text(&format!("{metrics}/metrics")).await;
    let series =
        r#"ringfence_http_requests_total{method="GET",route="/v1/tenants/{id}",status="404"}"#;
    assert_eq!(sample(&told, series), Some(3.0), "{told}");
    assert!(!told.contains("ten_0189"));
    assert_eq!(sample(&told, "ringfence_database_up"), Some(1.0));
    assert!(sample(&told, "ringfence_database_connections_max").is_some_and(|max| max > 0.0));
    let looked = r#"ringfence_worker_passes_total{worker="installations""#;
    let looking = async { while !text(&format!("{metrics}/metrics")).await.contains(looked) {} };
    timeout(LOOKS_WITHIN, looking)
        .await
        .expect("a worker has looked");
    assert_eq!(
        sample(&told, r#"ringfence_installations{state="blocked"}"#),
        Some(0.0)
    );
    assert_eq!(text(&format!("{metrics}/readyz")).await, "ok\n");
    running.stop().await;
}

#[sqlx::test(migrations = false)]
async fn workers_alone_tell_their_metrics_too(pool: PgPool) {
    migrated(&pool).await;
    let mut work = program(&pool);
    work.arg("work")
        .env("RINGFENCE_METRICS_LISTEN", "127.0.0.1:0");
    let running = Running::work(work).await;
    let metrics = running.metrics.clone().expect("an address");
    let told = text(&format!("{metrics}/metrics")).await;
    assert!(told.contains("ringfence_reconcile_lag_seconds"), "{told}");
    running.stop().await;
}

/// An installation that a worker has placed: its instance, and the function.
async fn placed(world: &World) -> (String, String) {
    let cast = world.tenant("Northwind").await;
    let instance = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &instance).await;
    let path = format!("/v1/instances/{instance}/installation");
    let wanted = json!({ "queues": "all" });
    world.put(&path, &cast.owner, wanted).await.ok(202);
    let (tenant, id) = (
        cast.id.parse().expect("an id"),
        instance.parse().expect("an id"),
    );
    let now = world.clock.now();
    let placed = world.store.shard_assign(tenant, id, "us-east-1", now).await;
    let placed = placed.expect("an answer").expect("a place");
    (instance, placed.function_arn)
}

/// Whoever watches these adds a function before the next installation waits for one.
#[sqlx::test(migrations = "../migrations")]
async fn places_are_told_before_the_last_one_goes(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let function =
        |number: u32| format!("arn:aws:lambda:us-east-1:999988887777:function:limiter-{number}");
    let functions = [1, 2].map(|number| (function(number), "us-east-1".to_owned()));
    world.store.shard_sync(&functions).await.expect("shards");
    let small = sqlx::query("update shards set capacity = 2");
    small.execute(&pool).await.expect("small functions");
    let mut serve = program(&pool);
    serve
        .arg("serve")
        .env("RINGFENCE_METRICS_LISTEN", "127.0.0.1:0");
    let running = Running::serve(serve).await;
    let metrics = format!("{}/metrics", running.metrics.clone().expect("an address"));
    let told = async |metric: &str, label: &str| {
        let series = format!("ringfence_shard_{metric}{{{label}}} ");
        sample(&text(&metrics).await, &series)
    };
    let free = async || told("places_free", r#"region="us-east-1""#).await;
    let on = async |function: &str| told("instances", &format!("function=\"{function}\"")).await;
    assert_eq!(free().await, Some(4.0));
    let (instance, from) = placed(&world).await;
    let to = functions.iter().find(|(arn, _)| *arn != from);
    let to = to.expect("the other function").0.clone();
    assert_eq!(free().await, Some(3.0));
    assert_eq!((on(&from).await, on(&to).await), (Some(1.0), Some(0.0)));

    let wanted = json!({ "instance_id": instance });
    let moved = world.post("/v1/shard-moves", &world.operator, wanted).await;
    moved.ok(202);
    assert_eq!(free().await, Some(2.0), "it takes both places meanwhile");
    assert_eq!((on(&from).await, on(&to).await), (Some(1.0), Some(1.0)));

    let path = format!("/v1/shards/{to}");
    let draining = Some(json!({ "draining": true }));
    let drained = world.call(Method::PATCH, &path, &world.operator, draining);
    drained.await.ok(200);
    assert_eq!(free().await, Some(1.0), "one that is drained has none");
    let capacity = told("capacity", &format!("function=\"{to}\"")).await;
    assert_eq!(capacity, Some(2.0));
    running.stop().await;
}

/// Where spans go.
struct Collector {
    endpoint: String,
    received: Arc<Mutex<Vec<u8>>>,
    collecting: JoinHandle<io::Result<()>>,
}

impl Collector {
    async fn start() -> Self {
        let received: Arc<Mutex<Vec<u8>>> = Arc::default();
        let router = Router::new()
            .route(
                "/v1/traces",
                post(
                    |State(received): State<Arc<Mutex<Vec<u8>>>>, body: Bytes| async move {
                        received.lock().expect("its lock").extend_from_slice(&body);
                    },
                ),
            )
            .with_state(Arc::clone(&received));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        Self {
            endpoint,
            received,
            collecting: tokio::spawn(async move { axum::serve(listener, router).await }),
        }
    }

    fn got(self) -> Vec<u8> {
        self.collecting.abort();
        self.received.lock().expect("its lock").clone()
    }
}

fn holds(spans: &[u8], wanted: &[u8]) -> bool {
    spans.windows(wanted.len()).any(|part| part == wanted)
}

#[sqlx::test(migrations = false)]
async fn a_request_s_span_reaches_the_collector_inside_the_caller_s_trace(pool: PgPool) {
    migrated(&pool).await;
    let collector = Collector::start().await;
    let mut serve = program(&pool);
    serve
        .arg("serve")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint);
    let running = Running::serve(serve).await;
    let trace = "4bf92f3577b34da6a3ce929d0e0e4736";
    let answer = reqwest::Client::new()
        .get(format!(
            "{}/v1/decisions?number=%2B15555550100",
            running.base
        ))
        .header("traceparent", format!("00-{trace}-00f067aa0ba902b7-01"))
        .send()
        .await
        .expect("an answer");
    assert_eq!(answer.status().as_u16(), 401);
    // What is still in hand is sent before the program ends.
    running.stop().await;
    let spans = collector.got();
    assert!(holds(&spans, b"GET /v1/decisions"), "{} bytes", spans.len());
    assert!(holds(&spans, &hex::decode(trace).expect("an id")));
    assert!(
        !holds(&spans, b"5555550100"),
        "what stands in the address is not told"
    );
}

/// What is logged and what is traced are asked for apart.
#[sqlx::test(migrations = false)]
async fn a_quiet_log_turns_no_span_off_and_a_loud_one_adds_none(pool: PgPool) {
    migrated(&pool).await;
    for level in ["warn", "off", "trace"] {
        let collector = Collector::start().await;
        let mut serve = program(&pool);
        serve
            .arg("serve")
            .env("RUST_LOG", level)
            .env("OTEL_EXPORTER_OTLP_ENDPOINT", &collector.endpoint);
        let running = Running::serve_quietly(serve).await;
        text(&format!("{}/readyz", running.base)).await;
        let logged = running.stop().await;
        let is_loud = logged.contains("\"DEBUG\"");
        assert_eq!(is_loud, level == "trace", "{level}");
        let spans = collector.got();
        assert!(holds(&spans, b"GET /readyz"), "{level}");
        assert!(!holds(&spans, b"DEBUG"), "{level}");
    }
}

#[sqlx::test(migrations = false)]
async fn a_collector_that_is_away_costs_no_request(pool: PgPool) {
    migrated(&pool).await;
    let mut serve = program(&pool);
    serve
        .arg("serve")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let running = Running::serve(serve).await;
    text(&format!("{}/healthz", running.base)).await;
    running.stop().await;
}

fn check() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    command.env_clear().args(["config", "check"]);
    command
}

#[tokio::test]
async fn config_check_names_everything_that_is_wrong_and_prints_no_secret() {
    let mut command = check();
    command
        .env("DATABASE_URL", "mysql://user:hunter2@db/ringfence")
        .env("RINGFENCE_CONNECT_RPS", "fast");
    let output = run(command).await;
    assert!(!output.status.success());
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    for variable in [
        "DATABASE_URL must",
        "RINGFENCE_CONNECT_RPS must",
        "RINGFENCE_LIMITER_FUNCTIONS is not set",
    ] {
        assert!(said.contains(variable), "{variable}: {said}");
    }
    assert!(!said.contains("hunter2"));
}

#[sqlx::test(migrations = false)]
async fn config_check_finds_a_misspelt_setting_and_passes_a_complete_one(pool: PgPool) {
    let mut complete = program(&pool);
    complete.args(["config", "check"]);
    let output = run(complete).await;
    assert!(output.status.success(), "{output:?}");
    let mut misspelt = program(&pool);
    misspelt
        .args(["config", "check"])
        .env("RINGFENCE_RECONCILE_PERIOD", "60");
    let output = run(misspelt).await;
    assert!(!output.status.success());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(said.contains("RINGFENCE_RECONCILE_PERIOD "), "{said}");
}
