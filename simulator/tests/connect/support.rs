//! A running simulator for tests, and a client that signs as AWS clients do.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4;
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

pub const OPERATOR: &str = "999988887777";
pub const CUSTOMER: &str = "111122223333";
pub const REGION: &str = "us-east-1";

/// The real binary on a free port; ended with the test.
pub struct Simulator {
    pub endpoint: String,
    pub child: Child,
    http: reqwest::Client,
}

/// What a request is signed with.
#[derive(Debug, Clone)]
pub struct Keys {
    pub id: String,
    pub secret: String,
    pub token: Option<String>,
}

/// An answer of a service.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub error: Option<String>,
    pub headers: reqwest::header::HeaderMap,
    pub body: Value,
}

impl Simulator {
    pub async fn start() -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_ringfence-sim"))
            .args(["serve", "--port", "0"])
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("start the simulator");
        let mut lines = BufReader::new(child.stdout.take().expect("stdout")).lines();
        let line = tokio::time::timeout(Duration::from_secs(20), lines.next_line())
            .await
            .expect("ready in time");
        let ready: Value =
            serde_json::from_str(&line.expect("read").expect("a line")).expect("JSON");
        let endpoint = ready["endpoint"].as_str().expect("endpoint").to_owned();
        Self {
            endpoint,
            child,
            http: reqwest::Client::new(),
        }
    }

    /// With quotas off, for tests that are not about them.
    pub async fn without_quotas() -> Self {
        let simulator = Self::start().await;
        let (status, body) = simulator
            .post("/_sim/quotas", json!({"enabled": false}))
            .await;
        assert_eq!(status, 200, "{body}");
        simulator
    }

    pub async fn post(&self, path: &str, body: Value) -> (u16, Value) {
        read(
            self.http
                .post(format!("{}{path}", self.endpoint))
                .json(&body),
        )
        .await
    }

    pub async fn get(&self, path: &str) -> Value {
        let (status, body) = read(self.http.get(format!("{}{path}", self.endpoint))).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    /// A control call that has to succeed.
    pub async fn make(&self, path: &str, body: Value) -> Value {
        let (status, answer) = self.post(path, body).await;
        assert!((200..300).contains(&status), "{path}: {status} {answer}");
        answer
    }

    pub async fn account(&self, account_id: &str) -> Keys {
        let keys = self
            .make("/_sim/accounts", json!({"account_id": account_id}))
            .await;
        let text = |name: &str| keys[name].as_str().expect("key").to_owned();
        Keys {
            id: text("access_key_id"),
            secret: text("secret_access_key"),
            token: None,
        }
    }

    pub async fn connect(&self, keys: &Keys, method: &str, path: &str, body: Value) -> Answer {
        self.aws(keys, "connect", method, path, &[], body).await
    }

    pub async fn lambda(&self, keys: &Keys, method: &str, path: &str, body: Value) -> Answer {
        self.aws(
            keys,
            "lambda",
            method,
            &format!("/2015-03-31/functions/{path}"),
            &[],
            body,
        )
        .await
    }

    /// A signed request; `path` is percent-encoded already, a null body is none.
    pub async fn aws(
        &self,
        keys: &Keys,
        service: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Value,
    ) -> Answer {
        let url = format!("{}{path}", self.endpoint);
        let body = if body.is_null() {
            Vec::new()
        } else {
            body.to_string().into_bytes()
        };
        let mut headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        headers.push(("content-type".to_owned(), "application/json".to_owned()));
        headers.extend(signature(keys, service, method, &url, &headers, &body));
        let mut request = self
            .http
            .request(method.parse().expect("method"), &url)
            .body(body);
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let response = request.send().await.expect("answer");
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let error = headers
            .get("x-amzn-errortype")
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        let bytes = response.bytes().await.expect("body");
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).expect("JSON")
        };
        Answer {
            status,
            error,
            headers,
            body,
        }
    }

    /// Asks until the condition holds, for ten seconds at most.
    pub async fn until(&self, path: &str, holds: impl Fn(&Value) -> bool) -> Value {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let seen = self.get(path).await;
            if holds(&seen) {
                return seen;
            }
            assert!(Instant::now() < deadline, "{path} stays at {seen}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The path of the function that does what its event says.
pub fn echo_function() -> PathBuf {
    let mut folder = std::env::current_exe().expect("own path");
    folder.pop();
    folder.pop();
    let path = folder.join("examples").join("echo-function");
    assert!(
        path.exists(),
        "{} is missing: run `cargo build -p ringfence-simulator --examples`",
        path.display()
    );
    path
}

async fn read(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.expect("answer");
    let status = response.status().as_u16();
    let bytes = response.bytes().await.expect("body");
    (
        status,
        serde_json::from_slice(&bytes)
            .unwrap_or_else(|_| panic!("not JSON: {}", String::from_utf8_lossy(&bytes))),
    )
}

#[expect(
    clippy::disallowed_methods,
    reason = "a client signs with the machine's time"
)]
fn signature(
    keys: &Keys,
    service: &str,
    method: &str,
    url: &str,
    headers: &[(String, String)],
    body: &[u8],
) -> Vec<(String, String)> {
    let identity =
        Credentials::new(&keys.id, &keys.secret, keys.token.clone(), None, "test").into();
    let parameters = v4::SigningParams::builder()
        .identity(&identity)
        .region(REGION)
        .name(service)
        .time(SystemTime::now())
        .settings(SigningSettings::default())
        .build()
        .expect("parameters")
        .into();
    let headers = headers
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()));
    let request =
        SignableRequest::new(method, url, headers, SignableBody::Bytes(body)).expect("signable");
    let (instructions, _) = sign(request, &parameters).expect("signature").into_parts();
    instructions
        .headers()
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
