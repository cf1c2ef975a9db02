//! The front door: one endpoint, told apart as AWS does by the service in the signature's credential scope.
//!
//! Every AWS request goes the same way: who signed it, which operation it is, what the service answers; and it leaves
//! one entry in the log however it ends.

mod connection;
mod receive;
mod render;

use std::io;
use std::sync::Arc;
use std::time::Instant;

use axum::Router;
use axum::extract::{ConnectInfo, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::any;
use tokio::net::TcpListener;
use tokio::time::sleep;

use crate::aws::{AwsError, AwsRequest, AwsResponse};
use crate::faults::Struck;
use crate::log::{Entry, parameters};
use crate::quotas::throttled;
use crate::stage::{self, Refused};
use crate::world::World;
use crate::{connect, control, dynamodb, lambda, sts};
use connection::{Cut, CuttableListener};
use receive::Rejected;
use serde_json::Value;

/// Serves until the listener fails.
pub async fn serve(listener: TcpListener, world: Arc<World>) -> io::Result<()> {
    let service = router(world).into_make_service_with_connect_info::<Cut>();
    axum::serve(CuttableListener(listener), service).await
}

fn router(world: Arc<World>) -> Router {
    Router::new()
        .merge(stage::router())
        .merge(control::router())
        .route("/_sim/{*rest}", any(unknown))
        .method_not_allowed_fallback(stage::method_not_allowed)
        .fallback(any(aws))
        .with_state(world)
}

async fn unknown() -> Refused {
    Refused::not_found("path")
}

/// What was begun is finished and recorded even when the client hangs up meanwhile, as in AWS.
async fn aws(
    State(world): State<Arc<World>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let request_id = world.ids.uuid().to_string();
    let request = match receive::receive(&world, request).await {
        Ok(request) => request,
        Err(rejected) => return reject(&world, *rejected, &request_id),
    };
    match tokio::spawn(async move { perform(&world, &request, &cut, &request_id).await }).await {
        Ok(answer) => render::response(answer),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Recorded too, without the parameters and the caller: nobody vouches for either.
fn reject(world: &World, rejected: Rejected, request_id: &str) -> Response {
    let answer = render::error(&rejected.service, &rejected.error, request_id)
        .with_header("x-amzn-requestid", request_id);
    world.log.push(Entry {
        at: world.clock.now(),
        service: rejected.service,
        operation: rejected.operation,
        account_id: String::new(),
        region: rejected.region,
        caller: String::new(),
        method: rejected.method,
        path: rejected.path,
        query: String::new(),
        parameters: Value::Null,
        status: answer.status,
        error: Some(rejected.error.code),
        ms: 0,
    });
    render::response(answer)
}

async fn perform(
    world: &Arc<World>,
    request: &AwsRequest,
    cut: &Cut,
    request_id: &str,
) -> AwsResponse {
    let started = Instant::now();
    let answer = answer(world, request, cut)
        .await
        .map_err(|error| as_switched(world, request, error));
    let error = answer.as_ref().err().map(|error| error.code.clone());
    let answer = answer.unwrap_or_else(|error| render::error(&request.service, &error, request_id));
    world
        .log
        .push(entry(world, request, answer.status, error, started));
    let has_own_id = answer
        .headers
        .iter()
        .any(|(name, _)| name == "x-amzn-requestid");
    if has_own_id {
        answer
    } else {
        answer.with_header("x-amzn-requestid", request_id)
    }
}

/// How StopContact names its throttling is not documented; a switch decides.
fn as_switched(world: &World, request: &AwsRequest, mut error: AwsError) -> AwsError {
    let unmodelled = request.service == "connect" && error.code == "TooManyRequestsException";
    if unmodelled
        && world
            .connect
            .lock()
            .behaviour
            .stop_contact_throttling_exception
    {
        "ThrottlingException".clone_into(&mut error.code);
    }
    error
}

/// Faults come before quotas: a fault that was ordered strikes whatever the rate.
async fn answer(
    world: &Arc<World>,
    request: &AwsRequest,
    cut: &Cut,
) -> Result<AwsResponse, AwsError> {
    let (service, operation, account_id) = (
        request.service.as_str(),
        request.operation.as_str(),
        request.caller.account_id.as_str(),
    );
    let struck = Struck {
        service,
        operation,
        account_id,
        path: &request.path,
        query: &request.query,
        body: &request.body,
    };
    let effects = world.faults.strike(&struck, &mut || world.ids.fraction());
    sleep(effects.delay).await;
    if let Some(hold) = effects.hold.as_ref().filter(|hold| !hold.performed) {
        world.holds.keep(&struck, hold).await;
        cut.now();
        return Err(AwsError::new(
            503,
            "ServiceUnavailable",
            "Dropped after it was held",
        ));
    }
    if let Some(error) = effects.refuse {
        return Err(error);
    }
    if let Some(late) = effects.late {
        let (world, request) = (world.clone(), request.clone());
        tokio::spawn(async move {
            sleep(late).await;
            dispatch(&world, &request).await
        });
        cut.now();
        return Err(AwsError::new(
            503,
            "ServiceUnavailable",
            "Left under way when its connection was cut",
        ));
    }
    let now = world.clock.now();
    if !world
        .quotas
        .take(service, operation, account_id, &request.region, now)
    {
        return Err(throttled(service, operation));
    }
    let answer = dispatch(world, request).await;
    if let Some(hold) = &effects.hold {
        world.holds.keep(&struck, hold).await;
    }
    if effects.lose_response || effects.hold.is_some() {
        cut.now();
    }
    answer
}

async fn dispatch(world: &Arc<World>, request: &AwsRequest) -> Result<AwsResponse, AwsError> {
    if request.operation.is_empty() {
        let message = format!(
            "The simulator does not have this operation of {}",
            request.service
        );
        let (status, code) = match request.service.as_str() {
            "sts" => (400, "InvalidAction"),
            "dynamodb" => (400, "UnknownOperationException"),
            _ => (404, "UnknownOperationException"),
        };
        return Err(AwsError::new(status, code, message));
    }
    match request.service.as_str() {
        "connect" => connect::handle(world, request),
        "lambda" => lambda::handle(world, request).await,
        "sts" => sts::handle(world, request),
        _ => dynamodb::handle(world, request).await,
    }
}

fn entry(
    world: &World,
    request: &AwsRequest,
    status: u16,
    error: Option<String>,
    started: Instant,
) -> Entry {
    Entry {
        at: world.clock.now(),
        service: request.service.clone(),
        operation: request.operation.clone(),
        account_id: request.caller.account_id.clone(),
        region: request.region.clone(),
        caller: request.caller.arn.clone(),
        method: request.method.clone(),
        path: request.path.clone(),
        query: request.query.clone(),
        parameters: parameters(request.header("content-type"), &request.body),
        status,
        error,
        ms: u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
    }
}
