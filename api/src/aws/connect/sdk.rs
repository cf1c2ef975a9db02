//! Every request waits for the turn of its account and region. The SDK's own retries are off here, since they would not
//! wait for one. A change is never repeated blindly: it may have been made, and what was read before it may be stale by then.

use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_sdk_connect::Client;
use aws_sdk_connect::operation::create_contact_flow::CreateContactFlowError;
use aws_sdk_connect::operation::update_contact_flow_content::UpdateContactFlowContentError;
use aws_sdk_connect::types::{ContactFlowStatus, OutboundCallerConfig, QueueType};
use tokio::time::Instant;

use super::conversions::{
    flow_summary, is_usable, pair, plain_id, problems, sdk_type, text, with_problems,
};
use super::{
    ConnectInstance, CreatedFlow, Flow, FlowSummary, InstanceFacts, NewFlow, Outbound, Queue,
    QueueSummary,
};
use crate::aws::error::AwsError;
use crate::aws::pacing::{self, Pacer};
use crate::aws::paging::PAGE_SIZE;
use crate::domain::pace::Quota;

/// [`ConnectInstance`] through the SDK.
#[derive(Debug, Clone)]
pub struct SdkConnectInstance {
    pub(in crate::aws) client: Client,
    pub(in crate::aws) instance_id: String,
    pacer: Pacer,
    /// When a turn was taken ahead for the change that follows a reading.
    in_hand: Arc<Mutex<Option<Instant>>>,
}

impl SdkConnectInstance {
    pub(in crate::aws) fn new(client: Client, instance_id: String, pacer: Pacer) -> Self {
        Self {
            client,
            instance_id,
            pacer,
            in_hand: Arc::default(),
        }
    }

    pub(in crate::aws) async fn paced<T, F, Fut>(
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

    /// Reads a flow; of the turns that were taken together, those that reading did not need are kept in hand.
    async fn flow_read(&self, flow_id: &str, turns: u32) -> Result<Flow, AwsError> {
        const ACTION: &str = "connect:DescribeContactFlow";
        let output = self
            .pacer
            .send_of(ACTION, Quota::Operations, turns, || async {
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
        *self.in_hand() = (turns > 1).then(Instant::now);
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

    /// Uses up the turn that was taken ahead with a reading; false: too old to be one, and so is what was read.
    fn turn_in_hand(&self) -> Option<bool> {
        let since = self.in_hand().take()?;
        Some(since.elapsed() <= pacing::LATE_MAX)
    }

    /// Sends a change with the turn that was taken with the reading before it.
    async fn sent_once(
        &self,
        action: &'static str,
        request: impl Future<Output = Result<(), AwsError>> + Send,
    ) -> Result<(), AwsError> {
        let request = Box::pin(request);
        match self.turn_in_hand() {
            Some(true) => {}
            // Somebody may have made another change while we were held up.
            Some(false) => {
                return Err(AwsError::not_sent(
                    action,
                    "what was read before this change is too old by now",
                ));
            }
            None => self.pacer.turns(action, Quota::Operations, 1).await?,
        }
        let answer = request.await;
        if let Err(err) = &answer {
            self.pacer.after(err, Quota::Operations).await;
        }
        answer
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
        let request = self
            .client
            .list_contact_flows()
            .instance_id(&self.instance_id)
            .max_results(PAGE_SIZE);
        let page = |token| {
            let page = request.clone().set_next_token(token).send();
            async move { page.await.map_err(|err| AwsError::from_sdk(ACTION, &err)) }
        };
        let pages = self.pages(ACTION, page, |page| page.next_token()).await?;
        let flows = pages
            .iter()
            .flat_map(|page| page.contact_flow_summary_list());
        Ok(flows.filter_map(flow_summary).collect())
    }

    async fn flow(&self, flow_id: &str) -> Result<Flow, AwsError> {
        self.flow_read(flow_id, 1).await
    }

    async fn flow_in_hand(&self, flow_id: &str) -> Result<Flow, AwsError> {
        self.flow_read(flow_id, 2).await
    }

    async fn flow_create(&self, flow: &NewFlow) -> Result<CreatedFlow, AwsError> {
        const ACTION: &str = "connect:CreateContactFlow";
        let output = self
            .pacer
            .send_change(ACTION, Quota::Operations, || async {
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
        let id = output.contact_flow_id().ok_or_else(|| incomplete(ACTION))?;
        Ok(CreatedFlow {
            id: id.to_owned(),
            sha256: output.flow_content_sha256().map(str::to_owned),
        })
    }

    async fn flow_update(&self, flow_id: &str, content: &str) -> Result<(), AwsError> {
        const ACTION: &str = "connect:UpdateContactFlowContent";
        let request = self
            .client
            .update_contact_flow_content()
            .instance_id(&self.instance_id)
            .contact_flow_id(flow_id)
            .content(content);
        self.sent_once(ACTION, async {
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
        let request = self
            .client
            .delete_contact_flow()
            .instance_id(&self.instance_id)
            .contact_flow_id(flow_id);
        self.sent_once(ACTION, async {
            let sent = request.send().await;
            sent.map(drop)
                .map_err(|err| AwsError::from_sdk(ACTION, &err))
        })
        .await
    }

    async fn queues(&self) -> Result<Vec<QueueSummary>, AwsError> {
        const ACTION: &str = "connect:ListQueues";
        let request = self
            .client
            .list_queues()
            .instance_id(&self.instance_id)
            .queue_types(QueueType::Standard)
            .max_results(PAGE_SIZE);
        let page = |token| {
            let page = request.clone().set_next_token(token).send();
            async move { page.await.map_err(|err| AwsError::from_sdk(ACTION, &err)) }
        };
        let pages = self.pages(ACTION, page, |page| page.next_token()).await?;
        let queues = pages.iter().flat_map(|page| page.queue_summary_list());
        let found = queues.filter_map(|queue| {
            Some(QueueSummary {
                id: queue.id()?.to_owned(),
                arn: queue.arn()?.to_owned(),
                name: queue.name().unwrap_or_default().to_owned(),
            })
        });
        Ok(found.collect())
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
        self.sent_once(ACTION, async {
            let sent = request.send().await;
            sent.map(drop)
                .map_err(|err| AwsError::from_sdk(ACTION, &err))
        })
        .await
    }
}

pub(in crate::aws) fn incomplete(action: &'static str) -> AwsError {
    AwsError::transient(action, "the answer lacks what was asked for")
}
