//! The switch of the request quotas, and how large they are.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::stage::{Body, Refused};
use crate::world::World;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    enabled: bool,
    /// How many times the documented quotas.
    #[serde(default = "once")]
    scale: f64,
}

fn once() -> f64 {
    1.0
}

pub async fn show(State(world): State<Arc<World>>) -> Json<Value> {
    let (enabled, scale) = world.quotas.switched();
    Json(json!({ "enabled": enabled, "scale": scale }))
}

pub async fn switch(
    State(world): State<Arc<World>>,
    Body(to): Body<Switch>,
) -> Result<Json<Value>, Refused> {
    if !(to.scale > 0.0 && to.scale <= 1000.0) {
        return Err(Refused::invalid(
            "scale",
            "must be above 0 and at most 1000",
        ));
    }
    world.quotas.switch(to.enabled, to.scale);
    Ok(show(State(world)).await)
}
