//! Flows: change content, metadata and name, take a version, delete.

use serde_json::{Value, json};

use super::failure::Failure;
use super::flows::{authorize_flow, find, flow_label, name_is_free, publish, sha256};
use super::model::{FlowVersion, Instance, StoredFlow};
use super::request::Call;

pub fn update_content(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, flow_id, qualifier) = flow_of(call)?;
    let content = call.text("Content", 1, usize::MAX)?;
    authorize_flow(call, instance_id, flow_id)?;
    let flow_type = call.read(instance_id, |instance| {
        Ok(find(instance, flow_id)?.flow_type)
    })?;
    let published = match qualifier {
        None => Some(publish(call, content, flow_type)?),
        Some("$SAVED") => None,
        Some(_) => {
            return Err(Failure::new(
                400,
                "InvalidRequestException",
                "A version of a flow cannot be changed.",
            ));
        }
    };
    change(call, instance_id, flow_id, |flow| {
        content.clone_into(&mut flow.saved);
        if published.is_some() {
            flow.published = published;
        }
    })
}

pub fn update_metadata(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, flow_id, _) = flow_of(call)?;
    let name = call.optional_text("Name", 1, 127)?;
    let description = call.optional_text("Description", 0, 500)?;
    let archived = match call.optional_text("ContactFlowState", 1, 64)? {
        None => None,
        Some("ACTIVE") => Some(false),
        Some("ARCHIVED") => Some(true),
        Some(_) => {
            return Err(Failure::invalid_parameter(
                "ContactFlowState: ACTIVE or ARCHIVED",
            ));
        }
    };
    authorize_flow(call, instance_id, flow_id)?;
    rename(call, instance_id, flow_id, name, description, archived)
}

pub fn update_name(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, flow_id, _) = flow_of(call)?;
    let name = call.optional_text("Name", 1, 127)?;
    let description = call.optional_text("Description", 0, 500)?;
    authorize_flow(call, instance_id, flow_id)?;
    rename(call, instance_id, flow_id, name, description, None)
}

pub fn create_version(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, flow_id, _) = flow_of(call)?;
    let description = call.optional_text("Description", 0, 500)?;
    let hash = call.optional_text("FlowContentSha256", 1, 64)?;
    authorize_flow(call, instance_id, flow_id)?;
    call.change(instance_id, |instance| {
        let flow = found(instance, flow_id)?;
        let unpublished = || {
            Failure::new(
                400,
                "InvalidRequestException",
                "The contact flow has no published content.",
            )
        };
        let content = flow.published_content().ok_or_else(unpublished)?.to_owned();
        if hash.is_some_and(|hash| hash != sha256(&content)) {
            let message = "FlowContentSha256 does not match the latest published content.";
            return Err(Failure::new(400, "InvalidRequestException", message));
        }
        let number = flow
            .versions
            .keys()
            .next_back()
            .map_or(1, |latest| latest + 1);
        flow.versions.insert(
            number,
            FlowVersion {
                content,
                description: description.map(str::to_owned),
            },
        );
        Ok(json!({"ContactFlowArn": format!("{}:{number}", flow.arn), "Version": number}))
    })
}

pub fn delete(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, flow_id, _) = flow_of(call)?;
    authorize_flow(call, instance_id, flow_id)?;
    let deletable = call.world.connect.lock().behaviour.flow_in_use_deletable;
    call.change(instance_id, |instance| {
        find(instance, flow_id)?;
        let in_use = instance
            .queues
            .values()
            .any(|queue| queue.outbound.flow_id.as_deref() == Some(flow_id));
        if in_use && !deletable {
            return Err(Failure::new(
                400,
                "InvalidRequestException",
                "The contact flow is in use by a queue.",
            ));
        }
        instance.flows.remove(flow_id);
        Ok(json!({}))
    })
}

fn flow_of<'c>(call: &'c Call<'_>) -> Result<(&'c str, &'c str, Option<&'c str>), Failure> {
    let (flow_id, qualifier) = flow_label(call.label(1)?);
    Ok((call.label(0)?, flow_id, qualifier))
}

fn found<'i>(instance: &'i mut Instance, flow_id: &str) -> Result<&'i mut StoredFlow, Failure> {
    instance
        .flows
        .get_mut(flow_id)
        .ok_or_else(|| Failure::not_found("contact flow"))
}

fn change(
    call: &Call<'_>,
    instance_id: &str,
    flow_id: &str,
    edit: impl FnOnce(&mut StoredFlow),
) -> Result<Value, Failure> {
    let now = call.world.clock.now();
    call.change(instance_id, |instance| {
        let flow = found(instance, flow_id)?;
        edit(flow);
        flow.modified_at = now;
        Ok(json!({}))
    })
}

fn rename(
    call: &Call<'_>,
    instance_id: &str,
    flow_id: &str,
    name: Option<&str>,
    description: Option<&str>,
    archived: Option<bool>,
) -> Result<Value, Failure> {
    if let Some(name) = name {
        call.read(instance_id, |instance| {
            name_is_free(instance, name, Some(flow_id))
        })?;
    }
    change(call, instance_id, flow_id, |flow| {
        if let Some(name) = name {
            name.clone_into(&mut flow.name);
        }
        if let Some(description) = description {
            flow.description = Some(description.to_owned());
        }
        flow.archived = archived.unwrap_or(flow.archived);
    })
}
