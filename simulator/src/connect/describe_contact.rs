//! DescribeContact.

use serde_json::{Value, json};

use super::failure::Failure;
use super::instance::seconds;
use super::model::Contact;
use super::request::Call;

pub fn describe(call: &Call<'_>) -> Result<Value, Failure> {
    let (instance_id, contact_id) = (call.label(0)?, call.label(1)?);
    call.authorize_in_instance(instance_id, &[format!("contact/{contact_id}")], &[])?;
    call.read(instance_id, |instance| {
        let contact = instance.contacts.get(contact_id).ok_or_else(|| Failure::not_found("contact"))?;
        let mut answer = json!({
            "Arn": instance.resource_arn("contact", &contact.id),
            "Id": contact.id,
            "InitialContactId": contact.initial_contact_id,
            "InitiationMethod": contact.initiation_method,
            "Channel": contact.channel,
            "Attributes": contact.attributes,
            "InitiationTimestamp": seconds(contact.initiated_at),
            "LastUpdateTimestamp": seconds(contact.disconnected_at.or(contact.connected_at).unwrap_or(contact.initiated_at)),
        });
        for (name, value) in optional(contact) {
            if let Some(value) = value {
                answer[name] = value;
            }
        }
        Ok(json!({"Contact": answer}))
    })
}

/// A contact that was stopped before the dial has an end and was never connected to the system.
fn optional(contact: &Contact) -> [(&'static str, Option<Value>); 13] {
    let endpoint = |address: &Option<String>| {
        address
            .as_ref()
            .map(|address| json!({"Type": "TELEPHONE_NUMBER", "Address": address}))
    };
    let text = |text: &Option<String>| text.as_ref().map(|text| json!(text));
    let time = |at: Option<jiff::Timestamp>| at.map(|at| json!(seconds(at)));
    // A call knows its agent only once the customer has answered.
    let agent = contact
        .agent_id
        .as_ref()
        .filter(|_| contact.connected_at.is_some())
        .map(|id| json!({"Id": id}));
    [
        ("PreviousContactId", text(&contact.previous_contact_id)),
        ("RelatedContactId", text(&contact.related_contact_id)),
        ("Name", text(&contact.name)),
        ("Description", text(&contact.description)),
        (
            "QueueInfo",
            contact
                .queue_id
                .as_ref()
                .map(|id| json!({"Id": id, "EnqueueTimestamp": seconds(contact.initiated_at)})),
        ),
        ("AgentInfo", agent),
        ("ConnectedToSystemTimestamp", time(contact.connected_at)),
        ("DisconnectTimestamp", time(contact.disconnected_at)),
        ("ScheduledTimestamp", time(contact.scheduled_at)),
        (
            "DisconnectReason",
            contact.disconnect_reason.map(|reason| json!(reason)),
        ),
        ("CustomerEndpoint", endpoint(&contact.customer_endpoint)),
        ("SystemEndpoint", endpoint(&contact.system_endpoint)),
        (
            "SegmentAttributes",
            Some(json!({"connect:Subtype": {"ValueString": subtype(contact)}})),
        ),
    ]
}

pub fn subtype(contact: &Contact) -> &'static str {
    if contact.channel == "VOICE" {
        "connect:Telephony"
    } else {
        "connect:Task"
    }
}
