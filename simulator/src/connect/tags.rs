//! TagResource, UntagResource, ListTagsForResource.

use serde_json::{Value, json};

use super::failure::Failure;
use super::model::{Instance, Tags};
use super::request::{Call, tag_keys};

const MAX_TAGS: usize = 50;

pub fn tag(call: &Call<'_>) -> Result<Option<Value>, Failure> {
    let tags = call.tags("tags")?;
    if tags.is_empty() {
        return Err(Failure::invalid_parameter("tags: 1 to 50 members"));
    }
    call.authorize(&[call.label(0)?.to_owned()], &tag_keys(&tags))?;
    change(call, |existing| {
        existing.extend(tags);
        if existing.len() > MAX_TAGS {
            return Err(Failure::new(
                400,
                "InvalidRequestException",
                "A resource has at most 50 tags.",
            ));
        }
        Ok(())
    })?;
    Ok(None)
}

pub fn untag(call: &Call<'_>) -> Result<Option<Value>, Failure> {
    let keys = call.query_all("tagKeys");
    if keys.is_empty() || keys.len() > MAX_TAGS {
        return Err(Failure::invalid_parameter("tagKeys: 1 to 50 members"));
    }
    call.authorize(
        &[call.label(0)?.to_owned()],
        &[("aws:TagKeys".to_owned(), keys.clone())],
    )?;
    change(call, |existing| {
        existing.retain(|key, _| !keys.contains(key));
        Ok(())
    })?;
    Ok(None)
}

pub fn list(call: &Call<'_>) -> Result<Value, Failure> {
    let arn = call.label(0)?;
    let own = resource(arn).ok().and_then(|(instance_id, kind, id)| {
        call.peek(instance_id, |instance| tags_of(instance, kind, id).cloned())
            .flatten()
    });
    let conditions: Vec<_> = own
        .unwrap_or_default()
        .into_iter()
        .map(|(key, value)| (format!("aws:ResourceTag/{key}"), vec![value]))
        .collect();
    call.authorize(&[arn.to_owned()], &conditions)?;
    let (instance_id, kind, id) = resource(arn)?;
    call.read(instance_id, |instance| {
        let tags = tags_of(instance, kind, id).ok_or_else(|| Failure::not_found("resource"))?;
        Ok(json!({"tags": tags}))
    })
}

fn change(
    call: &Call<'_>,
    edit: impl FnOnce(&mut Tags) -> Result<(), Failure>,
) -> Result<(), Failure> {
    let (instance_id, kind, id) = resource(call.label(0)?)?;
    call.change(instance_id, |instance| {
        let existing =
            tags_of_mut(instance, kind, id).ok_or_else(|| Failure::not_found("resource"))?;
        let mut edited = existing.clone();
        edit(&mut edited)?;
        *existing = edited;
        Ok(())
    })
}

/// `arn:aws:connect:R:A:instance/I/KIND/ID`, taken apart; an instance's own ARN ends after its id.
fn resource(arn: &str) -> Result<(&str, &str, &str), Failure> {
    let bad =
        || Failure::invalid_parameter("resourceArn: not the ARN of a resource of an instance");
    let (_, path) = arn.split_once(":instance/").ok_or_else(bad)?;
    let mut parts = path.splitn(3, '/');
    match (parts.next(), parts.next(), parts.next()) {
        (Some(instance), None, None) => Ok((instance, "instance", instance)),
        (Some(instance), Some(kind), Some(id)) => {
            Ok((instance, kind, id.split(':').next().unwrap_or(id)))
        }
        _ => Err(bad()),
    }
}

fn tags_of<'i>(instance: &'i Instance, kind: &str, id: &str) -> Option<&'i Tags> {
    match kind {
        "instance" => Some(&instance.tags),
        "contact-flow" => Some(&instance.flows.get(id)?.tags),
        "queue" => Some(&instance.queues.get(id)?.tags),
        "agent" => Some(&instance.users.get(id)?.tags),
        "routing-profile" => Some(&instance.routing_profiles.get(id)?.tags),
        _ => None,
    }
}

fn tags_of_mut<'i>(instance: &'i mut Instance, kind: &str, id: &str) -> Option<&'i mut Tags> {
    match kind {
        "instance" => Some(&mut instance.tags),
        "contact-flow" => Some(&mut instance.flows.get_mut(id)?.tags),
        "queue" => Some(&mut instance.queues.get_mut(id)?.tags),
        "agent" => Some(&mut instance.users.get_mut(id)?.tags),
        "routing-profile" => Some(&mut instance.routing_profiles.get_mut(id)?.tags),
        _ => None,
    }
}
