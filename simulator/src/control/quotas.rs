//! The switch of Connect's request quotas.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::stage::Body;
use crate::world::World;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    enabled: bool,
}

pub async fn show(State(world): State<Arc<World>>) -> Json<Value> {
    Json(json!({ "enabled": world.quotas.is_enabled() }))
}

pub async fn switch(State(world): State<Arc<World>>, Body(to): Body<Switch>) -> Json<Value> {
    world.quotas.set_enabled(to.enabled);
    show(State(world)).await
}
