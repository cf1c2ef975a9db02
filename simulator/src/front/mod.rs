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
use axum::response::Response;
use axum::routing::any;
use tokio::net::TcpListener;

use crate::aws::{AwsError, AwsRequest, AwsResponse};
use crate::log::{Entry, parameters};
use crate::world::World;
use crate::{connect, lambda, stage};
use connection::{Cut, CuttableListener};

/// Serves until the listener fails.
pub async fn serve(listener: TcpListener, world: Arc<World>) -> io::Result<()> {
    let service = router(world).into_make_service_with_connect_info::<Cut>();
    axum::serve(CuttableListener(listener), service).await
}

fn router(world: Arc<World>) -> Router {
    Router::new()
        .merge(stage::router())
        .fallback(any(aws))
        .with_state(world)
}

async fn aws(
    State(world): State<Arc<World>>,
    ConnectInfo(cut): ConnectInfo<Cut>,
    request: Request,
) -> Response {
    let started = Instant::now();
    let request = match receive::receive(&world, request).await {
        Ok(request) => request,
        Err((service, error)) => return render::response(render::error(&service, &error)),
    };
    let answer = answer(&world, &request, &cut).await;
    let error = answer.as_ref().err().map(|error| error.code.clone());
    let answer = answer.unwrap_or_else(|error| render::error(&request.service, &error));
    world
        .log
        .push(entry(&world, &request, answer.status, error, started));
    render::response(answer)
}

async fn answer(
    world: &Arc<World>,
    request: &AwsRequest,
    _cut: &Cut,
) -> Result<AwsResponse, AwsError> {
    dispatch(world, request).await
}

async fn dispatch(world: &Arc<World>, request: &AwsRequest) -> Result<AwsResponse, AwsError> {
    match request.service.as_str() {
        "connect" => connect::handle(world, request).await,
        "lambda" => lambda::handle(world, request).await,
        other => Err(AwsError::new(
            404,
            "UnknownOperationException",
            format!("The simulator has no service {other}"),
        )),
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
