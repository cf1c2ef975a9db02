//! Rules by which requests fail, and the requests that are held by one.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::faults::{Kind, Rule};
use crate::stage::{Asked, Body, Refused};
use crate::world::World;

pub async fn list(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "data": world.faults.list(), "struck": world.faults.struck() }))
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

/// Of which rules to clear; absent means all.
#[derive(Debug, Deserialize)]
pub struct About {
    containing: Option<String>,
    kind: Option<Kind>,
}

pub async fn clear(State(world): State<Arc<World>>, Asked(about): Asked<About>) -> Json<Value> {
    world.faults.clear(about.containing.as_deref(), about.kind);
    list(State(world)).await
}

pub async fn held(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "data": world.holds.list() }))
}

pub async fn let_go(
    State(world): State<Arc<World>>,
    Path(id): Path<u64>,
) -> Result<Json<Value>, Refused> {
    if !world.holds.release(id) {
        return Err(Refused::not_found("id"));
    }
    Ok(held(State(world)).await)
}
