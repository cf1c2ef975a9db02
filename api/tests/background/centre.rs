//! A double of what sending a notice meets: STS, and Connect starting tasks and describing agents. One endpoint; faults are struck in the order
//! in which they were laid.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post, put};
use jiff::Timestamp;
use ringfence_api::aws::{Aws, AwsSettings, Jitter};
use ringfence_api::clock::Clock;
use ringfence_api::store::Store;
use serde_json::{Value, json};
use tokio::net::TcpListener;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    Refuse(u16, &'static str),
    /// The task is started, and the answer is of no use.
    LoseAnswer,
}

#[derive(Debug, Default)]
pub struct Inside {
    /// By client token, with the request that started each.
    pub tasks: BTreeMap<String, Value>,
    pub starts: Vec<Value>,
    /// Form bodies of AssumeRole.
    pub assumed: Vec<String>,
    pub task_faults: VecDeque<Fault>,
    pub role_faults: VecDeque<Fault>,
    /// Profiles of agents, by the agents' ids.
    pub profiles: BTreeMap<String, String>,
    pub without_tasks: BTreeSet<String>,
    /// When the next session ends; 09:00 on the first of January if nothing is said.
    pub session_ends: Option<Timestamp>,
    /// What was read of agents, and in which session.
    pub read: Vec<String>,
    pub sessions: Vec<String>,
    pub reading_denied: bool,
}

/// A clock for tests in which no time passes.
pub fn at_rest() -> Clock {
    Clock::manual("2026-01-01T00:00:00Z".parse().expect("a time"))
}

#[derive(Clone)]
pub struct Centre {
    pub aws: Arc<Aws>,
    inside: Arc<Mutex<Inside>>,
}

impl Centre {
    pub async fn start(store: Store, clock: Clock) -> Self {
        let agents = |inside| {
            Router::new()
                .route("/users/{instance}/{id}", get(describe_user))
                .route(
                    "/routing-profiles/{instance}/{id}",
                    get(describe_routing_profile),
                )
                .with_state(inside)
        };
        Self::start_with(store, clock, agents).await
    }

    /// One that answers these instead of what is asked about agents.
    pub async fn start_with(
        store: Store,
        clock: Clock,
        more: impl FnOnce(Arc<Mutex<Inside>>) -> Router,
    ) -> Self {
        let inside = Arc::new(Mutex::new(Inside::default()));
        let router = Router::new()
            .route("/", post(assume_role))
            .route("/contact/task", put(start_task))
            .with_state(Arc::clone(&inside))
            .merge(more(Arc::clone(&inside)));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        tokio::spawn(async move { axum::serve(listener, router).await });
        let credentials = Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
        let config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("us-east-1"))
            .endpoint_url(endpoint)
            .credentials_provider(SharedCredentialsProvider::new(credentials))
            .build();
        let settings = AwsSettings {
            connect_requests_per_second: 1000.0,
            policies_table: "unused".to_owned(),
            decisions_table: "unused".to_owned(),
            meters_table: "ringfence-meters".to_owned(),
        };
        Self {
            aws: Arc::new(Aws::new(config, settings, store, Jitter::new(1), clock)),
            inside,
        }
    }

    pub fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no panic inside")
    }
}

type Shared = State<Arc<Mutex<Inside>>>;

async fn assume_role(State(inside): Shared, body: String) -> Response {
    let mut inside = inside.lock().expect("no panic inside");
    inside.assumed.push(body);
    if let Some(Fault::Refuse(status, code)) = inside.role_faults.pop_front() {
        let error = format!(
            "<ErrorResponse><Error><Code>{code}</Code><Message>no</Message></Error></ErrorResponse>"
        );
        return answer(status, "text/xml", error);
    }
    let number = inside.assumed.len();
    let end = inside.session_ends.map(|end| end.to_string());
    let end = end.unwrap_or_else(|| "2026-01-01T09:00:00Z".to_owned());
    let credentials = format!(
        "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>session-{number}</SessionToken><Expiration>{end}</Expiration>"
    );
    let text = format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials>{credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    );
    answer(200, "text/xml", text)
}

async fn start_task(State(inside): Shared, body: Bytes) -> Response {
    let mut inside = inside.lock().expect("no panic inside");
    let request: Value = serde_json::from_slice(&body).expect("JSON");
    inside.starts.push(request.clone());
    let fault = inside.task_faults.pop_front();
    if let Some(Fault::Refuse(status, code)) = fault {
        return refused(status, code);
    }
    let token = request["ClientToken"].as_str().expect("a token").to_owned();
    inside.tasks.entry(token.clone()).or_insert(request);
    if fault == Some(Fault::LoseAnswer) {
        return answer(200, "application/json", "{".to_owned());
    }
    let body = json!({ "ContactId": format!("task-of-{token}") });
    answer(200, "application/json", body.to_string())
}

async fn describe_user(
    State(inside): Shared,
    Path((_, id)): Path<(String, String)>,
    headers: HeaderMap,
) -> Response {
    let mut inside = inside.lock().expect("no panic inside");
    let session = headers["x-amz-security-token"].to_str().expect("a token");
    inside.sessions.push(session.to_owned());
    inside.read.push(format!("user {id}"));
    let profile = inside.profiles.get(&id).cloned();
    match profile {
        _ if inside.reading_denied => refused(403, "AccessDeniedException"),
        None => refused(404, "ResourceNotFoundException"),
        Some(profile) => {
            let body = json!({ "User": { "Id": id, "RoutingProfileId": profile } });
            answer(200, "application/json", body.to_string())
        }
    }
}

async fn describe_routing_profile(
    State(inside): Shared,
    Path((_, id)): Path<(String, String)>,
) -> Response {
    let mut inside = inside.lock().expect("no panic inside");
    inside.read.push(format!("profile {id}"));
    let mut media = vec![json!({ "Channel": "VOICE", "Concurrency": 1 })];
    if !inside.without_tasks.contains(&id) {
        media.push(json!({ "Channel": "TASK", "Concurrency": 1 }));
    }
    let body = json!({ "RoutingProfile": { "RoutingProfileId": id, "MediaConcurrencies": media } });
    answer(200, "application/json", body.to_string())
}

pub fn refused(status: u16, code: &'static str) -> Response {
    let body = json!({ "__type": code, "message": "something about +12065550100" });
    let mut refusal = answer(status, "application/json", body.to_string());
    let code = code.parse().expect("a header");
    refusal.headers_mut().insert("x-amzn-errortype", code);
    refusal
}

pub fn answer(status: u16, content_type: &'static str, body: String) -> Response {
    let status = StatusCode::from_u16(status).expect("a status");
    (status, [("content-type", content_type)], body).into_response()
}
