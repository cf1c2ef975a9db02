//! Flows: list, create, describe.

use std::sync::Arc;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::failure::Failure;
use super::instance::seconds;
use super::model::{Instance, Published, StoredFlow};
use super::request::{Call, tag_keys};
use crate::flow::{Flow, FlowType, Options, validate};

/// The default quota of flows in one instance.
const MAX_FLOWS: usize = 100;

pub fn list(call: &Call<'_>) -> Result<Value, Failure> {
    let instance_id = call.label(0)?;
    call.authorize_in_instance(instance_id, &["contact-flow/*".to_owned()], &[])?;
    let types = call.query_all("contactFlowTypes");
    if types.len() > 10 {
        return Err(Failure::invalid_parameter(
            "contactFlowTypes: at most 10 members",
        ));
    }
    let types: Vec<FlowType> = types
        .iter()
        .map(|name| {
            FlowType::parse(name).ok_or_else(|| {
                Failure::invalid_parameter(&format!("contactFlowTypes: unknown value {name}"))
            })
        })
        .collect::<Result<_, _>>()?;
    let page = call.page_request(1000)?;
    let summaries = call.read(instance_id, |instance| {
        let wanted = |flow: &&StoredFlow| types.is_empty() || types.contains(&flow.flow_type);
        Ok(instance
            .flows
            .values()
            .filter(wanted)
            .map(summary)
            .collect())
    })?;
    call.page("ContactFlowSummaryList", summaries, page)
}

pub fn create(call: &Call<'_>) -> Result<Value, Failure> {
    let instance_id = call.label(0)?;
    let name = call.text("Name", 1, 127)?;
    let flow_type = call.text("Type", 1, 64)?;
    let flow_type = FlowType::parse(flow_type)
        .ok_or_else(|| Failure::invalid_parameter("Type: unknown flow type"))?;
    let content = call.text("Content", 1, usize::MAX)?;
    let description = call.optional_text("Description", 0, 500)?;
    let saved_only = match call.optional_text("Status", 1, 64)? {
        None | Some("PUBLISHED") => false,
        Some("SAVED") => true,
        Some(_) => return Err(Failure::invalid_parameter("Status: PUBLISHED or SAVED")),
    };
    let tags = call.tags("Tags")?;
    let mut conditions = tag_keys(&tags);
    conditions.push((
        "connect:FlowType".to_owned(),
        vec![flow_type.as_str().to_owned()],
    ));
    call.authorize_in_instance(instance_id, &["contact-flow/*".to_owned()], &conditions)?;
    if !tags.is_empty() {
        let tagged = format!("{}/contact-flow/*", call.instance_arn(instance_id));
        call.authorize_as("TagResource", &[tagged], &conditions)?;
    }
    let published = if saved_only {
        None
    } else {
        Some(publish(call, content, flow_type)?)
    };
    let id = call.world.ids.uuid().to_string();
    let modified_at = call.world.clock.now();
    call.change(instance_id, |instance| {
        name_is_free(instance, name, None)?;
        if instance.flows.len() >= MAX_FLOWS {
            return Err(Failure::new(429, "LimitExceededException", "The allowed limit for the resource has been reached."));
        }
        let flow = StoredFlow {
            arn: instance.resource_arn("contact-flow", &id),
            id: id.clone(),
            name: name.to_owned(),
            description: description.map(str::to_owned),
            flow_type,
            archived: false,
            saved: content.to_owned(),
            published,
            versions: std::collections::BTreeMap::new(),
            tags,
            modified_at,
        };
        let answer = json!({"ContactFlowId": id, "ContactFlowArn": flow.arn, "FlowContentSha256": sha256(content)});
        instance.flows.insert(id.clone(), flow);
        Ok(answer)
    })
}

pub fn describe(call: &Call<'_>) -> Result<Value, Failure> {
    let instance_id = call.label(0)?;
    let (flow_id, qualifier) = flow_label(call.label(1)?);
    authorize_flow(call, instance_id, flow_id)?;
    call.read(instance_id, |instance| {
        let flow = find(instance, flow_id)?;
        let mut version = None;
        let (content, status) = match qualifier {
            Some("$SAVED") => (flow.saved.as_str(), "SAVED"),
            None => {
                let unpublished = || {
                    Failure::new(
                        404,
                        "ContactFlowNotPublishedException",
                        "The contact flow has not been published.",
                    )
                };
                (
                    flow.published_content().ok_or_else(unpublished)?,
                    "PUBLISHED",
                )
            }
            Some(number) => {
                let number = number
                    .parse()
                    .map_err(|_| Failure::invalid_parameter("ContactFlowId: unknown qualifier"))?;
                version = Some(number);
                let found = flow
                    .versions
                    .get(&number)
                    .ok_or_else(|| Failure::not_found("flow version"))?;
                (found.content.as_str(), "PUBLISHED")
            }
        };
        let mut answer = json!({
            "Arn": flow.arn,
            "Id": flow.id,
            "Name": flow.name,
            "Type": flow.flow_type.as_str(),
            "State": state(flow),
            "Status": status,
            "Content": content,
            "Tags": flow.tags,
            "FlowContentSha256": sha256(content),
            "LastModifiedTime": seconds(flow.modified_at),
            "LastModifiedRegion": instance.region,
        });
        if let Some(description) = &flow.description {
            answer["Description"] = json!(description);
        }
        if let Some(number) = version {
            answer["Version"] = json!(number);
            let version = flow.versions.get(&number);
            if let Some(description) = version.and_then(|version| version.description.as_ref()) {
                answer["VersionDescription"] = json!(description);
            }
        }
        Ok(json!({"ContactFlow": answer}))
    })
}

/// Validates content and parses it.
pub fn publish(call: &Call<'_>, content: &str, flow_type: FlowType) -> Result<Published, Failure> {
    let options = Options {
        qualified_lambda_arn: call.world.connect.lock().behaviour.qualified_lambda_arn,
    };
    let problems = validate(content, flow_type, options);
    if !problems.is_empty() {
        let messages = problems.into_iter().map(|problem| problem.message);
        return Err(Failure::InvalidFlow(messages.collect()));
    }
    let flow = Flow::parse(content)
        .map_err(|error| Failure::InvalidFlow(vec![format!("Invalid flow content. {error}")]))?;
    Ok(Published {
        content: content.to_owned(),
        flow: Arc::new(flow),
    })
}

/// An id or ARN, and what follows its colon (`$SAVED` or a version).
pub fn flow_label(label: &str) -> (&str, Option<&str>) {
    let last = label.rsplit('/').next().unwrap_or(label);
    match last.split_once(':') {
        Some((id, qualifier)) => (id, Some(qualifier)),
        None => (last, None),
    }
}

pub fn find<'i>(instance: &'i Instance, flow_id: &str) -> Result<&'i StoredFlow, Failure> {
    instance
        .flows
        .get(flow_id)
        .ok_or_else(|| Failure::not_found("contact flow"))
}

/// Checks the call's operation on a flow, with the flow's own tags and type where it exists.
pub fn authorize_flow(call: &Call<'_>, instance_id: &str, flow_id: &str) -> Result<(), Failure> {
    let conditions = call.peek(instance_id, |instance| {
        let Some(flow) = instance.flows.get(flow_id) else {
            return Vec::new();
        };
        let tags = flow
            .tags
            .iter()
            .map(|(key, value)| (format!("aws:ResourceTag/{key}"), vec![value.clone()]));
        tags.chain([(
            "connect:FlowType".to_owned(),
            vec![flow.flow_type.as_str().to_owned()],
        )])
        .collect()
    });
    call.authorize_in_instance(
        instance_id,
        &[format!("contact-flow/{flow_id}")],
        &conditions.unwrap_or_default(),
    )
}

pub fn name_is_free(instance: &Instance, name: &str, except: Option<&str>) -> Result<(), Failure> {
    let taken = instance
        .flows
        .values()
        .any(|flow| flow.name == name && Some(flow.id.as_str()) != except);
    if taken {
        return Err(Failure::new(
            409,
            "DuplicateResourceException",
            "A resource with the specified name already exists.",
        ));
    }
    Ok(())
}

pub fn state(flow: &StoredFlow) -> &'static str {
    if flow.archived { "ARCHIVED" } else { "ACTIVE" }
}

pub fn sha256(content: &str) -> String {
    Sha256::digest(content.as_bytes())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn summary(flow: &StoredFlow) -> Value {
    json!({
        "Id": flow.id,
        "Arn": flow.arn,
        "Name": flow.name,
        "ContactFlowType": flow.flow_type.as_str(),
        "ContactFlowState": state(flow),
        "ContactFlowStatus": if flow.published.is_some() { "PUBLISHED" } else { "SAVED" },
    })
}
