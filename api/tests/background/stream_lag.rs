//! The gauge by which an operator sees that decisions do not come in: above all while the stream cannot be read.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use jiff::SignedDuration;
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};
use ringfence_api::background::ingest::Ingest;
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::dynamo::{Dynamo, aws_at};
use crate::ingest::{Place, drain};
use crate::world::{REGION, World};

/// In front of the stream: whoever asks for this is refused.
#[derive(Clone)]
struct Front {
    endpoint: String,
    refuses: Arc<Mutex<Option<&'static str>>>,
}

impl Front {
    async fn start(dynamo: &Dynamo) -> (Self, String) {
        let front = Self {
            endpoint: dynamo.endpoint.clone(),
            refuses: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(forward).with_state(front.clone());
        tokio::spawn(async move { axum::serve(listener, router).await });
        (front, endpoint)
    }

    fn refuse(&self, operation: Option<&'static str>) {
        *self.refuses.lock().expect("the lock") = operation;
    }
}

async fn forward(
    State(front): State<Front>,
    mut headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Bytes) {
    let target = headers["x-amz-target"].to_str().expect("text").to_owned();
    let refused = *front.refuses.lock().expect("the lock");
    if refused.is_some_and(|operation| target.ends_with(operation)) {
        let denied =
            Bytes::from_static(br#"{"__type": "AccessDeniedException", "message": "No."}"#);
        return (StatusCode::BAD_REQUEST, denied);
    }
    headers.remove(header::HOST);
    let request = reqwest::Client::new().post(&front.endpoint);
    let answer = request.headers(headers).body(body).send().await;
    let answer = answer.expect("an answer");
    (answer.status(), answer.bytes().await.expect("a body"))
}

/// A process that reads the stream, and what its metrics say.
struct Reader {
    world: World,
    dynamo: Dynamo,
    front: Front,
    ingest: Ingest,
    recorder: PrometheusRecorder,
    told: PrometheusHandle,
}

impl Reader {
    async fn begin(pool: PgPool) -> Self {
        let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
        // The store dates records by the system's clock; by this one they are old.
        world
            .clock
            .set("2100-01-01T00:00:00Z".parse().expect("a time"));
        let (front, endpoint) = Front::start(&dynamo).await;
        let ingest = Ingest::new(
            world.store.clone(),
            &aws_at(&endpoint),
            REGION,
            world.clock.clone(),
            world.ids.clone(),
        );
        let recorder = PrometheusBuilder::new().build_recorder();
        let told = recorder.handle();
        Self {
            world,
            dynamo,
            front,
            ingest,
            recorder,
            told,
        }
    }

    async fn put(&self, contact: &str) {
        let place = Place::new(&self.world).await;
        let record = place.record(contact, "allowed").to_string();
        self.dynamo.put_decision(&place.arn, contact, &record).await;
    }

    fn pass(&self, seconds: i64) {
        let now = self.world.clock.now();
        self.world
            .clock
            .set(now + SignedDuration::from_secs(seconds));
    }

    fn lag(&self) -> f64 {
        let text = self.told.render();
        let series = format!("ringfence_stream_lag_seconds{{region=\"{REGION}\"}} ");
        let line = text.lines().find_map(|line| line.strip_prefix(&series));
        line.expect("a lag").parse().expect("a number")
    }

    async fn look(&mut self) -> bool {
        let _heard = metrics::set_default_local_recorder(&self.recorder);
        self.ingest.look().await.is_ok()
    }

    async fn lag_while_refused(&mut self, operation: &'static str) -> f64 {
        self.front.refuse(Some(operation));
        assert!(!self.look().await, "{operation} is refused");
        self.front.refuse(None);
        self.lag()
    }

    async fn catch_up(&mut self) {
        let _heard = metrics::set_default_local_recorder(&self.recorder);
        drain(&mut self.ingest).await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn before_anything_was_read_the_lag_grows_since_the_process_began(pool: PgPool) {
    let mut reader = Reader::begin(pool).await;
    reader.put("a").await;
    reader.pass(60);
    assert_eq!(reader.lag_while_refused("ListStreams").await, 60.0);
    reader.pass(60);
    assert_eq!(reader.lag_while_refused("DescribeStream").await, 120.0);
    reader.pass(60);
    assert_eq!(reader.lag_while_refused("GetRecords").await, 180.0);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_lag_grows_while_the_stream_cannot_be_read_and_falls_to_the_true_one_afterwards(
    pool: PgPool,
) {
    let mut reader = Reader::begin(pool).await;
    reader.put("a").await;
    reader.catch_up().await;
    assert_eq!(reader.lag(), 0.0);
    reader.pass(600);
    assert_eq!(reader.lag_while_refused("GetRecords").await, 600.0);
    reader.pass(600);
    assert_eq!(reader.lag_while_refused("ListStreams").await, 1200.0);
    reader.put("b").await;
    assert!(reader.look().await);
    let years = reader.lag() / (365.0 * 86400.0);
    assert!(years > 1.0, "the age of what was read: {years}");
    reader.catch_up().await;
    assert_eq!(reader.lag(), 0.0);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_lag_grows_while_the_database_is_away(pool: PgPool) {
    let mut reader = Reader::begin(pool.clone()).await;
    reader.put("a").await;
    reader.catch_up().await;
    pool.close().await;
    reader.pass(600);
    assert!(!reader.look().await);
    assert_eq!(reader.lag(), 600.0);
}
