//! What a flow and a function see of a contact.
//!
//! The event has exactly the members that are documented. The agent is not among them: a flow has to pass it.

use serde_json::{Map, Value, json};

use crate::connect::describe_contact::subtype;
use crate::connect::model::{Contact, Instance};

/// What `$` names in the contact's flow.
pub fn document(instance: &Instance, contact: &Contact) -> Value {
    let mut document = json!({
        "Channel": contact.channel,
        "ContactId": contact.id,
        "InitialContactId": contact.initial_contact_id,
        "PreviousContactId": previous(contact),
        "RelatedContactId": contact.related_contact_id,
        "InitiationMethod": contact.initiation_method,
        "InstanceARN": instance.arn,
        "AwsRegion": instance.region,
        "LanguageCode": "en-US",
        "CustomerId": null,
        "Name": contact.name,
        "Description": contact.description,
        "References": contact.references,
        "CustomerEndpoint": endpoint(contact.customer_endpoint.as_deref()),
        "SystemEndpoint": endpoint(contact.system_endpoint.as_deref()),
        "Queue": queue(instance, contact),
        "Attributes": contact.attributes,
        "FlowAttributes": {},
        "SegmentAttributes": {"connect:Subtype": subtype(contact)},
        "External": {},
    });
    if let Some(user) = contact
        .agent_id
        .as_deref()
        .and_then(|id| instance.users.get(id))
        .filter(|_| contact.channel == "VOICE")
    {
        document["Agent"] = json!({
            "ARN": instance.resource_arn("agent", &user.id),
            "UserName": user.username,
            "FirstName": user.first_name,
            "LastName": user.last_name,
        });
    }
    document
}

/// The event a function is invoked with, as documented, with `overrides` merged into its contact data.
pub fn lambda_event(document: &Value, parameters: &Value, overrides: Option<&Value>) -> Value {
    let member = |name: &str| document.get(name).cloned().unwrap_or(Value::Null);
    let mut data = json!({
        "Attributes": member("Attributes"),
        "Channel": member("Channel"),
        "ContactId": member("ContactId"),
        "CustomerEndpoint": member("CustomerEndpoint"),
        "CustomerId": member("CustomerId"),
        "Description": member("Description"),
        "InitialContactId": member("InitialContactId"),
        "InitiationMethod": member("InitiationMethod"),
        "InstanceARN": member("InstanceARN"),
        "LanguageCode": member("LanguageCode"),
        "MediaStreams": {"Customer": {"Audio": null}},
        "Name": member("Name"),
        "PreviousContactId": member("PreviousContactId"),
        "Queue": member("Queue"),
        "References": member("References"),
        "SystemEndpoint": member("SystemEndpoint"),
    });
    if let Some(overrides) = overrides.and_then(Value::as_object) {
        merge(&mut data, overrides);
    }
    json!({"Name": "ContactFlowEvent", "Details": {"ContactData": data, "Parameters": parameters}})
}

/// A first contact counts as its own predecessor.
fn previous(contact: &Contact) -> &str {
    contact
        .previous_contact_id
        .as_deref()
        .unwrap_or(&contact.id)
}

fn endpoint(address: Option<&str>) -> Value {
    address.map_or(
        Value::Null,
        |address| json!({"Address": address, "Type": "TELEPHONE_NUMBER"}),
    )
}

fn queue(instance: &Instance, contact: &Contact) -> Value {
    let Some(queue) = contact
        .queue_id
        .as_deref()
        .and_then(|id| instance.queues.get(id))
    else {
        return Value::Null;
    };
    json!({
        "ARN": instance.resource_arn("queue", &queue.id),
        "Name": queue.name,
        "OutboundCallerId": endpoint(instance.caller_id(queue)),
    })
}

/// Merges as RFC 7396 does, but `null` stays as the value it is.
fn merge(target: &mut Value, patch: &Map<String, Value>) {
    for (name, value) in patch {
        match (target.get_mut(name), value) {
            (Some(inner @ Value::Object(_)), Value::Object(patch)) => merge(inner, patch),
            _ => target[name] = value.clone(),
        }
    }
}

/// A number as the event shows it: E.164 where it was dialled with its country code, otherwise as typed.
pub fn dialled_address(typed: &str, emergency_with_country_code: bool) -> String {
    let compact: String = typed
        .chars()
        .filter(|c| !matches!(c, ' ' | '-' | '(' | ')' | '.' | '/'))
        .collect();
    let digits = compact.strip_prefix('+').unwrap_or_default();
    let plausible = (7..=15).contains(&digits.len())
        && digits.bytes().all(|byte| byte.is_ascii_digit())
        && !digits.starts_with('0');
    if plausible {
        return compact;
    }
    if emergency_with_country_code && ["911", "933"].contains(&typed) {
        return format!("+1{typed}");
    }
    typed.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_with_a_country_code_become_e164_and_others_stay_as_typed() {
        assert_eq!(dialled_address("+1 (206) 555-0100", false), "+12065550100");
        assert_eq!(dialled_address("206 555 0100", false), "206 555 0100");
        assert_eq!(dialled_address("911", false), "911");
        assert_eq!(dialled_address("911", true), "+1911");
        assert_eq!(dialled_address("+0206555", false), "+0206555");
        assert_eq!(dialled_address("sip:jane", false), "sip:jane");
        assert_eq!(dialled_address("", false), "");
    }

    #[test]
    fn overrides_are_merged_into_the_contact_data() {
        let document = json!({"ContactId": "c", "Queue": {"ARN": "q", "Name": "n"}});
        let overrides = json!({"SystemEndpoint": null, "Queue": {"Name": "other"}, "New": 1});
        let event = lambda_event(&document, &json!({}), Some(&overrides));
        let data = &event["Details"]["ContactData"];
        assert_eq!(data["Queue"], json!({"ARN": "q", "Name": "other"}));
        assert_eq!(
            (&data["SystemEndpoint"], &data["New"], &data["ContactId"]),
            (&Value::Null, &json!(1), &json!("c"))
        );
    }
}
