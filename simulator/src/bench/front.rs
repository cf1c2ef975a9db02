//! What stands between the function and the store: TLS, a latency that can be set, and a note of every request.
//!
//! Write units are the store's own word (`ConsumedCapacity`, which this asks for in the function's place). STS and
//! Connect answer here too, always well.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::serve::Listener;
use bytes::Bytes;
use serde_json::Value;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::{Result, failed, io};

/// One request to AWS as it was seen from outside the function.
#[derive(Debug, Clone)]
pub(super) struct Seen {
    pub(super) operation: String,
    pub(super) begun: Instant,
    pub(super) ended: Instant,
    pub(super) units: f64,
}

impl Seen {
    pub(super) fn is_of_the_store(&self) -> bool {
        self.operation.ends_with("Item")
    }

    pub(super) fn overlaps(&self, other: &Self) -> bool {
        self.begun < other.ended && other.begun < self.ended
    }

    pub(super) fn writes(&self) -> bool {
        matches!(
            self.operation.as_str(),
            "PutItem" | "UpdateItem" | "DeleteItem"
        )
    }
}

struct Shared {
    store: String,
    client: reqwest::Client,
    latency_us: AtomicU64,
    counting: AtomicBool,
    seen: Mutex<Vec<Seen>>,
}

#[derive(Clone)]
pub(super) struct Front {
    pub(super) endpoint: String,
    shared: Arc<Shared>,
}

impl Front {
    pub(super) async fn start(store: String, acceptor: TlsAcceptor) -> Result<Self> {
        let shared = Arc::new(Shared {
            store,
            client: reqwest::Client::builder()
                .no_proxy()
                .build()
                .map_err(failed)?,
            latency_us: AtomicU64::new(0),
            counting: AtomicBool::new(false),
            seen: Mutex::default(),
        });
        let router = Router::new().fallback(answer).with_state(shared.clone());
        let tls = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(io("listen"))?;
        let port = tls.local_addr().map_err(io("listen"))?.port();
        let front = Self {
            endpoint: format!("https://localhost:{port}"),
            shared,
        };
        tokio::spawn(axum::serve(Handshakes::new(tls, acceptor), router).into_future());
        Ok(front)
    }

    /// What a request waits before it is carried out.
    pub(super) fn latency(&self, latency: Duration) {
        let us = u64::try_from(latency.as_micros()).unwrap_or(u64::MAX);
        self.shared.latency_us.store(us, Ordering::Relaxed);
    }

    pub(super) fn count_from_now_on(&self) {
        self.take();
        self.shared.counting.store(true, Ordering::Relaxed);
    }

    /// All requests since the last time.
    pub(super) fn take(&self) -> Vec<Seen> {
        std::mem::take(
            &mut self
                .shared
                .seen
                .lock()
                .unwrap_or_else(PoisonError::into_inner),
        )
    }

    pub(super) fn stop_counting(&self) -> Vec<Seen> {
        self.shared.counting.store(false, Ordering::Relaxed);
        self.take()
    }
}

/// Connections whose handshake is done; the handshakes of several do not wait for each other.
struct Handshakes {
    done: mpsc::UnboundedReceiver<TlsStream<TcpStream>>,
    address: std::io::Result<std::net::SocketAddr>,
}

impl Handshakes {
    fn new(listener: TcpListener, acceptor: TlsAcceptor) -> Self {
        let (ready, done) = mpsc::unbounded_channel();
        let address = listener.local_addr();
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (ready, acceptor) = (ready.clone(), acceptor.clone());
                tokio::spawn(async move {
                    let quick = stream.set_nodelay(true);
                    if let (Ok(()), Ok(stream)) = (quick, acceptor.accept(stream).await) {
                        drop(ready.send(stream));
                    }
                });
            }
        });
        Self { done, address }
    }
}

impl Listener for Handshakes {
    type Io = TlsStream<TcpStream>;
    type Addr = ();

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.done.recv().await {
            Some(stream) => (stream, ()),
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        self.address
            .as_ref()
            .map(|_| ())
            .map_err(|error| error.kind().into())
    }
}

async fn answer(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let begun = Instant::now();
    let target = request
        .headers()
        .get("x-amz-target")
        .and_then(|target| target.to_str().ok());
    let target = target.map(ToOwned::to_owned);
    let path = request.uri().path().to_owned();
    let Ok(body) = axum::body::to_bytes(request.into_body(), usize::MAX).await else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let latency = Duration::from_micros(shared.latency_us.load(Ordering::Relaxed));
    if !latency.is_zero() {
        tokio::time::sleep(latency).await;
    }
    let counting = shared.counting.load(Ordering::Relaxed);
    let (operation, response, units) = match target {
        Some(target) => {
            let (response, units) = carry_out(&shared, &target, body, counting).await;
            (
                target.split('.').next_back().unwrap_or_default().to_owned(),
                response,
                units,
            )
        }
        None => {
            let (operation, response) = elsewhere(&path);
            (operation.to_owned(), response, 0.0)
        }
    };
    if counting {
        let seen = Seen {
            operation,
            begun,
            ended: Instant::now(),
            units,
        };
        shared
            .seen
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(seen);
    }
    response
}

async fn carry_out(shared: &Shared, target: &str, body: Bytes, counting: bool) -> (Response, f64) {
    let body = if counting {
        asking_for_units(&body)
    } else {
        body
    };
    let sent = shared
        .client
        .post(&shared.store)
        .header("x-amz-target", target)
        .header(header::CONTENT_TYPE, "application/x-amz-json-1.0")
        .headers(signed())
        .body(body)
        .send()
        .await;
    let Ok(answer) = sent else {
        return (StatusCode::BAD_GATEWAY.into_response(), 0.0);
    };
    let status = answer.status();
    let headers = answer.headers().clone();
    let Ok(body) = answer.bytes().await else {
        return (StatusCode::BAD_GATEWAY.into_response(), 0.0);
    };
    let units = if counting { units(&body) } else { 0.0 };
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in &headers {
        if name == header::CONTENT_TYPE || name.as_str().starts_with("x-amz") {
            response.headers_mut().insert(name.clone(), value.clone());
        }
    }
    (response, units)
}

/// The embedded store demands a signature, and does not check it.
pub(super) fn signed() -> HeaderMap {
    const SIGNATURE: &str = "AWS4-HMAC-SHA256 Credential=A/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0";
    let mut headers = HeaderMap::new();
    headers.insert(header::AUTHORIZATION, HeaderValue::from_static(SIGNATURE));
    headers.insert("x-amz-date", HeaderValue::from_static("20260101T000000Z"));
    headers
}

fn asking_for_units(body: &Bytes) -> Bytes {
    match body.strip_prefix(b"{") {
        Some(rest) => [b"{\"ReturnConsumedCapacity\":\"TOTAL\",", rest]
            .concat()
            .into(),
        None => body.clone(),
    }
}

fn units(body: &Bytes) -> f64 {
    let answer: Value = serde_json::from_slice(body).unwrap_or_default();
    answer["ConsumedCapacity"]["CapacityUnits"]
        .as_f64()
        .unwrap_or(0.0)
}

/// STS and Connect.
fn elsewhere(path: &str) -> (&'static str, Response) {
    const SESSION: &str = "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
        <Credentials><AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
        <SessionToken>token</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></Credentials>\
        </AssumeRoleResult></AssumeRoleResponse>";
    let json =
        |body: &'static str| ([(header::CONTENT_TYPE, "application/json")], body).into_response();
    match path {
        "/contact/stop" => ("StopContact", json("{}")),
        "/contact/task" => ("StartTaskContact", json("{\"ContactId\":\"task\"}")),
        _ => (
            "AssumeRole",
            ([(header::CONTENT_TYPE, "text/xml")], SESSION).into_response(),
        ),
    }
}
