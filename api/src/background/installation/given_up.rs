//! An instance that a tenant has given up: nothing in it can be reached any more, so that only our own side is cleared.

use crate::aws::{
    AwsError, AwsErrorKind, ConnectInstance, CreatedFlow, Flow, FlowSummary, FunctionPermissions,
    InstanceFacts, InvokePermission, NewFlow, Outbound, Queue, QueueSummary,
};

/// Answers as an instance that does not exist, and asks nobody.
#[derive(Debug, Clone, Copy)]
pub struct GivenUp;

fn gone<T>(action: &'static str) -> Result<T, AwsError> {
    Err(AwsError {
        action,
        kind: AwsErrorKind::NotFound,
        message: "the instance was given up".to_owned(),
    })
}

impl ConnectInstance for GivenUp {
    async fn describe(&self) -> Result<InstanceFacts, AwsError> {
        gone("connect:DescribeInstance")
    }

    async fn flows(&self) -> Result<Vec<FlowSummary>, AwsError> {
        gone("connect:ListContactFlows")
    }

    async fn flow(&self, _: &str) -> Result<Flow, AwsError> {
        gone("connect:DescribeContactFlow")
    }

    async fn flow_in_hand(&self, _: &str) -> Result<Flow, AwsError> {
        gone("connect:DescribeContactFlow")
    }

    async fn flow_create(&self, _: &NewFlow) -> Result<CreatedFlow, AwsError> {
        gone("connect:CreateContactFlow")
    }

    async fn flow_update(&self, _: &str, _: &str) -> Result<(), AwsError> {
        gone("connect:UpdateContactFlowContent")
    }

    async fn flow_delete(&self, _: &str) -> Result<(), AwsError> {
        gone("connect:DeleteContactFlow")
    }

    async fn queues(&self) -> Result<Vec<QueueSummary>, AwsError> {
        gone("connect:ListQueues")
    }

    async fn queue(&self, _: &str) -> Result<Queue, AwsError> {
        gone("connect:DescribeQueue")
    }

    async fn queue_in_hand(&self, _: &str) -> Result<Queue, AwsError> {
        gone("connect:DescribeQueue")
    }

    async fn queue_set_outbound(&self, _: &str, _: &Outbound) -> Result<(), AwsError> {
        gone("connect:UpdateQueueOutboundCallerConfig")
    }
}

/// The customer's function is out of reach as well.
impl FunctionPermissions for GivenUp {
    async fn is_granted(&self, _: &InvokePermission) -> Result<bool, AwsError> {
        Ok(false)
    }

    async fn grant(&self, _: &InvokePermission) -> Result<(), AwsError> {
        gone("lambda:AddPermission")
    }

    async fn revoke(&self, _: &str, _: &str) -> Result<(), AwsError> {
        Ok(())
    }
}
