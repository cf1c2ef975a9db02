//! What the control API does: make instances and functions, dial, finish tasks, set switches.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Body, Refused};
use crate::calls::{self, CallRequest};
use crate::connect::behaviour::Behaviour;
use crate::connect::create_instance::{self, NewInstance, NewQueue};
use crate::lambda::create_function::{self, NewFunction};
use crate::world::World;

pub async fn create_instance(
    State(world): State<Arc<World>>,
    Body(new): Body<NewInstance>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let made = create_instance::create(&world, &new)
        .map_err(|refusal| Refused::invalid(refusal.field, refusal.message))?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// A queue to open in an instance that is there.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LaterQueue {
    instance_arn: String,
    name: String,
    caller_id: Option<String>,
}

pub async fn open_queue(
    State(world): State<Arc<World>>,
    Body(later): Body<LaterQueue>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let LaterQueue {
        instance_arn,
        name,
        caller_id,
    } = later;
    let made = create_instance::open_queue(&world, &instance_arn, &NewQueue { name, caller_id })
        .map_err(|refusal| Refused::invalid(refusal.field, refusal.message))?;
    Ok((StatusCode::CREATED, Json(made)))
}

/// Not the one that agents dial from by default; other routing profiles forget it.
pub async fn close_queue(
    State(world): State<Arc<World>>,
    Path(queue_id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let mut connect = world.connect.lock();
    let instance = connect
        .instances
        .values_mut()
        .find(|instance| instance.queues.contains_key(&queue_id))
        .ok_or_else(|| Refused::not_found("queue_id"))?;
    let mut profiles = instance.routing_profiles.values();
    if profiles.any(|profile| profile.default_outbound_queue_id == queue_id) {
        return Err(Refused::invalid(
            "queue_id",
            "agents dial from it by default",
        ));
    }
    instance.queues.remove(&queue_id);
    for profile in instance.routing_profiles.values_mut() {
        profile.queue_ids.retain(|served| *served != queue_id);
    }
    Ok(Json(json!({"id": queue_id})))
}

pub async fn create_function(
    State(world): State<Arc<World>>,
    Body(new): Body<NewFunction>,
) -> Result<(StatusCode, Json<Value>), Refused> {
    let arn = create_function::create(&world, new)
        .map_err(|refusal| Refused::invalid(refusal.field, refusal.message))?;
    Ok((StatusCode::CREATED, Json(json!({"function_arn": arn}))))
}

pub async fn call(
    State(world): State<Arc<World>>,
    Body(request): Body<CallRequest>,
) -> Result<Json<Value>, Refused> {
    // The agent's call goes on when whoever asked for it hangs up.
    let placed = tokio::spawn(async move { calls::place(&world, request).await }).await;
    let placed =
        placed.map_err(|error| Refused::invalid("", format!("the call was cut off: {error}")))?;
    placed
        .map(Json)
        .map_err(|unknown| Refused::not_found(unknown.field))
}

pub async fn complete_task(
    State(world): State<Arc<World>>,
    Path(contact_id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let now = world.clock.now();
    let mut connect = world.connect.lock();
    let mut contacts = connect
        .instances
        .values_mut()
        .filter_map(|instance| instance.contacts.get_mut(&contact_id));
    let task = contacts
        .find(|contact| contact.channel == "TASK")
        .ok_or_else(|| Refused::not_found("contact_id"))?;
    if task.disconnected_at.is_some() {
        return Err(Refused::invalid("contact_id", "the task has ended already"));
    }
    task.disconnect(now, "AGENT_COMPLETED");
    Ok(Json(json!({"contact_id": task.id})))
}

pub async fn set_behaviour(
    State(world): State<Arc<World>>,
    Body(changes): Body<serde_json::Map<String, Value>>,
) -> Result<Json<Behaviour>, Refused> {
    let mut connect = world.connect.lock();
    let mut merged = serde_json::to_value(&connect.behaviour).unwrap_or_default();
    for (name, value) in changes {
        merged[&name] = value;
    }
    connect.behaviour =
        serde_json::from_value(merged).map_err(|error| Refused::invalid("", error.to_string()))?;
    Ok(Json(connect.behaviour.clone()))
}
