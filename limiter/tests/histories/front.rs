//! One endpoint for all that limiters talk to: an embedded DynamoDB behind the history's troubles, and doubles of STS and
//! Connect.

use std::collections::HashMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use dynoxide::Database;
use dynoxide::errors::DynoxideError;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::net::{TcpListener, TcpStream};

use crate::faults::Trouble;
use crate::history::Contact;
use crate::http::{self, Request, Response};
use crate::names::{contact_of, contact_of_id, history_of};
use crate::stage::Stage;

struct Shared {
    database: Database,
    stages: Mutex<HashMap<u32, Arc<Stage>>>,
}

#[derive(Clone)]
pub struct Front {
    pub endpoint: String,
    shared: Arc<Shared>,
}

/// What a request is about, as far as troubles and tapes need to know.
struct Subject {
    stage: Arc<Stage>,
    contact: Option<Contact>,
    identity: String,
}

impl Front {
    pub async fn open() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let shared = Arc::new(Shared {
            database: Database::memory().unwrap(),
            stages: Mutex::default(),
        });
        let front = Self {
            endpoint: format!("http://{}", listener.local_addr().unwrap()),
            shared: shared.clone(),
        };
        for table in [
            "ringfence-policies",
            "ringfence-meters",
            "ringfence-decisions",
        ] {
            front.ask(
                "CreateTable",
                &json!({
                    "TableName": table, "BillingMode": "PAY_PER_REQUEST",
                    "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                    "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}]
                }),
            );
        }
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(serve(stream, shared.clone()));
            }
        });
        front
    }

    pub fn open_stage(&self, history: u32, stage: &Arc<Stage>) {
        let mut stages = self.shared.stages.lock().unwrap();
        stages.insert(history, stage.clone());
    }

    pub fn close_stage(&self, history: u32) {
        self.shared.stages.lock().unwrap().remove(&history);
    }

    /// Straight to the store, past all troubles.
    pub fn ask(&self, operation: &str, body: &Value) -> Value {
        let (status, answer) = store(&self.shared.database, operation, &body.to_string());
        assert_eq!(status, 200, "{operation} refused: {answer}");
        serde_json::from_str(&answer).unwrap()
    }
}

async fn serve(mut stream: TcpStream, shared: Arc<Shared>) {
    while let Some(request) = http::read(&mut stream).await {
        let Some(response) = answer(&request, &shared).await else {
            return;
        };
        if http::write(&mut stream, &response).await.is_err() {
            return;
        }
    }
}

/// Nothing where the connection is to be cut.
async fn answer(request: &Request, shared: &Arc<Shared>) -> Option<Response> {
    let Some(target) = request.headers.get("x-amz-target") else {
        return Some(control(request, shared));
    };
    let operation = target.split('.').next_back().unwrap_or_default();
    let body: Value = serde_json::from_slice(&request.body).ok()?;
    let text = String::from_utf8_lossy(&request.body).into_owned();
    let Some(subject) = subject(operation, &body, shared) else {
        // A straggler of a history that is over.
        let (status, answer) = store(&shared.database, operation, &text);
        return Some(Response::new(status, "application/x-amz-json-1.0", answer));
    };
    let fate = subject.stage.arrives(&subject.identity, subject.contact);
    pause(fate.delay_before_ms).await;
    let done = match fate.trouble {
        Some(Trouble::Refused(status, code)) => Some((
            status,
            json!({"__type": code, "message": "as arranged"}).to_string(),
        )),
        Some(Trouble::Cut | Trouble::KilledBefore) => None,
        Some(Trouble::CarriedOutLate(ms)) => {
            let (shared, operation) = (shared.clone(), operation.to_owned());
            tokio::spawn(async move {
                pause(ms).await;
                let (status, _) = store(&shared.database, &operation, &text);
                note(&subject, &operation, &body, status);
                subject.stage.departs();
            });
            return None;
        }
        Some(Trouble::AnswerLost | Trouble::KilledAfter) | None => {
            let done = store(&shared.database, operation, &text);
            note(&subject, operation, &body, done.0);
            Some(done)
        }
    };
    subject.stage.departs();
    if let (Some(Trouble::KilledBefore | Trouble::KilledAfter), Some(contact)) =
        (fate.trouble, subject.contact)
    {
        subject.stage.kill(contact);
    }
    if matches!(
        fate.trouble,
        Some(Trouble::AnswerLost | Trouble::KilledAfter)
    ) {
        return None;
    }
    pause(fate.delay_after_ms).await;
    let (status, answer) = done?;
    Some(Response::new(status, "application/x-amz-json-1.0", answer))
}

/// Lets requests overtake one another; nothing waits for a time to have passed.
async fn pause(ms: u64) {
    if ms > 0 {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
}

fn note(subject: &Subject, operation: &str, body: &Value, status: u16) {
    let table = body["TableName"].as_str().unwrap_or_default();
    if let (Some(key), 200) = (key(body), status) {
        match (operation, table) {
            ("UpdateItem", "ringfence-meters") => subject.stage.meter_seen(key),
            ("PutItem", "ringfence-decisions") => subject.stage.record_seen(key),
            _ => {}
        }
    }
    subject
        .stage
        .note(format!("{} -> {status}", subject.identity));
}

fn key(body: &Value) -> Option<&str> {
    body["Key"]["pk"]["S"]
        .as_str()
        .or(body["Item"]["pk"]["S"].as_str())
}

fn subject(operation: &str, body: &Value, shared: &Shared) -> Option<Subject> {
    let key = key(body)?;
    let update = body["UpdateExpression"].as_str().unwrap_or_default();
    let contact = match operation {
        "PutItem" | "UpdateItem" if key.contains('#') => {
            key.split('#').nth(1).and_then(contact_of_id)
        }
        "UpdateItem" if update.starts_with("SET") => entry_written(body),
        _ => None,
    };
    let history = history_of(key).or(contact.map(|(history, _)| history))?;
    let stage = shared.stages.lock().unwrap().get(&history)?.clone();
    let contact = contact.map(|(_, contact)| contact);
    let what = match update {
        "" => operation.to_owned(),
        _ if update.contains("list_append") => "append".to_owned(),
        _ => update.split(' ').next().unwrap_or_default().to_owned(),
    };
    let meter = key.split_once("history-").map_or(key, |(_, rest)| rest);
    let identity = format!("{what} {meter} for {contact:?}");
    Some(Subject {
        stage,
        contact,
        identity,
    })
}

/// Whose entry an update appends or changes.
fn entry_written(body: &Value) -> Option<(u32, Contact)> {
    let values = body["ExpressionAttributeValues"].as_object()?;
    let written = values
        .iter()
        .find_map(|(name, value)| match name.as_str() {
            ":entry" => value["L"][0]["B"].as_str(),
            name if name.starts_with(":new") => value["B"].as_str(),
            _ => None,
        })?;
    contact_of(BASE64_STANDARD.decode(written).ok()?.get(7..)?)
}

fn control(request: &Request, shared: &Shared) -> Response {
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    match request.path.split('?').next() {
        Some("/contact/stop") => {
            let contact = body["ContactId"].as_str().and_then(contact_of_id);
            let refusal = contact.and_then(|(history, contact)| {
                let stage = shared.stages.lock().unwrap().get(&history).cloned();
                stage.and_then(|stage| stage.stops(contact))
            });
            match refusal {
                None => Response::new(200, "application/json", "{}"),
                Some((status, code)) => {
                    let mut response = Response::new(
                        status,
                        "application/json",
                        json!({"message": "no"}).to_string(),
                    );
                    response.headers.push(("x-amzn-errortype", code.to_owned()));
                    response
                }
            }
        }
        Some("/contact/task") => {
            let task = json!({"ContactId": body["ClientToken"]}).to_string();
            Response::new(200, "application/json", task)
        }
        _ => Response::new(
            200,
            "text/xml",
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>token</SessionToken>\
             <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
        ),
    }
}

fn store(database: &Database, operation: &str, body: &str) -> (u16, String) {
    fn run<A: DeserializeOwned, B: Serialize>(
        body: &str,
        run: impl FnOnce(A) -> Result<B, DynoxideError>,
    ) -> (u16, String) {
        let done = serde_json::from_str(body)
            .map_err(|err| DynoxideError::ValidationException(err.to_string()))
            .and_then(run);
        match done {
            Ok(answer) => (200, serde_json::to_string(&answer).unwrap()),
            Err(err) => (err.status_code(), err.to_json()),
        }
    }
    match operation {
        "UpdateItem" => run(body, |request| database.update_item(request)),
        "PutItem" => run(body, |request| database.put_item(request)),
        "GetItem" => run(body, |request| database.get_item(request)),
        "DeleteItem" => run(body, |request| database.delete_item(request)),
        "CreateTable" => run(body, |request| database.create_table(request)),
        other => (
            400,
            json!({"__type": "UnknownOperationException", "message": other}).to_string(),
        ),
    }
}
