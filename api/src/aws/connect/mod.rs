//! Amazon Connect, reduced to the operations that installing and verifying need.

mod conversions;
mod sdk;

use std::collections::BTreeMap;
use std::future::Future;

use super::error::AwsError;

pub use sdk::SdkConnectInstance;
pub(in crate::aws) use sdk::incomplete;

/// What Ringfence does inside one Amazon Connect instance.
pub trait ConnectInstance: Send + Sync {
    fn describe(&self) -> impl Future<Output = Result<InstanceFacts, AwsError>> + Send;
    /// Flows of every type: their names are unique across the types.
    fn flows(&self) -> impl Future<Output = Result<Vec<FlowSummary>, AwsError>> + Send;
    fn flow(&self, flow_id: &str) -> impl Future<Output = Result<Flow, AwsError>> + Send;
    /// As [`Self::flow`], right before a change: that change then waits for no turn of its own, so that hardly anything can
    /// happen to the flow in between. The service keeps no lock on it.
    fn flow_in_hand(&self, flow_id: &str) -> impl Future<Output = Result<Flow, AwsError>> + Send;
    /// Publishes a new flow. After a passing failure it may be there all the same.
    fn flow_create(
        &self,
        flow: &NewFlow,
    ) -> impl Future<Output = Result<CreatedFlow, AwsError>> + Send;
    /// Sent once: whoever sends it again reads the flow again first.
    fn flow_update(
        &self,
        flow_id: &str,
        content: &str,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;
    /// Sent once, as well.
    fn flow_delete(&self, flow_id: &str) -> impl Future<Output = Result<(), AwsError>> + Send;
    /// Standard queues; agents' own queues cannot be dialled from.
    fn queues(&self) -> impl Future<Output = Result<Vec<QueueSummary>, AwsError>> + Send;
    fn queue(&self, queue_id: &str) -> impl Future<Output = Result<Queue, AwsError>> + Send;
    /// As [`Self::flow_in_hand`].
    fn queue_in_hand(&self, queue_id: &str)
    -> impl Future<Output = Result<Queue, AwsError>> + Send;
    /// Replaces the queue's whole outbound configuration, as the service demands. Sent once: whoever sends it again reads
    /// the queue again first.
    fn queue_set_outbound(
        &self,
        queue_id: &str,
        outbound: &Outbound,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstanceFacts {
    pub arn: String,
    pub active: bool,
    pub outbound_calls_enabled: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FlowType {
    ContactFlow,
    OutboundWhisper,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlowSummary {
    pub id: String,
    pub name: String,
    /// None: a type of which Ringfence has no flows.
    pub flow_type: Option<FlowType>,
    pub usable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    pub id: String,
    pub name: String,
    pub content: String,
    /// The service's digest of the published content, where it gives one.
    pub sha256: Option<String>,
    pub tags: BTreeMap<String, String>,
    pub usable: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewFlow {
    pub name: String,
    pub flow_type: FlowType,
    pub description: String,
    pub content: String,
    pub tags: BTreeMap<String, String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreatedFlow {
    pub id: String,
    /// The service's digest of the content, where it gives one.
    pub sha256: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueSummary {
    pub id: String,
    pub arn: String,
    pub name: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outbound {
    pub caller_id_name: Option<String>,
    pub caller_id_number_id: Option<String>,
    pub flow_id: Option<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Queue {
    pub id: String,
    pub arn: String,
    pub name: String,
    pub outbound: Outbound,
}
