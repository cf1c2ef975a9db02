//! DynamoDB and its streams: an embedded server for each account and region, behind our own signature and policy checks.
//!
//! The embedded server knows one account and region of its own; ARNs are translated on the way in and out, except in
//! operations that carry items, whose contents nobody may touch.

use std::collections::HashMap;
use std::path::PathBuf;

use dynoxide::Database;
use tokio::sync::Mutex;

use crate::aws::{AwsError, AwsRequest, AwsResponse};
use crate::world::{Context, World};

const TABLE_TARGET: &str = "DynamoDB_20120810.";
const STREAM_TARGET: &str = "DynamoDBStreams_20120810.";
/// How the embedded server's ARNs begin.
const EMBEDDED_ARN: &str = "arn:aws:dynamodb:dynoxide:000000000000:";

/// One running database for each account and region.
#[derive(Debug)]
pub struct State {
    /// Where databases are kept; in memory when not set.
    folder: Option<PathBuf>,
    http: reqwest::Client,
    running: Mutex<HashMap<(String, String), String>>,
}

impl State {
    pub fn new(folder: Option<PathBuf>) -> Self {
        Self {
            folder,
            http: reqwest::Client::builder().no_proxy().build().expect("a client without options"),
            running: Mutex::default(),
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
        let listener = tokio::net::TcpListener::bind(("127.0.0.1", 0)).await.map_err(internal)?;
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
    target.strip_prefix(TABLE_TARGET).or_else(|| target.strip_prefix(STREAM_TARGET))
}

pub async fn handle(world: &World, request: &AwsRequest) -> Result<AwsResponse, AwsError> {
    let resource = resource(request);
    let action = format!("dynamodb:{}", request.operation);
    world.authorize(&request.caller, &action, &[&resource], &Context::default())?;
    let address = world.dynamodb.address(&request.caller.account_id, &request.region).await?;
    let own_arn = own_arn(request);
    let body = translated(request, &request.body, &own_arn, EMBEDDED_ARN);
    let mut forwarded = world.dynamodb.http.post(address).body(body);
    for (name, value) in &request.headers {
        let of_the_connection = ["host", "content-length", "connection", "transfer-encoding", "accept-encoding"];
        if !of_the_connection.contains(&name.as_str()) {
            forwarded = forwarded.header(name, value);
        }
    }
    let answer = forwarded.send().await.map_err(internal)?;
    let status = answer.status().as_u16();
    let kept: Vec<(String, String)> = ["content-type", "x-amzn-requestid"]
        .into_iter()
        .filter_map(|name| Some((name.to_owned(), answer.headers().get(name)?.to_str().ok()?.to_owned())))
        .collect();
    let body = answer.bytes().await.map_err(internal)?;
    let body = translated(request, &body, EMBEDDED_ARN, &own_arn);
    Ok(AwsResponse { status, headers: kept, body: body.into() })
}

fn own_arn(request: &AwsRequest) -> String {
    format!("arn:aws:dynamodb:{}:{}:", request.region, request.caller.account_id)
}

fn translated(request: &AwsRequest, body: &[u8], from: &str, to: &str) -> Vec<u8> {
    match std::str::from_utf8(body) {
        Ok(text) if !carries_items(&request.operation) => text.replace(from, to).into_bytes(),
        _ => body.to_vec(),
    }
}

fn carries_items(operation: &str) -> bool {
    let beginnings = ["Batch", "Transact", "Execute"];
    let whole = ["GetItem", "PutItem", "UpdateItem", "DeleteItem", "Query", "Scan", "GetRecords"];
    whole.contains(&operation) || beginnings.iter().any(|beginning| operation.starts_with(beginning))
}

/// What the policies are asked about: the table or the stream, or all of them where the request names none.
fn resource(request: &AwsRequest) -> String {
    let named = |member: &str| {
        let body: serde_json::Value = serde_json::from_slice(&request.body).ok()?;
        Some(body.get(member)?.as_str()?.to_owned())
    };
    let own = own_arn(request);
    if let Some(stream) = named("StreamArn") {
        return stream;
    }
    match named("TableName").or_else(|| named("ResourceArn")) {
        Some(arn) if arn.starts_with("arn:") => arn,
        Some(table) if request.operation == "ListStreams" => format!("{own}table/{table}/stream/*"),
        Some(table) => format!("{own}table/{table}"),
        // A shard iterator is opaque; the stream it belongs to was checked when it was given out.
        None => format!("{own}table/*/stream/*"),
    }
}
