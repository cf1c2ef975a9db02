//! StartTaskContact.
//!
//! Idempotent by ClientToken: a repeat answers with the contact of the first request and starts nothing.

use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::failure::Failure;
use super::flows::find;
use super::model::{Contact, Instance};
use super::queues::last_segment;
use super::request::Call;
use crate::calls;
use crate::flow::FlowType;

const MAX_ATTRIBUTE_BYTES: usize = 32_768;
const MAX_TASKS_OF_ONE_PREVIOUS_CONTACT: usize = 12;
const MAX_SCHEDULE_AHEAD: SignedDuration = SignedDuration::from_hours(6 * 24);
const REFERENCE_TYPES: &[&str] = &["URL", "NUMBER", "STRING", "DATE", "EMAIL"];

pub fn start(call: &Call<'_>) -> Result<Value, Failure> {
    let instance_id = call.text("InstanceId", 1, 100)?;
    let name = call.text("Name", 0, 1024)?;
    let description = call.optional_text("Description", 0, 4096)?;
    let token = call.optional_text("ClientToken", 0, 500)?;
    let previous = call.optional_text("PreviousContactId", 1, 256)?;
    let related = call.optional_text("RelatedContactId", 1, 256)?;
    let flow_id = last_segment(chosen_flow(call)?);
    let attributes = attributes(call)?;
    let references = references(call)?;
    let scheduled_at = scheduled_at(call)?;
    if previous.is_some() && related.is_some() {
        return Err(Failure::invalid_request(
            "PreviousContactId and RelatedContactId exclude each other.",
        ));
    }
    let id = call.world.ids.uuid().to_string();
    call.authorize_in_instance(
        instance_id,
        &[format!("contact-flow/{flow_id}"), format!("contact/{id}")],
        &[],
    )?;
    let now = call.world.clock.now();
    let started = call.change(instance_id, |instance| {
        if let Some(earlier) = token.and_then(|token| instance.task_tokens.get(token)) {
            return Ok(Err(earlier.clone()));
        }
        runnable(instance, flow_id)?;
        let mut contact = Contact::new(id, "TASK", "API", now);
        contact.name = Some(name.to_owned());
        contact.description = description.map(str::to_owned);
        contact.references = references;
        contact.flow_id = Some(flow_id.to_owned());
        contact.scheduled_at = scheduled_at;
        contact.client_token = token.map(str::to_owned);
        link(instance, &mut contact, previous, related)?;
        contact.attributes.extend(attributes);
        if let Some(token) = token {
            instance
                .task_tokens
                .insert(token.to_owned(), contact.id.clone());
        }
        let contact_id = contact.id.clone();
        instance.add_contact(contact);
        Ok(Ok(contact_id))
    })?;
    let contact_id = match started {
        Ok(contact_id) => {
            let delay = scheduled_at.map_or(SignedDuration::ZERO, |at| at.duration_since(now));
            calls::start_task_flow(
                call.world,
                &call.instance_arn(instance_id),
                &contact_id,
                delay.unsigned_abs(),
            );
            contact_id
        }
        Err(earlier) => earlier,
    };
    Ok(json!({"ContactId": contact_id}))
}

/// Checks quotas and takes over what a task inherits from the contact it follows.
pub fn link(
    instance: &Instance,
    contact: &mut Contact,
    previous: Option<&str>,
    related: Option<&str>,
) -> Result<(), Failure> {
    let quota = |message: &str| Failure::new(402, "ServiceQuotaExceededException", message);
    if instance.open_tasks() >= instance.task_quota {
        return Err(quota("The quota of concurrent tasks has been exceeded."));
    }
    let of_previous = |other: &&Contact| {
        other.channel == "TASK" && other.previous_contact_id.as_deref() == previous
    };
    if previous.is_some()
        && instance.contacts.values().filter(of_previous).count()
            >= MAX_TASKS_OF_ONE_PREVIOUS_CONTACT
    {
        return Err(quota(
            "The quota of tasks that share a previous contact has been exceeded.",
        ));
    }
    if let Some(origin) = previous.or(related) {
        let origin = instance
            .contacts
            .get(origin)
            .ok_or_else(|| Failure::not_found(&format!("contact {origin}")))?;
        contact.attributes = origin.attributes.clone();
        if previous.is_some() {
            contact
                .initial_contact_id
                .clone_from(&origin.initial_contact_id);
        }
    }
    contact.previous_contact_id = previous.map(str::to_owned);
    contact.related_contact_id = related.map(str::to_owned);
    Ok(())
}

/// A task begins in a published flow of the inbound kind.
fn runnable(instance: &Instance, flow_id: &str) -> Result<(), Failure> {
    let flow = find(instance, flow_id)?;
    if flow.flow_type != FlowType::ContactFlow {
        return Err(Failure::invalid_request(
            "The contact flow's type cannot begin a task.",
        ));
    }
    if flow.published.is_none() || flow.archived {
        return Err(Failure::invalid_request(
            "The contact flow is not published.",
        ));
    }
    Ok(())
}

fn chosen_flow<'c>(call: &'c Call<'_>) -> Result<&'c str, Failure> {
    let flow = call.optional_text("ContactFlowId", 1, 500)?;
    let others = [
        call.optional_text("QuickConnectId", 1, 500)?,
        call.optional_text("TaskTemplateId", 1, 500)?,
    ];
    match (flow, others) {
        (Some(flow), [None, None]) => Ok(flow),
        // The simulator's instances have neither quick connects nor templates.
        (None, [Some(_), None]) => Err(Failure::not_found("quick connect")),
        (None, [None, Some(_)]) => Err(Failure::not_found("task template")),
        _ => Err(Failure::invalid_request(
            "Exactly one of ContactFlowId, QuickConnectId and TaskTemplateId is needed.",
        )),
    }
}

fn attributes(call: &Call<'_>) -> Result<Map<String, Value>, Failure> {
    let attributes = match call.body.get("Attributes") {
        None | Some(Value::Null) => return Ok(Map::new()),
        Some(Value::Object(attributes)) if attributes.values().all(Value::is_string) => {
            attributes.clone()
        }
        Some(_) => return Err(Failure::invalid_parameter("Attributes: members of text")),
    };
    let bytes: usize = attributes
        .iter()
        .map(|(key, value)| key.len() + value.as_str().map_or(0, str::len))
        .sum();
    if bytes > MAX_ATTRIBUTE_BYTES || attributes.contains_key("") {
        return Err(Failure::invalid_parameter(
            "Attributes: at most 32768 bytes, no empty name",
        ));
    }
    Ok(attributes)
}

fn references(call: &Call<'_>) -> Result<Value, Failure> {
    let references = match call.body.get("References") {
        None | Some(Value::Null) => return Ok(json!({})),
        Some(Value::Object(references)) => references,
        Some(_) => return Err(Failure::invalid_parameter("References: an object")),
    };
    let fine = |reference: &Value| {
        let kind = reference
            .get("Type")
            .and_then(Value::as_str)
            .is_some_and(|kind| REFERENCE_TYPES.contains(&kind));
        kind && reference.get("Value").is_none_or(|value| {
            value
                .as_str()
                .is_some_and(|value| value.chars().count() <= 4096)
        })
    };
    if !references.values().all(fine) {
        return Err(Failure::invalid_parameter(
            "References: Type URL, NUMBER, STRING, DATE or EMAIL, Value at most 4096 characters",
        ));
    }
    Ok(Value::Object(references.clone()))
}

fn scheduled_at(call: &Call<'_>) -> Result<Option<Timestamp>, Failure> {
    let Some(given) = call
        .body
        .get("ScheduledTime")
        .filter(|given| !given.is_null())
    else {
        return Ok(None);
    };
    let bad = || Failure::invalid_parameter("ScheduledTime: epoch seconds within the next 6 days");
    let at = given.as_f64().and_then(|seconds| {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "what does not fit is refused as out of range"
        )]
        let milliseconds = (seconds * 1000.0) as i64;
        Timestamp::from_millisecond(milliseconds).ok()
    });
    let at = at.ok_or_else(bad)?;
    let ahead = at.duration_since(call.world.clock.now());
    if ahead.is_negative() || ahead > MAX_SCHEDULE_AHEAD {
        return Err(bad());
    }
    Ok(Some(at))
}
