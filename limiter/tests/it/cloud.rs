//! One endpoint for everything: DynamoDB (handed on to an embedded one), STS and Connect (doubled). Requests are noted;
//! faults are struck in the order in which they were laid.

use std::collections::HashMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use dynoxide::Database;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;

use crate::http::{self, Request, Response};

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Fault {
    /// No answer for longer than anybody waits.
    Hang,
    Refuse(u16, &'static str),
    /// What was asked for is done, and the connection cut before the answer.
    LoseAnswer,
}

#[derive(Clone, Debug)]
pub struct Seen {
    pub operation: String,
    /// The one that it was signed for.
    pub region: String,
    pub body: Value,
}

/// Keeps back the first requests of an operation in which a text stands, until they are let go.
pub struct Hold {
    operation: &'static str,
    containing: String,
    most: usize,
    let_go: watch::Sender<bool>,
    waiting: AtomicUsize,
    answered: AtomicUsize,
}

impl Hold {
    pub fn waiting(&self) -> usize {
        self.waiting.load(Ordering::SeqCst)
    }

    pub fn let_go(&self) {
        self.let_go.send_replace(true);
    }

    /// How many of the requests that were let go the store has answered.
    pub fn answered(&self) -> usize {
        self.answered.load(Ordering::SeqCst)
    }

    fn keeps(&self, operation: &str, body: &[u8]) -> bool {
        self.operation == operation
            && self.waiting() < self.most
            && String::from_utf8_lossy(body).contains(&self.containing)
    }

    async fn wait(&self) {
        self.waiting.fetch_add(1, Ordering::SeqCst);
        self.let_go
            .subscribe()
            .wait_for(|gone| *gone)
            .await
            .unwrap();
    }
}

struct State {
    store: String,
    /// By region; every other region's requests go to `store`.
    abroad: Mutex<HashMap<String, String>>,
    client: reqwest::Client,
    faults: Mutex<Vec<(String, Fault, usize)>>,
    seen: Mutex<Vec<Seen>>,
    held: Mutex<Vec<Arc<Hold>>>,
    tasks: Mutex<HashMap<String, String>>,
}

#[derive(Clone)]
pub struct Cloud {
    pub endpoint: String,
    state: Arc<State>,
}

impl Cloud {
    pub async fn start() -> Self {
        let store = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let front = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let state = Arc::new(State {
            store: format!("http://{}", store.local_addr().unwrap()),
            abroad: Mutex::default(),
            client: reqwest::Client::new(),
            faults: Mutex::default(),
            seen: Mutex::default(),
            held: Mutex::default(),
            tasks: Mutex::default(),
        });
        let endpoint = format!("http://{}", front.local_addr().unwrap());
        tokio::spawn(dynoxide::server::serve_on(
            store,
            Database::memory().unwrap(),
        ));
        let accepting = state.clone();
        tokio::spawn(async move {
            while let Ok((stream, _)) = front.accept().await {
                tokio::spawn(serve(stream, accepting.clone()));
            }
        });
        Self { endpoint, state }
    }

    /// Gives a region a store of its own.
    pub async fn open_region(&self, region: &str) {
        let store = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", store.local_addr().unwrap());
        let database = Database::memory().unwrap();
        tokio::spawn(dynoxide::server::serve_on(store, database));
        let mut abroad = self.state.abroad.lock().unwrap();
        abroad.insert(region.to_owned(), url);
    }

    /// The next `count` requests of an operation meet this fault.
    pub fn fault(&self, operation: &str, fault: Fault, count: usize) {
        self.state
            .faults
            .lock()
            .unwrap()
            .push((operation.to_owned(), fault, count));
    }

    pub fn hold(&self, operation: &'static str, containing: &str) -> Arc<Hold> {
        self.hold_first(usize::MAX, operation, containing)
    }

    /// Holds so many requests, and lets further ones pass.
    pub fn hold_first(&self, most: usize, operation: &'static str, containing: &str) -> Arc<Hold> {
        let hold = Arc::new(Hold {
            operation,
            containing: containing.to_owned(),
            most,
            let_go: watch::Sender::new(false),
            waiting: AtomicUsize::new(0),
            answered: AtomicUsize::new(0),
        });
        self.state.held.lock().unwrap().push(hold.clone());
        hold
    }

    pub fn mend(&self) {
        self.state.faults.lock().unwrap().clear();
    }

    pub fn seen(&self, operation: &str) -> Vec<Seen> {
        let seen = self.state.seen.lock().unwrap();
        seen.iter()
            .filter(|seen| seen.operation == operation)
            .cloned()
            .collect()
    }

    pub fn forget(&self) {
        self.state.seen.lock().unwrap().clear();
    }

    pub fn tasks(&self) -> usize {
        self.state.tasks.lock().unwrap().len()
    }
}

async fn serve(mut stream: TcpStream, state: Arc<State>) {
    while let Some(request) = http::read(&mut stream).await {
        let Some(response) = answer(&request, &state).await else {
            return;
        };
        if http::write(&mut stream, &response).await.is_err() {
            return;
        }
    }
}

fn region(request: &Request) -> Option<&str> {
    let (_, scope) = request
        .headers
        .get("authorization")?
        .split_once("Credential=")?;
    scope.split('/').nth(2)
}

fn operation(request: &Request) -> String {
    match (
        request.headers.get("x-amz-target"),
        request.path.split('?').next().unwrap(),
    ) {
        (Some(target), _) => target.split('.').next_back().unwrap().to_owned(),
        (None, "/contact/stop") => "StopContact".to_owned(),
        (None, "/contact/task") => "StartTaskContact".to_owned(),
        (None, _) => "AssumeRole".to_owned(),
    }
}

impl State {
    fn strike(&self, operation: &str) -> Option<Fault> {
        let mut faults = self.faults.lock().unwrap();
        let (_, fault, left) = faults
            .iter_mut()
            .find(|(name, _, left)| name == operation && *left > 0)?;
        *left -= 1;
        Some(*fault)
    }
}

/// Nothing where the connection is to be cut.
async fn answer(request: &Request, state: &State) -> Option<Response> {
    let operation = operation(request);
    let body = match operation.as_str() {
        "AssumeRole" => form(&request.body),
        _ => serde_json::from_slice(&request.body).unwrap_or(Value::Null),
    };
    state.seen.lock().unwrap().push(Seen {
        operation: operation.clone(),
        region: region(request).unwrap_or_default().to_owned(),
        body: body.clone(),
    });
    let mut holds = state.held.lock().unwrap().clone();
    holds.retain(|hold| hold.keeps(&operation, &request.body));
    for hold in &holds {
        hold.wait().await;
    }
    let fault = state.strike(&operation);
    match fault {
        Some(Fault::Hang) => {
            tokio::time::sleep(Duration::from_secs(60)).await;
            return None;
        }
        Some(Fault::Refuse(status, code)) => return Some(refusal(&operation, status, code)),
        Some(Fault::LoseAnswer) | None => {}
    }
    let response = match operation.as_str() {
        "AssumeRole" => Response::new(200, "text/xml", assumed(state)),
        "StopContact" => Response::new(200, "application/json", "{}"),
        "StartTaskContact" => {
            let token = body["ClientToken"].as_str().unwrap().to_owned();
            let mut tasks = state.tasks.lock().unwrap();
            let number = tasks.len();
            let id = tasks
                .entry(token)
                .or_insert_with(|| format!("task-{number}"))
                .clone();
            Response::new(
                200,
                "application/json",
                json!({"ContactId": id}).to_string(),
            )
        }
        _ => stored(request, state).await,
    };
    for hold in &holds {
        hold.answered.fetch_add(1, Ordering::SeqCst);
    }
    (fault != Some(Fault::LoseAnswer)).then_some(response)
}

fn refusal(operation: &str, status: u16, code: &str) -> Response {
    if operation == "AssumeRole" {
        let error = format!("<Code>{code}</Code><Message>number +12065550100</Message>");
        return Response::new(
            status,
            "text/xml",
            format!("<ErrorResponse><Error>{error}</Error></ErrorResponse>"),
        );
    }
    let body = json!({"__type": code, "message": "something about +12065550100"}).to_string();
    let mut response = Response::new(status, "application/json", body);
    response.headers.push(("x-amzn-errortype", code.to_owned()));
    response
}

/// Each session ends an hour after the one before it.
fn assumed(state: &State) -> String {
    let seen = state.seen.lock().unwrap();
    let sessions = seen
        .iter()
        .filter(|seen| seen.operation == "AssumeRole")
        .count();
    let start: jiff::Timestamp = "2026-11-25T18:00:00Z".parse().unwrap();
    let ends_at = start + jiff::SignedDuration::from_hours(sessions as i64);
    let credentials = format!(
        "<AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey>\
         <SessionToken>token</SessionToken><Expiration>{ends_at}</Expiration>"
    );
    format!(
        "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult>\
         <Credentials>{credentials}</Credentials></AssumeRoleResult></AssumeRoleResponse>"
    )
}

fn form(body: &[u8]) -> Value {
    let text = String::from_utf8_lossy(body).into_owned();
    let url = reqwest::Url::parse(&format!("http://form/?{text}")).unwrap();
    url.query_pairs()
        .map(|(name, value)| (name.into_owned(), Value::String(value.into_owned())))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

async fn stored(request: &Request, state: &State) -> Response {
    let abroad =
        region(request).and_then(|region| state.abroad.lock().unwrap().get(region).cloned());
    let store = abroad.unwrap_or_else(|| state.store.clone());
    let mut handed_on = state.client.post(store).body(request.body.clone());
    for name in [
        "x-amz-target",
        "content-type",
        "authorization",
        "x-amz-date",
    ] {
        if let Some(value) = request.headers.get(name) {
            handed_on = handed_on.header(name, value);
        }
    }
    let answer = handed_on.send().await.unwrap();
    let status = answer.status().as_u16();
    Response::new(
        status,
        "application/x-amz-json-1.0",
        answer.bytes().await.unwrap().to_vec(),
    )
}
