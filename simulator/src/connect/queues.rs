//! ListQueues, DescribeQueue, UpdateQueueOutboundCallerConfig.

use serde_json::{Value, json};

use super::failure::Failure;
use super::instance::seconds;
use super::model::{Instance, OutboundCallerConfig, Queue, User};
use super::request::Call;
use crate::flow::FlowType;

pub fn list(call: &Call<'_>) -> Result<Value, Failure> {
    let instance_id = call.label(0)?;
    call.authorize_in_instance(instance_id, &["queue/*".to_owned()], &[])?;
    let kinds = call.query_all("queueTypes");
    if kinds.len() > 2
        || kinds
            .iter()
            .any(|kind| kind != "STANDARD" && kind != "AGENT")
    {
        return Err(Failure::invalid_parameter("queueTypes: STANDARD, AGENT"));
    }
    let page = call.page_request(1000)?;
    let wanted = |kind: &str| kinds.is_empty() || kinds.iter().any(|wanted| wanted == kind);
    let summaries = call.read(instance_id, |instance| {
        let standard = instance
            .queues
            .values()
            .filter(|_| wanted("STANDARD"))
            .map(|queue| summary(instance, queue));
        let agents = instance
            .users
            .values()
            .filter(|_| wanted("AGENT"))
            .map(|user| agent_summary(instance, user));
        Ok(standard.chain(agents).collect())
    })?;
    call.page("QueueSummaryList", summaries, page)
}

pub fn describe(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, queue_id) = (call.label(0)?, queue_label(call.label(1)?));
    authorize_queue(call, instance_id, queue_id, &[])?;
    call.read(instance_id, |instance| {
        let queue = find(instance, queue_id)?;
        Ok(json!({
            "Queue": {
                "Name": queue.name,
                "QueueArn": instance.resource_arn("queue", &queue.id),
                "QueueId": queue.id,
                "Description": queue.name,
                "OutboundCallerConfig": config(&queue.outbound),
                "HoursOfOperationId": queue.hours_id,
                "Status": "ENABLED",
                "Tags": queue.tags,
                "LastModifiedTime": seconds(queue.modified_at),
                "LastModifiedRegion": instance.region,
            },
        }))
    })
}

pub fn update_outbound_caller_config(call: &Call<'_>) -> Result<Option<Value>, Failure> {
    let (instance_id, queue_id) = (call.label(0)?, queue_label(call.label(1)?));
    let given = call
        .body
        .get("OutboundCallerConfig")
        .filter(|given| given.is_object());
    let given = given.ok_or_else(|| Failure::missing("OutboundCallerConfig"))?;
    let member = |name: &'static str, max: usize| match given.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) if (1..=max).contains(&text.chars().count()) => {
            Ok(Some(text.as_str()))
        }
        Some(_) => Err(Failure::invalid_parameter(&format!(
            "OutboundCallerConfig.{name}: 1 to {max} characters"
        ))),
    };
    let name = member("OutboundCallerIdName", 255)?;
    let number =
        member("OutboundCallerIdNumberId", 2048)?.map(|given| CallerNumber::named(call, given));
    let flow = member("OutboundFlowId", 500)?.map(last_segment);
    let extra: Vec<String> = flow
        .map(|flow| format!("{}/contact-flow/{flow}", call.instance_arn(instance_id)))
        .into_iter()
        .chain(number.as_ref().map(|number| number.arn.clone()))
        .collect();
    authorize_queue(call, instance_id, queue_id, &extra)?;
    let cleared = call
        .world
        .connect
        .lock()
        .behaviour
        .omitted_caller_config_cleared;
    let now = call.world.clock.now();
    call.change(instance_id, |instance| {
        find(instance, queue_id)?;
        let known =
            |number: &&CallerNumber| instance.numbers.contains_key(last_segment(&number.arn));
        if let Some(number) = number.as_ref().filter(|number| !known(number)) {
            return Err(Failure::not_found(&format!(
                "phone number {}",
                number.kept_as
            )));
        }
        if let Some(flow) = flow {
            attachable(instance, flow)?;
        }
        let queue = instance
            .queues
            .get_mut(queue_id)
            .ok_or_else(|| Failure::not_found("queue"))?;
        let before = if cleared {
            OutboundCallerConfig::default()
        } else {
            queue.outbound.clone()
        };
        queue.outbound = OutboundCallerConfig {
            name: name.map(str::to_owned).or(before.name),
            number_id: number.map(|number| number.kept_as).or(before.number_id),
            flow_id: flow.map(str::to_owned).or(before.flow_id),
        };
        queue.modified_at = now;
        Ok(None)
    })
}

/// A number of a traffic distribution group may be another Region's; its whole ARN is then its name.
struct CallerNumber {
    arn: String,
    kept_as: String,
}

impl CallerNumber {
    fn named(call: &Call<'_>, given: &str) -> Self {
        let id = last_segment(given);
        let here = format!(
            "arn:aws:connect:{}:{}:phone-number/{id}",
            call.region(),
            call.account()
        );
        let is_elsewhere = given.starts_with("arn:") && given != here;
        let (arn, kept_as) = if is_elsewhere {
            (given, given)
        } else {
            (here.as_str(), id)
        };
        Self {
            arn: arn.to_owned(),
            kept_as: kept_as.to_owned(),
        }
    }
}

/// Only a published outbound whisper can be a queue's.
fn attachable(instance: &Instance, flow_id: &str) -> Result<(), Failure> {
    let flow = instance
        .flows
        .get(flow_id)
        .ok_or_else(|| Failure::not_found("contact flow"))?;
    if flow.flow_type != FlowType::OutboundWhisper {
        return Err(Failure::invalid_parameter(
            "OutboundFlowId: not an outbound whisper flow",
        ));
    }
    if flow.published.is_none() || flow.archived {
        return Err(Failure::new(
            400,
            "InvalidRequestException",
            "The outbound whisper flow is not published.",
        ));
    }
    Ok(())
}

fn authorize_queue(
    call: &Call<'_>,
    instance_id: &str,
    queue_id: &str,
    extra: &[String],
) -> Result<(), Failure> {
    let conditions = call.peek(instance_id, |instance| {
        let tags = instance
            .queues
            .get(queue_id)
            .map(|queue| queue.tags.clone())
            .unwrap_or_default();
        tags.into_iter()
            .map(|(key, value)| (format!("aws:ResourceTag/{key}"), vec![value]))
            .collect::<Vec<_>>()
    });
    let mut conditions = conditions.unwrap_or_default();
    conditions.push((
        "connect:InstanceId".to_owned(),
        vec![last_segment(instance_id).to_owned()],
    ));
    let mut resources = vec![format!(
        "{}/queue/{queue_id}",
        call.instance_arn(instance_id)
    )];
    resources.extend_from_slice(extra);
    call.authorize(&resources, &conditions)
}

fn find<'i>(instance: &'i Instance, queue_id: &str) -> Result<&'i Queue, Failure> {
    instance
        .queues
        .get(queue_id)
        .ok_or_else(|| Failure::not_found("queue"))
}

/// An id or an ARN; an agent's own queue keeps its `agent/`.
fn queue_label(label: &str) -> &str {
    label.split_once("/queue/").map_or(label, |(_, id)| id)
}

pub fn last_segment(id: &str) -> &str {
    id.rsplit('/').next().unwrap_or(id)
}

fn config(outbound: &OutboundCallerConfig) -> Value {
    let members = [
        ("OutboundCallerIdName", &outbound.name),
        ("OutboundCallerIdNumberId", &outbound.number_id),
        ("OutboundFlowId", &outbound.flow_id),
    ];
    let present = members
        .into_iter()
        .filter_map(|(name, value)| Some((name.to_owned(), json!(value.as_ref()?))));
    Value::Object(present.collect())
}

fn summary(instance: &Instance, queue: &Queue) -> Value {
    json!({
        "Id": queue.id,
        "Arn": instance.resource_arn("queue", &queue.id),
        "Name": queue.name,
        "QueueType": "STANDARD",
        "LastModifiedTime": seconds(queue.modified_at),
        "LastModifiedRegion": instance.region,
    })
}

fn agent_summary(instance: &Instance, user: &User) -> Value {
    json!({
        "Id": format!("agent/{}", user.id),
        "Arn": instance.resource_arn("queue", &format!("agent/{}", user.id)),
        "QueueType": "AGENT",
        "LastModifiedTime": seconds(user.modified_at),
        "LastModifiedRegion": instance.region,
    })
}
