//! What the customer's people do in their own instance, as administrators of their account: whispers and queues.

use reqwest::Method;
use serde_json::{Value, json};

use super::customer::Customer;
use super::rest::{list, text};
use super::{DevError, Result};

impl Customer {
    /// Gives a queue a whisper of the customer's own, and returns the flow's id.
    pub async fn play_own_whisper(&self, queue: &str) -> Result<String> {
        let flow_id = self.own_whisper("Consent").await?;
        let queue = &self.queue(queue)?.id;
        let mut config = self.queue_config(queue).await?;
        config["OutboundFlowId"] = json!(flow_id);
        self.set_queue_config(queue, &config).await?;
        Ok(flow_id)
    }

    /// Changes what a whisper of the customer's own says.
    pub async fn edit_whisper(&self, flow_id: &str, text: &str) -> Result<()> {
        let path = format!("/contact-flows/{}/{flow_id}/content", self.connect_id());
        let body = json!({ "Content": saying(text).to_string() });
        self.admin
            .connect(&self.region, Method::POST, &path, Some(&body))
            .await
            .map(drop)
    }

    /// Publishes a whisper of the customer's own, and returns its id.
    pub async fn own_whisper(&self, name: &str) -> Result<String> {
        self.own_flow(name, "OUTBOUND_WHISPER").await
    }

    /// Of a type that knows prompts and can end.
    pub async fn own_flow(&self, name: &str, flow_type: &str) -> Result<String> {
        let content = saying("This call may be recorded.").to_string();
        let flow = json!({ "Name": name, "Type": flow_type, "Content": content });
        let path = format!("/contact-flows/{}", self.connect_id());
        let made = self
            .admin
            .connect(&self.region, Method::PUT, &path, Some(&flow))
            .await?;
        text(&made, "/ContactFlowId")
    }

    /// What is gone already is deleted.
    pub async fn delete_flow(&self, flow_id: &str) -> Result<()> {
        let path = format!("/contact-flows/{}/{flow_id}", self.connect_id());
        let deleted = self
            .admin
            .connect(&self.region, Method::DELETE, &path, None)
            .await;
        match deleted {
            Ok(_) | Err(DevError::Refused { status: 404, .. }) => Ok(()),
            Err(err) => Err(err),
        }
    }

    pub async fn set_queue_config(&self, queue: &str, config: &Value) -> Result<()> {
        let path = format!(
            "/queues/{}/{queue}/outbound-caller-config",
            self.connect_id()
        );
        let body = json!({ "OutboundCallerConfig": config });
        self.admin
            .connect(&self.region, Method::POST, &path, Some(&body))
            .await
            .map(drop)
    }

    /// Each queue's id and how it calls out.
    pub async fn queue_configs(&self) -> Result<Vec<(String, Value)>> {
        let mut configs = Vec::new();
        for queue in &self.made.queues {
            configs.push((queue.id.clone(), self.queue_config(&queue.id).await?));
        }
        Ok(configs)
    }

    pub async fn queue_config(&self, queue: &str) -> Result<Value> {
        let path = format!("/queues/{}/{queue}", self.connect_id());
        let found = self
            .admin
            .connect(&self.region, Method::GET, &path, None)
            .await?;
        Ok(found["Queue"]["OutboundCallerConfig"].clone())
    }

    pub async fn whispers(&self) -> Result<Vec<Value>> {
        let path = format!(
            "/contact-flows-summary/{}?contactFlowTypes=OUTBOUND_WHISPER",
            self.connect_id()
        );
        let flows = self
            .admin
            .connect(&self.region, Method::GET, &path, None)
            .await?;
        list(&flows, "/ContactFlowSummaryList").map(<[Value]>::to_vec)
    }

    /// The flow that Connect runs on queues without a whisper of their own.
    pub async fn default_outbound(&self) -> Result<String> {
        let flows = self.whispers().await?;
        match flows.iter().find(|flow| flow["Name"] == "Default outbound") {
            Some(flow) => text(flow, "/Id"),
            None => Err(DevError::Unexpected(format!(
                "no Default outbound flow among {flows:?}"
            ))),
        }
    }
}

fn saying(text: &str) -> Value {
    json!({
        "Version": "2019-10-30",
        "StartAction": "consent",
        "Metadata": {},
        "Actions": [
            {
                "Identifier": "consent",
                "Type": "MessageParticipant",
                "Parameters": { "Text": text },
                "Transitions": {
                    "NextAction": "done",
                    "Errors": [{ "ErrorType": "NoMatchingError", "NextAction": "done" }],
                },
            },
            { "Identifier": "done", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} },
        ],
    })
}
