//! StopContact.

use serde_json::{Value, json};

use super::failure::Failure;
use super::request::Call;

/// Voice contacts that began in these ways cannot be stopped.
const REFUSED: &[&str] = &[
    "DISCONNECT",
    "TRANSFER",
    "QUEUE_TRANSFER",
    "EXTERNAL_OUTBOUND",
    "MONITOR",
];

pub fn stop(call: &Call<'_>) -> Result<Value, Failure> {
    let instance_id = call.text("InstanceId", 1, 100)?;
    let contact_id = call.text("ContactId", 1, 256)?;
    let channel = call.peek(instance_id, |instance| {
        instance
            .contacts
            .get(contact_id)
            .map(|contact| contact.channel)
    });
    let conditions: Vec<_> = channel
        .flatten()
        .map(|channel| ("connect:Channel".to_owned(), vec![channel.to_owned()]))
        .into_iter()
        .collect();
    call.authorize_in_instance(instance_id, &[format!("contact/{contact_id}")], &conditions)?;
    if call
        .body
        .get("DisconnectReason")
        .is_some_and(|reason| !reason.is_null())
    {
        return Err(Failure::invalid_request(
            "DisconnectReason is only for contacts of outbound campaigns.",
        ));
    }
    let now = call.world.clock.now();
    let busy = call
        .world
        .connect
        .lock()
        .behaviour
        .after_contact_work_after_stop;
    call.change(instance_id, |instance| {
        let active = instance
            .contacts
            .get_mut(contact_id)
            .filter(|contact| contact.disconnected_at.is_none());
        let contact = active.ok_or_else(|| {
            Failure::new(
                410,
                "ContactNotFoundException",
                "The contact with the specified ID is not active or does not exist.",
            )
        })?;
        if contact.channel == "VOICE" && REFUSED.contains(&contact.initiation_method) {
            return Err(Failure::invalid_request(
                "A contact that began in this way cannot be stopped.",
            ));
        }
        contact.stopped_by_api = true;
        contact.stopped_before_dial = contact.connected_at.is_none();
        let voice = contact.channel == "VOICE";
        contact.disconnect(now, if voice { "OTHER" } else { "API" });
        let agent_id = contact.agent_id.clone().filter(|_| voice && busy);
        if let Some(user) = agent_id.and_then(|agent_id| instance.users.get_mut(&agent_id)) {
            user.state = "AfterContactWork";
        }
        Ok(json!({}))
    })
}
