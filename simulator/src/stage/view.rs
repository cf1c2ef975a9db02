//! What the control API shows: contacts, tasks, flows, functions' output, everything at once.

use std::sync::Arc;

use axum::extract::{Path, State};
use axum::response::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Asked, Refused};
use crate::calls;
use crate::connect::behaviour::Behaviour;
use crate::connect::model::{Contact, Instance};
use crate::lambda::resource_policy::ResourcePolicy;
use crate::world::World;

/// Which instance to look at; absent means all.
#[derive(Debug, Deserialize)]
pub struct OfInstance {
    instance_arn: Option<String>,
}

/// Which Region and account a function is in, where its name alone does not say it.
#[derive(Debug, Deserialize)]
pub struct OfFunction {
    region: Option<String>,
    account_id: Option<String>,
}

/// The latest contacts are enough for a display.
const SHOWN_CONTACTS: usize = 200;

pub async fn contacts(
    State(world): State<Arc<World>>,
    Asked(of): Asked<OfInstance>,
) -> Result<Json<Value>, Refused> {
    let connect = world.connect.lock();
    let instances = chosen(connect.instances.values(), of.instance_arn.as_deref())?;
    let latest = |instance: &Instance| {
        let skipped = instance.contact_order.len().saturating_sub(SHOWN_CONTACTS);
        in_order(instance)
            .skip(skipped)
            .map(|contact| shown(instance, contact))
            .collect::<Vec<_>>()
    };
    Ok(Json(
        json!({"data": instances.into_iter().flat_map(latest).collect::<Vec<_>>()}),
    ))
}

pub async fn contact(
    State(world): State<Arc<World>>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Refused> {
    let connect = world.connect.lock();
    let found = connect
        .instances
        .values()
        .find_map(|instance| Some((instance, instance.contacts.get(&id)?)));
    let (instance, contact) = found.ok_or_else(|| Refused::not_found("contact_id"))?;
    Ok(Json(shown(instance, contact)))
}

fn shown(instance: &Instance, contact: &Contact) -> Value {
    let mut shown = calls::report(contact);
    merge(&mut shown, common(instance, contact));
    shown["agent_id"] = json!(contact.agent_id);
    shown["connected_at"] = json!(contact.connected_at);
    if contact.channel == "TASK" {
        merge(&mut shown, task(instance, contact));
    }
    shown
}

pub async fn tasks(
    State(world): State<Arc<World>>,
    Asked(of): Asked<OfInstance>,
) -> Result<Json<Value>, Refused> {
    let connect = world.connect.lock();
    let instances = chosen(connect.instances.values(), of.instance_arn.as_deref())?;
    let tasks = instances.into_iter().flat_map(|instance| {
        in_order(instance)
            .filter(|contact| contact.channel == "TASK")
            .map(|contact| task(instance, contact))
    });
    Ok(Json(json!({"data": tasks.collect::<Vec<_>>()})))
}

pub async fn flows(
    State(world): State<Arc<World>>,
    Asked(of): Asked<OfInstance>,
) -> Result<Json<Value>, Refused> {
    let connect = world.connect.lock();
    let instances = chosen(connect.instances.values(), of.instance_arn.as_deref())?;
    Ok(Json(
        json!({"data": instances.into_iter().flat_map(flows_of).collect::<Vec<_>>()}),
    ))
}

pub async fn behaviour(State(world): State<Arc<World>>) -> Json<Behaviour> {
    Json(world.connect.lock().behaviour.clone())
}

pub async fn function_logs(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Asked(of): Asked<OfFunction>,
) -> Result<Json<Value>, Refused> {
    let functions = world.lambda.all();
    let function = functions
        .iter()
        .map(|function| &function.settings)
        .find(|settings| {
            settings.name == name
                && of
                    .region
                    .as_ref()
                    .is_none_or(|region| *region == settings.region)
                && of
                    .account_id
                    .as_ref()
                    .is_none_or(|account| *account == settings.account_id)
        });
    let settings = function.ok_or_else(|| Refused::not_found("name"))?;
    Ok(Json(
        json!({"function_arn": settings.arn, "lines": settings.launch.logs.lines()}),
    ))
}

pub async fn state(
    State(world): State<Arc<World>>,
    Asked(of): Asked<OfInstance>,
) -> Result<Json<Value>, Refused> {
    let functions: Vec<Value> = world
        .lambda
        .all()
        .iter()
        .map(|function| {
            let settings = &function.settings;
            json!({
                "function_arn": settings.arn,
                "role_arn": settings.role_arn,
                "concurrency": settings.concurrency,
                "policy": function.policies().get(&None).map(ResourcePolicy::text),
                "figures": function.figures(),
            })
        })
        .collect();
    let connect = world.connect.lock();
    let instances = chosen(connect.instances.values(), of.instance_arn.as_deref())?;
    let tasks = |instance: &Instance| {
        in_order(instance)
            .filter(|contact| contact.channel == "TASK")
            .map(|contact| task(instance, contact))
            .collect::<Vec<_>>()
    };
    Ok(Json(json!({
        "accounts": world.iam.account_ids(),
        "instances": instances.iter().map(|found| instance(found)).collect::<Vec<_>>(),
        "functions": functions,
        "flows": instances.iter().flat_map(|found| flows_of(found)).collect::<Vec<_>>(),
        "tasks": instances.iter().flat_map(|found| tasks(found)).collect::<Vec<_>>(),
        "behaviour": connect.behaviour,
    })))
}

fn chosen<'i>(
    all: impl Iterator<Item = &'i Instance>,
    arn: Option<&str>,
) -> Result<Vec<&'i Instance>, Refused> {
    let chosen: Vec<_> = all
        .filter(|instance| arn.is_none_or(|arn| instance.arn == arn))
        .collect();
    if arn.is_some() && chosen.is_empty() {
        return Err(Refused::not_found("instance_arn"));
    }
    Ok(chosen)
}

fn in_order(instance: &Instance) -> impl Iterator<Item = &Contact> {
    instance
        .contact_order
        .iter()
        .filter_map(|id| instance.contacts.get(id))
}

fn common(instance: &Instance, contact: &Contact) -> Value {
    json!({
        "contact_id": contact.id,
        "instance_arn": instance.arn,
        "channel": contact.channel,
        "initiation_method": contact.initiation_method,
        "attributes": contact.attributes,
        "initiated_at": contact.initiated_at,
        "disconnected_at": contact.disconnected_at,
        "disconnect_reason": contact.disconnect_reason,
        "stopped_by_api": contact.stopped_by_api,
    })
}

fn task(instance: &Instance, contact: &Contact) -> Value {
    let mut shown = common(instance, contact);
    let outcome = match &contact.placement {
        Some(placement) => json!(placement.outcome),
        None if contact.flow_ended => json!("not_delivered"),
        None => json!("in_progress"),
    };
    merge(
        &mut shown,
        json!({
            "name": contact.name,
            "description": contact.description,
            "related_contact_id": contact.related_contact_id,
            "previous_contact_id": contact.previous_contact_id,
            "references": contact.references,
            "client_token": contact.client_token,
            "flow_id": contact.flow_id,
            "steps": contact.steps,
            "agent_id": contact.placement.as_ref().map(|placement| &placement.agent_id),
            "outcome": outcome,
        }),
    );
    shown
}

fn instance(instance: &Instance) -> Value {
    let queues: Vec<Value> = instance
        .queues
        .values()
        .map(|queue| {
            json!({
                "id": queue.id,
                "arn": instance.resource_arn("queue", &queue.id),
                "name": queue.name,
                "caller_id": instance.caller_id(queue),
                "outbound_flow_id": queue.outbound.flow_id,
                "caller_id_name": queue.outbound.name,
                "caller_id_number_id": queue.outbound.number_id,
            })
        })
        .collect();
    let agents: Vec<Value> = instance
        .users
        .values()
        .map(|user| {
            json!({
                "id": user.id,
                "arn": instance.resource_arn("agent", &user.id),
                "username": user.username,
                "state": user.state,
                "waiting": instance.agent_queue_length(&user.id),
            })
        })
        .collect();
    json!({
        "instance_arn": instance.arn,
        "account_id": instance.account_id,
        "region": instance.region,
        "alias": instance.alias,
        "queues": queues,
        "agents": agents,
        "contacts": instance.contacts.len(),
    })
}

fn flows_of(instance: &Instance) -> Vec<Value> {
    let shown = |flow: &crate::connect::model::StoredFlow| {
        json!({
            "instance_arn": instance.arn,
            "id": flow.id,
            "arn": flow.arn,
            "name": flow.name,
            "type": flow.flow_type.as_str(),
            "published": flow.published.is_some(),
            "archived": flow.archived,
            "tags": flow.tags,
            "content": flow.published_content().unwrap_or(&flow.saved),
            "saved": flow.saved,
        })
    };
    instance.flows.values().map(shown).collect()
}

fn merge(target: &mut Value, more: Value) {
    if let (Some(target), Value::Object(more)) = (target.as_object_mut(), more) {
        target.extend(more);
    }
}
