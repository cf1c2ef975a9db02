//! DynamoDB and its streams: an embedded server for each account and region, behind our own signature and policy checks.
//! Failure: what the embedded server cannot do is an `InternalServerError`.

mod rights;
mod translation;

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::{Mutex as StdMutex, PoisonError};

use dynoxide::Database;
use serde_json::Value;
use tokio::sync::Mutex;

use crate::aws::{AwsError, AwsRequest, AwsResponse};
use crate::world::{Context, World};
use translation::Translation;

const TABLE_TARGET: &str = "DynamoDB_20120810.";
const STREAM_TARGET: &str = "DynamoDBStreams_20120810.";

/// One running database for each account and region.
#[derive(Debug)]
pub struct State {
    /// Where databases are kept; in memory when not set.
    folder: Option<PathBuf>,
    http: reqwest::Client,
    running: Mutex<HashMap<(String, String), String>>,
    /// Streams that iterators were asked for, by table: an iterator itself does not say which stream it is of.
    streams: StdMutex<HashMap<String, String>>,
}

impl State {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            http: reqwest::Client::builder()
                .no_proxy()
                .build()
                .expect("a client without options"),
            running: Mutex::default(),
            streams: StdMutex::default(),
        }
    }

    /// The address of the account's database in the region, started when first asked for.
    async fn address(&self, account_id: &str, region: &str) -> Result<String, AwsError> {
        let mut running = self.running.lock().await;
        let key = (account_id.to_owned(), region.to_owned());
        if let Some(address) = running.get(&key) {
            return Ok(address.clone());
        }
        let database = match &self.folder {
            None => Database::memory(),
            Some(folder) => {
                std::fs::create_dir_all(folder).map_err(internal)?;
                let file = folder.join(format!("dynamodb-{account_id}-{region}.sqlite"));
                Database::new(&file.to_string_lossy())
            }
        };
        let database = database.map_err(internal)?;
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(internal)?;
        let address = format!("http://{}/", listener.local_addr().map_err(internal)?);
        tokio::spawn(dynoxide::server::serve_on(listener, database));
        running.insert(key, address.clone());
        Ok(address)
    }
}

fn internal(error: impl std::fmt::Display) -> AwsError {
    AwsError::new(500, "InternalServerError", error.to_string())
}

/// The operation that the target header names.
pub fn operation(target: &str) -> Option<&str> {
    target
        .strip_prefix(TABLE_TARGET)
        .or_else(|| target.strip_prefix(STREAM_TARGET))
}

pub async fn handle(world: &World, request: &AwsRequest) -> Result<AwsResponse, AwsError> {
    let own_arn = own_arn(request);
    let asked: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    authorize(world, request, &asked, &own_arn)?;
    let translation = Translation::new(&request.operation, &asked, &own_arn);
    let address = world
        .dynamodb
        .address(&request.caller.account_id, &request.region)
        .await?;
    let body = translation.inwards(&request.body, asked);
    let mut forwarded = world.dynamodb.http.post(address).body(body);
    for (name, value) in &request.headers {
        let of_the_connection = [
            "host",
            "content-length",
            "connection",
            "transfer-encoding",
            "accept-encoding",
        ];
        if !of_the_connection.contains(&name.as_str()) {
            forwarded = forwarded.header(name, value);
        }
    }
    let answer = forwarded.send().await.map_err(internal)?;
    let status = answer.status().as_u16();
    let kept: Vec<(String, String)> = ["content-type", "x-amzn-requestid"]
        .into_iter()
        .filter_map(|name| {
            Some((
                name.to_owned(),
                answer.headers().get(name)?.to_str().ok()?.to_owned(),
            ))
        })
        .collect();
    let body = answer.bytes().await.map_err(internal)?;
    Ok(AwsResponse {
        status,
        headers: kept,
        body: translation.outwards(&body).into(),
    })
}

fn own_arn(request: &AwsRequest) -> String {
    format!(
        "arn:aws:dynamodb:{}:{}:",
        request.region, request.caller.account_id
    )
}

fn authorize(
    world: &World,
    request: &AwsRequest,
    asked: &Value,
    own_arn: &str,
) -> Result<(), AwsError> {
    let streams = || {
        let streams = &world.dynamodb.streams;
        streams.lock().unwrap_or_else(PoisonError::into_inner)
    };
    let stream_of = |name: &str| streams().get(&format!("{own_arn}table/{name}")).cloned();
    for needed in rights::needed(&request.operation, asked, own_arn, stream_of) {
        world.authorize(
            &request.caller,
            &needed.action,
            &[&needed.resource],
            &Context::default(),
        )?;
    }
    if let ("GetShardIterator", Some(stream)) =
        (request.operation.as_str(), asked["StreamArn"].as_str())
        && let Some((table, _)) = stream.split_once("/stream/")
    {
        streams().insert(table.to_owned(), stream.to_owned());
    }
    Ok(())
}
