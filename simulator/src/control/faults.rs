//! Rules by which requests fail.

use std::sync::Arc;

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Json;
use serde_json::{Value, json};

use crate::faults::Rule;
use crate::stage::{Body, Refused};
use crate::world::World;

pub async fn list(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "data": world.faults.list() }))
}

pub async fn add(
    State(world): State<Arc<World>>,
    Body(rule): Body<Rule>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    world
        .faults
        .add(rule)
        .map_err(|bad| Refused::invalid(bad.field, bad.message))?;
    Ok((StatusCode::CREATED, list(State(world)).await))
}

pub async fn clear(State(world): State<Arc<World>>) -> Json<Value> {
    world.faults.clear();
    list(State(world)).await
}
