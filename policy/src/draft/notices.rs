//! Reads how agents are told: the policy's `notices` and a rule's own text.

use std::collections::BTreeMap;

use super::code;
use super::node::Node;
use super::reader::Fields;
use crate::notices::{Language, NoticeTemplate, Notices};
use crate::zone::Zone;

const TEMPLATE_MAX: usize = 1000;
const AGENTS_MAX: usize = 500;
const AGENT_ARN_MAX: usize = 250;

pub(super) fn read(policy: &mut Fields<'_>) -> Notices {
    let pointer = policy.pointer_to("notices");
    let Some(node) = policy.node("notices") else {
        return Notices::default();
    };
    let Some(mut fields) = Fields::open(pointer, node, policy.faults()) else {
        return Notices::default();
    };
    let language = fields.choice("language", &[("en", Language::En), ("es", Language::Es)]);
    let time_zone = fields
        .node("time_zone")
        .and_then(|node| zone(&mut fields, "time_zone", node));
    let agent_time_zones = agent_time_zones(&mut fields);
    fields.close();
    Notices {
        language: language.unwrap_or_default(),
        time_zone: time_zone.unwrap_or_default(),
        agent_time_zones,
    }
}

/// The zone that a member names.
pub(super) fn zone(fields: &mut Fields<'_>, member: &str, node: Node) -> Option<Zone> {
    let name = fields.text_of(member, node)?;
    let zone = Zone::parse(&name);
    if zone.is_none() {
        fields.fault(
            member,
            code::INVALID,
            "must be a time zone's IANA name, such as \"America/New_York\"",
        );
    }
    zone
}

fn agent_time_zones(notices: &mut Fields<'_>) -> BTreeMap<String, Zone> {
    let mut zones = BTreeMap::new();
    let pointer = notices.pointer_to("agent_time_zones");
    let Some(node) = notices.node("agent_time_zones") else {
        return zones;
    };
    let Some(mut agents) = Fields::open(pointer, node, notices.faults()) else {
        return zones;
    };
    let arns = agents.names();
    let count = arns.len();
    for arn in arns {
        if !is_agent(&arn) {
            agents.fault(&arn, code::INVALID, "must be named by an agent's ARN");
        }
        let read = agents.required(&arn, |agents, node| zone(agents, &arn, node));
        if let Some(zone) = read {
            zones.insert(arn, zone);
        }
    }
    agents.close();
    if count > AGENTS_MAX {
        notices.fault(
            "agent_time_zones",
            code::OUT_OF_RANGE,
            format!("must have at most {AGENTS_MAX} agents"),
        );
    }
    zones
}

fn is_agent(arn: &str) -> bool {
    let resource = arn
        .strip_prefix("arn:")
        .and_then(|rest| rest.split_once(":connect:"));
    let parts = resource.and_then(|(_, resource)| resource.rsplit_once("/agent/"));
    arn.len() <= AGENT_ARN_MAX
        && parts.is_some_and(|(instance, id)| {
            let of_an_id = |c: char| c.is_ascii_alphanumeric() || c == '-';
            instance.contains(":instance/") && !id.is_empty() && id.chars().all(of_an_id)
        })
}

pub(super) fn template(rule: &mut Fields<'_>) -> Option<NoticeTemplate> {
    let text = rule.text("notice", |text| super::rule::at_most(text, TEMPLATE_MAX))?;
    match NoticeTemplate::parse(&text) {
        Ok(template) => Some(template),
        Err(detail) => {
            rule.fault("notice", code::INVALID, detail);
            None
        }
    }
}
