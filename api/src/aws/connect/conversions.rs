//! Between the SDK's types and ours. Pure.

use aws_sdk_connect::types::error::InvalidContactFlowException;
use aws_sdk_connect::types::{
    ContactFlowState, ContactFlowStatus, ContactFlowSummary, ContactFlowType,
};

use super::{FlowSummary, FlowType};
use crate::aws::error::{AwsError, AwsErrorKind};

pub(super) fn pair((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

pub(super) fn text(value: Option<&str>) -> Option<String> {
    value.filter(|value| !value.is_empty()).map(str::to_owned)
}

/// Flow ids may come back as whole ARNs.
pub(super) fn plain_id(id_or_arn: &str) -> String {
    id_or_arn.rsplit('/').next().unwrap_or(id_or_arn).to_owned()
}

pub(super) fn sdk_type(flow_type: FlowType) -> ContactFlowType {
    match flow_type {
        FlowType::ContactFlow => ContactFlowType::ContactFlow,
        FlowType::OutboundWhisper => ContactFlowType::OutboundWhisper,
    }
}

pub(super) fn flow_summary(summary: &ContactFlowSummary) -> Option<FlowSummary> {
    let flow_type = match summary.contact_flow_type() {
        Some(ContactFlowType::ContactFlow) => Some(FlowType::ContactFlow),
        Some(ContactFlowType::OutboundWhisper) => Some(FlowType::OutboundWhisper),
        Some(_) | None => None,
    };
    Some(FlowSummary {
        id: summary.id()?.to_owned(),
        name: summary.name().unwrap_or_default().to_owned(),
        flow_type,
        usable: is_usable(summary.contact_flow_state(), summary.contact_flow_status()),
    })
}

/// Absent state and status count as good: both members are younger than the operation.
pub(super) fn is_usable(
    state: Option<&ContactFlowState>,
    status: Option<&ContactFlowStatus>,
) -> bool {
    state != Some(&ContactFlowState::Archived) && status != Some(&ContactFlowStatus::Saved)
}

pub(super) fn problems(refused: &InvalidContactFlowException) -> Vec<String> {
    refused
        .problems()
        .iter()
        .filter_map(|problem| problem.message())
        .map(str::to_owned)
        .collect()
}

pub(super) fn with_problems(err: AwsError, refused: Option<Vec<String>>) -> AwsError {
    match refused {
        Some(problems) => AwsError {
            kind: AwsErrorKind::InvalidFlow(problems),
            message: String::new(),
            ..err
        },
        None => err,
    }
}
