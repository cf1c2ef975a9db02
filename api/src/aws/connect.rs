//! Amazon Connect, reduced to the operations that installing and verifying need.
//!
//! Every request waits for the turn of its account and region. The SDK's own retries are off here, since they would not
//! wait for one. A change of a queue is never repeated blindly: what was read before it may be stale by then.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_connect::Client;
use aws_sdk_connect::operation::create_contact_flow::CreateContactFlowError;
use aws_sdk_connect::operation::update_contact_flow_content::UpdateContactFlowContentError;
use aws_sdk_connect::types::error::InvalidContactFlowException;
use aws_sdk_connect::types::{
    ContactFlowState, ContactFlowStatus, ContactFlowSummary, ContactFlowType, OutboundCallerConfig,
    QueueType,
};
use tokio::time::Instant;

use super::error::{AwsError, AwsErrorKind};
use super::pacing::{self, Pacer};
use crate::domain::pace::Quota;

const PAGE_SIZE: i32 = 100;

/// What Ringfence does inside one Amazon Connect instance.
pub trait ConnectInstance: Send + Sync {
    fn describe(&self) -> impl Future<Output = Result<InstanceFacts, AwsError>> + Send;
    /// Contact flows and outbound whispers; no other type concerns us.
    fn flows(&self) -> impl Future<Output = Result<Vec<FlowSummary>, AwsError>> + Send;
    fn flow(&self, flow_id: &str) -> impl Future<Output = Result<Flow, AwsError>> + Send;
    /// Publishes a new flow; answers its id.
    fn flow_create(&self, flow: &NewFlow) -> impl Future<Output = Result<String, AwsError>> + Send;
    fn flow_update(
        &self,
        flow_id: &str,
        content: &str,
    ) -> impl Future<Output = Result<(), AwsError>> + Send;
    fn flow_delete(&self, flow_id: &str) -> impl Future<Output = Result<(), AwsError>> + Send;
    /// Standard queues; agents' own queues cannot be dialled from.
    fn queues(&self) -> impl Future<Output = Result<Vec<QueueSummary>, AwsError>> + Send;
    fn queue(&self, queue_id: &str) -> impl Future<Output = Result<Queue, AwsError>> + Send;
    /// As [`Self::queue`], right before a change: that change then waits for no turn of its own, so that hardly anything
    /// can happen to the queue in between. The service keeps no lock on it.
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
    pub flow_type: FlowType,
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

/// [`ConnectInstance`] through the SDK.
#[derive(Debug, Clone)]
pub struct SdkConnectInstance {
    pub(super) client: Client,
    pub(super) instance_id: String,
    pacer: Pacer,
    /// When a turn was taken ahead for the change that follows a reading.
    in_hand: Arc<Mutex<Option<Instant>>>,
}

impl SdkConnectInstance {
    pub(super) fn new(client: Client, instance_id: String, pacer: Pacer) -> Self {
        Self {
            client,
            instance_id,
            pacer,
            in_hand: Arc::default(),
        }
    }

    pub(super) async fn paced<T, F, Fut>(
        &self,
        action: &'static str,
        request: F,
    ) -> Result<T, AwsError>
    where
        F: Fn() -> Fut + Send + Sync,
        Fut: Future<Output = Result<T, AwsError>> + Send,
    {
        self.pacer.send(action, Quota::Operations, request).await
    }

    /// Reads a queue; of the turns that were taken together, those that reading did not need are kept in hand.
    async fn queue_read(&self, queue_id: &str, turns: u32) -> Result<Queue, AwsError> {
        const ACTION: &str = "connect:DescribeQueue";
        let output = self
            .pacer
            .send_of(ACTION, Quota::Operations, turns, || async {
                let request = self
                    .client
                    .describe_queue()
                    .instance_id(&self.instance_id)
                    .queue_id(queue_id);
                request
                    .send()
                    .await
                    .map_err(|err| AwsError::from_sdk(ACTION, &err))
            })
            .await?;
        *self.in_hand() = (turns > 1).then(Instant::now);
        let queue = output.queue().ok_or_else(|| incomplete(ACTION))?;
        let outbound = queue.outbound_caller_config();
        Ok(Queue {
            id: queue.queue_id().unwrap_or(queue_id).to_owned(),
            arn: queue.queue_arn().unwrap_or_default().to_owned(),
            name: queue.name().unwrap_or_default().to_owned(),
            outbound: Outbound {
                caller_id_name: text(
                    outbound.and_then(OutboundCallerConfig::outbound_caller_id_name),
                ),
                caller_id_number_id: text(
                    outbound.and_then(OutboundCallerConfig::outbound_caller_id_number_id),
                ),
                flow_id: text(outbound.and_then(OutboundCallerConfig::outbound_flow_id))
                    .map(|id| plain_id(&id)),
            },
        })
    }

    fn in_hand(&self) -> MutexGuard<'_, Option<Instant>> {
        self.in_hand.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Uses up the turn that was taken ahead, unless it is too old to be one.
    fn turn_in_hand(&self) -> bool {
        self.in_hand()
            .take()
            .is_some_and(|since| since.elapsed() <= pacing::LATE_MAX)
    }
}

impl ConnectInstance for SdkConnectInstance {
    async fn describe(&self) -> Result<InstanceFacts, AwsError> {
        const ACTION: &str = "connect:DescribeInstance";
        let output = self
            .paced(ACTION, || async {
                let request = self
                    .client
                    .describe_instance()
                    .instance_id(&self.instance_id);
                request
                    .send()
                    .await
                    .map_err(|err| AwsError::from_sdk(ACTION, &err))
            })
            .await?;
        let instance = output.instance().ok_or_else(|| incomplete(ACTION))?;
        Ok(InstanceFacts {
            arn: instance.arn().ok_or_else(|| incomplete(ACTION))?.to_owned(),
            active: instance
                .instance_status()
                .is_some_and(|status| status.as_str() == "ACTIVE"),
            outbound_calls_enabled: instance.outbound_calls_enabled().unwrap_or_default(),
        })
    }

    async fn flows(&self) -> Result<Vec<FlowSummary>, AwsError> {
        const ACTION: &str = "connect:ListContactFlows";
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .paced(ACTION, || async {
                    let request = self
                        .client
                        .list_contact_flows()
                        .instance_id(&self.instance_id)
                        .contact_flow_types(ContactFlowType::ContactFlow)
                        .contact_flow_types(ContactFlowType::OutboundWhisper)
                        .max_results(PAGE_SIZE)
                        .set_next_token(token.clone());
                    request
                        .send()
                        .await
                        .map_err(|err| AwsError::from_sdk(ACTION, &err))
                })
                .await?;
            found.extend(
                page.contact_flow_summary_list()
                    .iter()
                    .filter_map(flow_summary),
            );
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn flow(&self, flow_id: &str) -> Result<Flow, AwsError> {
        const ACTION: &str = "connect:DescribeContactFlow";
        let output = self
            .paced(ACTION, || async {
                let request = self
                    .client
                    .describe_contact_flow()
                    .instance_id(&self.instance_id)
                    .contact_flow_id(flow_id);
                request
                    .send()
                    .await
                    .map_err(|err| AwsError::from_sdk(ACTION, &err))
            })
            .await?;
        let flow = output.contact_flow().ok_or_else(|| incomplete(ACTION))?;
        Ok(Flow {
            id: flow.id().unwrap_or(flow_id).to_owned(),
            name: flow.name().unwrap_or_default().to_owned(),
            content: flow.content().unwrap_or_default().to_owned(),
            sha256: flow.flow_content_sha256().map(str::to_owned),
            tags: flow.tags().into_iter().flatten().map(pair).collect(),
            usable: is_usable(flow.state(), flow.status()),
        })
    }

    async fn flow_create(&self, flow: &NewFlow) -> Result<String, AwsError> {
        const ACTION: &str = "connect:CreateContactFlow";
        let output = self
            .paced(ACTION, || async {
                let mut request = self
                    .client
                    .create_contact_flow()
                    .instance_id(&self.instance_id)
                    .name(&flow.name)
                    .r#type(sdk_type(flow.flow_type))
                    .description(&flow.description)
                    .content(&flow.content)
                    .status(ContactFlowStatus::Published);
                for (key, value) in &flow.tags {
                    request = request.tags(key, value);
                }
                request.send().await.map_err(|err| {
                    let refused = err.as_service_error().and_then(|service| match service {
                        CreateContactFlowError::InvalidContactFlowException(refused) => {
                            Some(problems(refused))
                        }
                        _ => None,
                    });
                    with_problems(AwsError::from_sdk(ACTION, &err), refused)
                })
            })
            .await?;
        output
            .contact_flow_id()
            .map(str::to_owned)
            .ok_or_else(|| incomplete(ACTION))
    }

    async fn flow_update(&self, flow_id: &str, content: &str) -> Result<(), AwsError> {
        const ACTION: &str = "connect:UpdateContactFlowContent";
        self.paced(ACTION, || async {
            let request = self
                .client
                .update_contact_flow_content()
                .instance_id(&self.instance_id)
                .contact_flow_id(flow_id)
                .content(content);
            request.send().await.map(drop).map_err(|err| {
                let refused = err.as_service_error().and_then(|service| match service {
                    UpdateContactFlowContentError::InvalidContactFlowException(refused) => {
                        Some(problems(refused))
                    }
                    _ => None,
                });
                with_problems(AwsError::from_sdk(ACTION, &err), refused)
            })
        })
        .await
    }

    async fn flow_delete(&self, flow_id: &str) -> Result<(), AwsError> {
        const ACTION: &str = "connect:DeleteContactFlow";
        self.paced(ACTION, || async {
            let request = self
                .client
                .delete_contact_flow()
                .instance_id(&self.instance_id)
                .contact_flow_id(flow_id);
            request
                .send()
                .await
                .map(drop)
                .map_err(|err| AwsError::from_sdk(ACTION, &err))
        })
        .await
    }

    async fn queues(&self) -> Result<Vec<QueueSummary>, AwsError> {
        const ACTION: &str = "connect:ListQueues";
        let mut found = Vec::new();
        let mut token: Option<String> = None;
        loop {
            let page = self
                .paced(ACTION, || async {
                    let request = self
                        .client
                        .list_queues()
                        .instance_id(&self.instance_id)
                        .queue_types(QueueType::Standard)
                        .max_results(PAGE_SIZE)
                        .set_next_token(token.clone());
                    request
                        .send()
                        .await
                        .map_err(|err| AwsError::from_sdk(ACTION, &err))
                })
                .await?;
            found.extend(page.queue_summary_list().iter().filter_map(|queue| {
                Some(QueueSummary {
                    id: queue.id()?.to_owned(),
                    arn: queue.arn()?.to_owned(),
                    name: queue.name().unwrap_or_default().to_owned(),
                })
            }));
            token = page.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
    }

    async fn queue(&self, queue_id: &str) -> Result<Queue, AwsError> {
        self.queue_read(queue_id, 1).await
    }

    async fn queue_in_hand(&self, queue_id: &str) -> Result<Queue, AwsError> {
        self.queue_read(queue_id, 2).await
    }

    async fn queue_set_outbound(
        &self,
        queue_id: &str,
        outbound: &Outbound,
    ) -> Result<(), AwsError> {
        const ACTION: &str = "connect:UpdateQueueOutboundCallerConfig";
        if !self.turn_in_hand() {
            self.pacer.turns(ACTION, Quota::Operations, 1).await?;
        }
        let config = OutboundCallerConfig::builder()
            .set_outbound_caller_id_name(outbound.caller_id_name.clone())
            .set_outbound_caller_id_number_id(outbound.caller_id_number_id.clone())
            .set_outbound_flow_id(outbound.flow_id.clone())
            .build();
        let request = self
            .client
            .update_queue_outbound_caller_config()
            .instance_id(&self.instance_id)
            .queue_id(queue_id)
            .outbound_caller_config(config);
        let sent = request.send().await;
        let answer = sent
            .map(drop)
            .map_err(|err| AwsError::from_sdk(ACTION, &err));
        if let Err(err) = &answer {
            self.pacer.after(err, Quota::Operations).await;
        }
        answer
    }
}

pub(super) fn incomplete(action: &'static str) -> AwsError {
    AwsError::transient(action, "the answer lacks what was asked for")
}

fn pair((key, value): (&String, &String)) -> (String, String) {
    (key.clone(), value.clone())
}

fn text(value: Option<&str>) -> Option<String> {
    value.filter(|value| !value.is_empty()).map(str::to_owned)
}

/// Flow ids may come back as whole ARNs.
fn plain_id(id_or_arn: &str) -> String {
    id_or_arn.rsplit('/').next().unwrap_or(id_or_arn).to_owned()
}

fn sdk_type(flow_type: FlowType) -> ContactFlowType {
    match flow_type {
        FlowType::ContactFlow => ContactFlowType::ContactFlow,
        FlowType::OutboundWhisper => ContactFlowType::OutboundWhisper,
    }
}

fn flow_summary(summary: &ContactFlowSummary) -> Option<FlowSummary> {
    let flow_type = match summary.contact_flow_type()? {
        ContactFlowType::ContactFlow => FlowType::ContactFlow,
        ContactFlowType::OutboundWhisper => FlowType::OutboundWhisper,
        _ => return None,
    };
    Some(FlowSummary {
        id: summary.id()?.to_owned(),
        name: summary.name().unwrap_or_default().to_owned(),
        flow_type,
        usable: is_usable(summary.contact_flow_state(), summary.contact_flow_status()),
    })
}

/// Absent state and status count as good: both members are younger than the operation.
fn is_usable(state: Option<&ContactFlowState>, status: Option<&ContactFlowStatus>) -> bool {
    state != Some(&ContactFlowState::Archived) && status != Some(&ContactFlowStatus::Saved)
}

fn problems(refused: &InvalidContactFlowException) -> Vec<String> {
    refused
        .problems()
        .iter()
        .filter_map(|problem| problem.message())
        .map(str::to_owned)
        .collect()
}

fn with_problems(err: AwsError, refused: Option<Vec<String>>) -> AwsError {
    match refused {
        Some(problems) => AwsError {
            kind: AwsErrorKind::InvalidFlow(problems),
            message: String::new(),
            ..err
        },
        None => err,
    }
}
