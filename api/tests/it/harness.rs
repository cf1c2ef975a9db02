//! A cast of tenants with keys, and requests by them.

use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use axum::Router;
use axum::body::Body;
use axum::http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::BodyExt as _;
use jiff::{SignedDuration, Timestamp};
use ringfence_api::auth::jwt::Verifier;
use ringfence_api::auth::keys::NewKey;
use ringfence_api::auth::oidc::Oidc;
use ringfence_api::auth::{Authenticator, ProviderClient};
use ringfence_api::aws::{Aws, AwsSettings, Jitter};
use ringfence_api::background::WakeUps;
use ringfence_api::clock::{Clock, IdSource};
use ringfence_api::config::{LimiterFunction, Secret, Settings, Tables};
use ringfence_api::domain::ids::{InstanceId, OperatorKeyId, TenantId};
use ringfence_api::domain::rate::RateLimits;
use ringfence_api::http::{AppState, Buckets, LiveStreams, Parts, Turns, Watched, layered, router};
use ringfence_api::metrics::Metrics;
use ringfence_api::outbound::{Outbound, Reach};
use ringfence_api::sealer::Sealer;
use ringfence_api::store::Store;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::described::must_list;
use crate::openid::OpenId;

pub const NOW: &str = "2026-11-25T12:00:00Z";
pub const ARN: &str =
    "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b";

pub const SECRET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

pub struct World {
    router: Router,
    state: AppState,
    pub store: Store,
    pub clock: Clock,
    pub ids: IdSource,
    pub operator: String,
}

/// A tenant and a key for each role.
pub struct Cast {
    pub id: String,
    pub owner: String,
    pub admin: String,
    pub editor: String,
    pub viewer: String,
}

#[derive(Debug)]
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Value,
    pub text: String,
}

fn settings() -> Settings {
    let function = |region: &str| LimiterFunction {
        arn: format!("arn:aws:lambda:{region}:999988887777:function:ringfence-limiter-1"),
        region: region.to_owned(),
    };
    Settings {
        database_url: Secret::new("postgres://unused".to_owned()),
        metrics_listen: None,
        drain: Duration::ZERO,
        any_database_login: true,
        listen: "127.0.0.1:0".parse().expect("an address"),
        public_url: None,
        control_plane_principal: "arn:aws:iam::999988887777:role/ringfence-control-plane"
            .to_owned(),
        limiter_principal: "arn:aws:iam::999988887777:role/ringfence-limiter".to_owned(),
        limiter_functions: vec![function("us-east-1"), function("eu-west-2")],
        template_url: None,
        tables: Tables {
            policies: "ringfence-policies".to_owned(),
            decisions: "ringfence-decisions".to_owned(),
            meters: "ringfence-meters".to_owned(),
        },
        jwt: None,
        oidc: None,
        reconcile_period: Duration::from_secs(600),
        lease: Duration::from_secs(60),
        connection_check_period: Duration::from_secs(600),
        connect_requests_per_second: 1.0,
        trusted_proxies: 1,
        sealer: Sealer::read(SECRET_KEY).expect("a key"),
        reach: Reach::PublicAndLoopback,
        // Tests ask a lot while their clock stands still.
        rate_limits: RateLimits::per_minute(1_000_000, 1_000_000),
    }
}

fn state(
    store: &Store,
    clock: &Clock,
    ids: &IdSource,
    jwt: Option<Verifier>,
    oidc: Option<Oidc>,
    settings: Settings,
    aws: Aws,
) -> AppState {
    let outbound = Outbound::new(Reach::PublicAndLoopback).expect("a client");
    AppState::new(Parts {
        store: store.clone(),
        clock: clock.clone(),
        ids: ids.clone(),
        authenticator: Authenticator::new(store.clone(), clock.clone(), jwt, outbound.clone()),
        oidc,
        aws: Arc::new(aws),
        wake_ups: WakeUps::default(),
        watched: Watched {
            metrics: Metrics::unheard(),
            store: store.clone(),
            clock: clock.clone(),
            any_database_login: true,
        },
        outbound,
        settings,
        draining: CancellationToken::new(),
        buckets: Buckets::default(),
        live_streams: LiveStreams::default(),
        // Who would have to wait is told so at once.
        turns: Turns::waiting_for(Duration::ZERO),
        public_url: "https://ringfence.example".parse().expect("a URL"),
    })
}

/// AWS that nobody answers for.
fn unreachable_aws(store: &Store, clock: &Clock) -> Aws {
    let base = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .endpoint_url("http://127.0.0.1:1")
        .build();
    aws(base, store, clock)
}

fn aws_at(endpoint: &str, store: &Store, clock: &Clock) -> Aws {
    let credentials = Credentials::new("AKIAEXAMPLE", "secret", None, None, "test");
    let base = aws_config::SdkConfig::builder()
        .behavior_version(aws_config::BehaviorVersion::latest())
        .region(aws_config::Region::new("us-east-1"))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .endpoint_url(endpoint)
        .build();
    aws(base, store, clock)
}

fn aws(base: aws_config::SdkConfig, store: &Store, clock: &Clock) -> Aws {
    let settings = AwsSettings {
        connect_requests_per_second: 1000.0,
        policies_table: "ringfence-policies".to_owned(),
        decisions_table: "ringfence-decisions".to_owned(),
        meters_table: "ringfence-meters".to_owned(),
    };
    Aws::new(base, settings, store.clone(), Jitter::new(1), clock.clone())
}

impl World {
    pub async fn new(pool: PgPool) -> Self {
        Self::with_jwt(pool, None).await
    }

    /// Where people can sign in with this provider, and those so marked are operators.
    pub async fn with_sign_in(pool: PgPool, operators: &[&str]) -> (Self, OpenId) {
        Self::with_sign_in_and_jwt(pool, operators, None).await
    }

    pub async fn with_sign_in_and_jwt(
        pool: PgPool,
        operators: &[&str],
        jwt: Option<Verifier>,
    ) -> (Self, OpenId) {
        let clock = Clock::manual(NOW.parse().expect("a time"));
        let openid = OpenId::start(clock.clone()).await;
        let client = ProviderClient::new().expect("a client");
        let callback = "https://ringfence.example/auth/callback";
        let oidc = Oidc::new(
            openid.settings(operators),
            client,
            callback.parse().expect("a URL"),
        );
        let world = Self::make(Store::from_pool(pool), clock, jwt, Some(oidc));
        (world.with_operator().await, openid)
    }

    pub async fn with_jwt(pool: PgPool, jwt: Option<Verifier>) -> Self {
        Self::on(Store::from_pool(pool), jwt).with_operator().await
    }

    async fn with_operator(self) -> Self {
        let mut world = self;
        let key = NewKey::operator(&world.ids);
        let mut tx = world.store.system("test").await.expect("a transaction");
        tx.operator_key_insert(
            OperatorKeyId(world.ids.uuid()),
            &key.sha256(),
            world.clock.now(),
        )
        .await
        .expect("a key");
        tx.commit().await.expect("committed");
        world.operator = key.reveal().to_owned();
        world
    }

    pub fn on(store: Store, jwt: Option<Verifier>) -> Self {
        let clock = Clock::manual(NOW.parse().expect("a time"));
        Self::make(store, clock, jwt, None)
    }

    fn make(store: Store, clock: Clock, jwt: Option<Verifier>, oidc: Option<Oidc>) -> Self {
        let ids = IdSource::new(clock.clone(), [7; 32]);
        let aws = unreachable_aws(&store, &clock);
        let state = state(&store, &clock, &ids, jwt, oidc, settings(), aws);
        Self {
            router: router(state.clone()),
            state,
            store,
            clock,
            ids,
            operator: String::new(),
        }
    }

    /// The same service with these routes instead of its own.
    pub fn with_routes(mut self, routes: Router<AppState>) -> Self {
        self.router = layered(routes, self.state.clone());
        self
    }

    /// The same service with other settings.
    pub fn with_settings(self, change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings = self.state.settings.clone();
        change(&mut settings);
        let aws = unreachable_aws(&self.store, &self.clock);
        self.restart(settings, aws)
    }

    /// The same service with somebody who answers for AWS.
    pub fn with_aws(self, endpoint: &str) -> Self {
        let settings = self.state.settings.clone();
        let aws = aws_at(endpoint, &self.store, &self.clock);
        self.restart(settings, aws)
    }

    fn restart(mut self, settings: Settings, aws: Aws) -> Self {
        let (store, clock, ids) = (&self.store, &self.clock, &self.ids);
        let state = state(store, clock, ids, None, None, settings, aws);
        self.router = router(state.clone());
        self.state = state;
        self
    }

    pub fn turns(&self) -> &Turns {
        &self.state.turns
    }

    pub fn pass(&self, seconds: i64) {
        let later: Timestamp = self.clock.now() + SignedDuration::from_secs(seconds);
        self.clock.set(later);
    }

    pub async fn send(&self, request: Request<Body>) -> Answer {
        let (method, path) = (request.method().clone(), request.uri().path().to_owned());
        let response = self
            .router
            .clone()
            .oneshot(request)
            .await
            .expect("an answer");
        let (parts, body) = response.into_parts();
        must_list(&method, &path, parts.status);
        let bytes = body.collect().await.expect("a body").to_bytes();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        Answer {
            status: parts.status,
            headers: parts.headers,
            body: serde_json::from_str(&text).unwrap_or(Value::Null),
            text,
        }
    }

    pub async fn call(&self, method: Method, path: &str, key: &str, body: Option<Value>) -> Answer {
        self.call_with(method, path, key, body, &[]).await
    }

    pub async fn call_with(
        &self,
        method: Method,
        path: &str,
        key: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !key.is_empty() {
            request = request.header("authorization", format!("Bearer {key}"));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.send(request.expect("a request")).await
    }

    pub async fn get(&self, path: &str, key: &str) -> Answer {
        self.call(Method::GET, path, key, None).await
    }

    pub async fn post(&self, path: &str, key: &str, body: Value) -> Answer {
        self.call(Method::POST, path, key, Some(body)).await
    }

    pub async fn put(&self, path: &str, key: &str, body: Value) -> Answer {
        self.call(Method::PUT, path, key, Some(body)).await
    }

    pub async fn delete(&self, path: &str, key: &str) -> Answer {
        self.call(Method::DELETE, path, key, None).await
    }

    pub async fn tenant(&self, name: &str) -> Cast {
        let made = self
            .post("/v1/tenants", &self.operator, json!({ "name": name }))
            .await;
        let id = made.ok(201).text("/id");
        let path = format!("/v1/tenants/{id}/api-keys");
        let mut keys = Vec::new();
        for role in ["owner", "admin", "editor", "viewer"] {
            let made = self
                .post(&path, &self.operator, json!({ "name": role, "role": role }))
                .await;
            keys.push(made.ok(201).text("/key"));
        }
        let [owner, admin, editor, viewer] = keys.try_into().expect("four keys");
        Cast {
            id,
            owner,
            admin,
            editor,
            viewer,
        }
    }

    /// Registers an instance and answers its id.
    pub async fn instance(&self, key: &str, arn: &str) -> String {
        self.post("/v1/instances", key, json!({ "instance_arn": arn }))
            .await
            .ok(201)
            .text("/id")
    }

    /// Makes the functions of the settings known, as a worker's start does; answers the first one's ARN.
    pub async fn shard(&self) -> String {
        let functions: Vec<(String, String)> = settings()
            .limiter_functions
            .into_iter()
            .map(|function| (function.arn, function.region))
            .collect();
        self.store.shard_sync(&functions).await.expect("shards");
        let (arn, _) = functions.into_iter().next().expect("a function");
        arn
    }

    /// As a verification that passed leaves it.
    pub async fn mark_verified(&self, cast: &Cast, instance: &str) {
        let tenant: TenantId = cast.id.parse().expect("an id");
        let instance: InstanceId = instance.parse().expect("an id");
        let mut tx = self.store.tenant(tenant).await.expect("a transaction");
        tx.instance_mark_verified(instance, self.clock.now())
            .await
            .expect("verified");
        tx.commit().await.expect("committed");
    }
}

impl Answer {
    #[track_caller]
    pub fn ok(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        self
    }

    #[track_caller]
    pub fn problem(self, status: u16, code: &str) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text);
        assert_eq!(self.body["code"], code, "{}", self.text);
        assert_eq!(self.header("content-type"), "application/problem+json");
        self
    }

    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        match self.body.pointer(pointer) {
            Some(Value::String(text)) => text.clone(),
            _ => panic!("no text at {pointer} in {}", self.text),
        }
    }

    pub fn header(&self, name: &str) -> &str {
        self.headers
            .get(name)
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// Pointers of the faults, sorted.
    pub fn pointers(&self) -> Vec<String> {
        let errors = self.body["errors"].as_array().cloned().unwrap_or_default();
        let mut pointers: Vec<String> = errors
            .iter()
            .filter_map(|error| error["pointer"].as_str().map(str::to_owned))
            .collect();
        pointers.sort();
        pointers
    }

    /// The body without what differs between any two answers.
    pub fn without_request_id(&self) -> Value {
        let mut body = self.body.clone();
        if let Some(members) = body.as_object_mut() {
            members.remove("request_id");
        }
        body
    }
}

/// Until so many transactions wait for locks that others hold.
pub async fn wait_until_blocked(pool: &PgPool, wanted: i64) {
    let blocked = async {
        loop {
            let waiting: i64 = sqlx::query_scalar(
                "select count(*) from pg_stat_activity
                 where datname = current_database() and wait_event_type = 'Lock'",
            )
            .fetch_one(pool)
            .await
            .expect("a count");
            if waiting >= wanted {
                return;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), blocked)
        .await
        .expect("all of them wait");
}
