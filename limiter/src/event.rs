//! The event that Connect sends, read as leniently as it is written: everything but the contact and the instance may be
//! missing, null or of another shape.
//!
//! Failure: an event that names no contact or no instance is an [`EventError`] that names the field and repeats nothing.

use ringfence_policy::ContactKey;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

/// AWS allows 256 characters in a contact id.
const CONTACT_ID_MAX: usize = 256;
/// Connect keeps no more than this of all of a contact's attributes together.
const ATTRIBUTE_MAX: usize = 32 * 1024;

#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed event: {field} {problem}")]
pub struct EventError {
    pub field: &'static str,
    pub problem: &'static str,
}

/// An instance's ARN, taken apart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InstanceArn {
    pub arn: String,
    pub region: String,
    /// The id by which Connect's operations know the instance.
    pub id: String,
}

impl InstanceArn {
    fn parse(arn: String) -> Option<Self> {
        let parts: Vec<&str> = arn.split(':').collect();
        let ["arn", _, "connect", region, _, resource] = parts.as_slice() else {
            return None;
        };
        let id = resource.strip_prefix("instance/")?;
        if region.is_empty() || id.is_empty() || id.contains('/') {
            return None;
        }
        let (region, id) = ((*region).to_owned(), id.to_owned());
        Some(Self { arn, region, id })
    }

    fn has_agent(&self, arn: &str) -> bool {
        let agent = arn
            .strip_prefix(&self.arn)
            .and_then(|rest| rest.strip_prefix("/agent/"));
        agent.is_some_and(|id| !id.is_empty())
    }
}

/// One dial as the event tells it. `Debug` shows no number.
#[derive(Clone)]
pub struct Call {
    pub instance: InstanceArn,
    pub contact_id: String,
    pub customer_address: Option<String>,
    pub caller_id_address: Option<String>,
    pub agent_arn: Option<String>,
    pub queue_arn: Option<String>,
    attributes: Map<String, Value>,
}

impl std::fmt::Debug for Call {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Call")
            .field("instance", &self.instance)
            .field("contact_id", &self.contact_id)
            .finish_non_exhaustive()
    }
}

impl Call {
    pub fn read(mut event: Value) -> Result<Self, EventError> {
        let wrong = |field, problem| EventError { field, problem };
        if !event.is_object() {
            return Err(wrong("event", "must be an object"));
        }
        let details = event
            .get_mut("Details")
            .filter(|details| details.is_object());
        let details = details.ok_or(wrong("Details", "is missing"))?;
        let contact = details
            .get_mut("ContactData")
            .filter(|data| data.is_object());
        let contact = contact.ok_or(wrong("Details.ContactData", "is missing"))?;
        let attributes = match contact.get_mut("Attributes").map(Value::take) {
            Some(Value::Object(attributes)) => attributes,
            _ => Map::new(),
        };
        let contact = &*contact;
        let contact_id = text(contact, "/ContactId")
            .ok_or(wrong("Details.ContactData.ContactId", "is missing"))?;
        if contact_id.len() > CONTACT_ID_MAX {
            return Err(wrong("Details.ContactData.ContactId", "is too long"));
        }
        let arn = text(contact, "/InstanceARN")
            .ok_or(wrong("Details.ContactData.InstanceARN", "is missing"))?;
        let instance = InstanceArn::parse(arn).ok_or(wrong(
            "Details.ContactData.InstanceARN",
            "is no instance's ARN",
        ))?;
        let mut call = Self {
            agent_arn: None,
            caller_id_address: text(contact, "/Queue/OutboundCallerId/Address")
                .or_else(|| text(contact, "/SystemEndpoint/Address")),
            customer_address: text(contact, "/CustomerEndpoint/Address"),
            queue_arn: text(contact, "/Queue/ARN"),
            attributes,
            contact_id,
            instance,
        };
        // A flow can pass anything; only an agent of this very instance is believed.
        call.agent_arn =
            text(details, "/Parameters/AgentARN").filter(|arn| call.instance.has_agent(arn));
        if let Some(caller_id) = text(details, "/Parameters/CallerId") {
            call.caller_id_address = Some(caller_id);
        }
        Ok(call)
    }

    /// A contact attribute, as far as it is text of a size that Connect keeps.
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let value = self.attributes.get(name)?.as_str()?;
        (value.len() <= ATTRIBUTE_MAX).then_some(value)
    }

    /// Who the contact is in a meter's log.
    pub fn contact_key(&self) -> ContactKey {
        if let Ok(id) = uuid::Uuid::try_parse(&self.contact_id) {
            return ContactKey(*id.as_bytes());
        }
        let digest: [u8; 32] = Sha256::digest(self.contact_id.as_bytes()).into();
        let (half, _) = digest.split_at(16);
        ContactKey(half.try_into().unwrap_or_default())
    }
}

/// A text with something in it, wherever the event has one. Control characters are dropped: nobody dials them, and not
/// every store takes them.
fn text(within: &Value, pointer: &str) -> Option<String> {
    let text = within.pointer(pointer)?.as_str()?;
    let text = text.replace(char::is_control, "");
    (!text.trim().is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const INSTANCE: &str = "arn:aws:connect:us-east-1:111122223333:instance/one";

    fn event(contact_data: Value, parameters: Value) -> Value {
        let mut data =
            json!({"ContactId": "4a573372-1f28-4e26-b97b-0123456789ab", "InstanceARN": INSTANCE});
        data.as_object_mut()
            .unwrap()
            .extend(contact_data.as_object().unwrap().clone());
        json!({"Name": "ContactFlowEvent", "Details": {"ContactData": data, "Parameters": parameters}})
    }

    #[test]
    fn nulls_other_shapes_and_unknown_members_are_fine() {
        let data = json!({
            "CustomerEndpoint": null, "SystemEndpoint": {"Address": null}, "Queue": {"ARN": 7, "OutboundCallerId": []},
            "MediaStreams": {"Customer": {"Audio": null}}, "New": [1]
        });
        let call = Call::read(event(
            data,
            json!({"AgentARN": {"nested": true}, "Other": {"x": 1}}),
        ))
        .unwrap();
        assert!(
            call.customer_address.is_none()
                && call.caller_id_address.is_none()
                && call.agent_arn.is_none()
        );
        assert!(call.queue_arn.is_none());
        assert!(Call::read(event(json!({}), Value::Null)).is_ok());
    }

    #[test]
    fn what_is_missing_is_named() {
        let field = |event| Call::read(event).map(|_| ()).unwrap_err().field;
        assert_eq!(field(json!([])), "event");
        assert_eq!(field(json!({})), "Details");
        assert_eq!(
            field(json!({"Details": {"ContactData": null}})),
            "Details.ContactData"
        );
        assert_eq!(
            field(event(json!({"ContactId": ""}), json!({}))),
            "Details.ContactData.ContactId"
        );
        assert_eq!(
            field(event(json!({"ContactId": "x".repeat(300)}), json!({}))),
            "Details.ContactData.ContactId"
        );
        for arn in [
            json!(null),
            json!("arn:aws:connect:us-east-1:1:instance/"),
            json!("arn:aws:s3:r:1:instance/x"),
        ] {
            assert_eq!(
                field(event(json!({"InstanceARN": arn}), json!({}))),
                "Details.ContactData.InstanceARN"
            );
        }
    }

    #[test]
    fn the_caller_id_is_the_most_specific_one_told() {
        let of = |data, parameters| {
            Call::read(event(data, parameters))
                .unwrap()
                .caller_id_address
                .unwrap()
        };
        let queue = json!({"OutboundCallerId": {"Address": "queue"}});
        let system = json!({"Address": "system"});
        let all = json!({"Queue": queue, "SystemEndpoint": system});
        assert_eq!(
            of(all.clone(), json!({"CallerId": "parameter"})),
            "parameter"
        );
        assert_eq!(of(all, json!({"CallerId": ""})), "queue");
        assert_eq!(of(json!({"SystemEndpoint": system}), json!({})), "system");
    }

    #[test]
    fn attributes_are_taken_as_far_as_they_are_text_of_a_size_that_connect_keeps() {
        let attributes = json!({"campaign": "spring", "odd": {"nested": 1}, "long": "x".repeat(ATTRIBUTE_MAX + 1)});
        let call = Call::read(event(json!({"Attributes": attributes}), json!({}))).unwrap();
        let told = ["campaign", "odd", "long", "absent"].map(|name| call.attribute(name));
        assert_eq!(told, [Some("spring"), None, None, None]);
        assert!(Call::read(event(json!({"Attributes": "odd"}), json!({}))).is_ok());
    }

    #[test]
    fn control_characters_are_dropped_from_what_was_dialled() {
        let dialled = json!({"CustomerEndpoint": {"Address": "+1206\u{0}5550100\n"}});
        let call = Call::read(event(dialled, json!({}))).unwrap();
        assert_eq!(call.customer_address.as_deref(), Some("+12065550100"));
    }

    #[test]
    fn an_agent_of_another_instance_is_not_believed() {
        let agent = |arn: &str| {
            Call::read(event(json!({}), json!({"AgentARN": arn})))
                .unwrap()
                .agent_arn
        };
        assert!(agent(&format!("{INSTANCE}/agent/7")).is_some());
        assert!(agent(&format!("{INSTANCE}2/agent/7")).is_none());
        assert!(agent(&format!("{INSTANCE}/agent/")).is_none());
    }

    #[test]
    fn a_contact_has_one_key_whatever_its_id_looks_like() {
        let key = |id: &str| {
            Call::read(event(json!({"ContactId": id}), json!({})))
                .unwrap()
                .contact_key()
        };
        assert_eq!(key("4a573372-1f28-4e26-b97b-0123456789ab").0[0], 0x4a);
        assert_eq!(key("odd"), key("odd"));
        assert_ne!(key("odd"), key("even"));
    }
}
