//! The simulator's control API, seen from a test or the demo.

use serde::Deserialize;
use serde_json::{Value, json};

use super::aws::Keys;
use super::rest::{answer, client, text};
use super::{DevError, Result};

#[derive(Debug, Clone)]
pub struct Sim {
    http: reqwest::Client,
    base: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct InstanceMade {
    pub instance_arn: String,
    pub queues: Vec<QueueMade>,
    pub agents: Vec<AgentMade>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct QueueMade {
    pub id: String,
    pub arn: String,
    pub name: String,
}

#[derive(Debug, Clone, Deserialize)]
pub struct AgentMade {
    pub id: String,
    pub arn: String,
    pub username: String,
}

/// One dial by an agent.
#[derive(Debug, Clone)]
pub struct Dial {
    pub instance_arn: String,
    pub agent_id: String,
    pub queue_id: Option<String>,
    pub to: Option<String>,
    /// How often Connect delivers the event of this one contact.
    pub deliveries: Option<u32>,
    /// Merged into the event's ContactData.
    pub event_overrides: Option<Value>,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Call {
    pub contact_id: String,
    pub outcome: String,
    #[serde(default)]
    pub steps: Vec<Value>,
    #[serde(default)]
    pub lambda: Vec<Invocation>,
    #[serde(default)]
    pub ms: Value,
}

#[derive(Debug, Clone, Deserialize)]
pub struct Invocation {
    #[serde(default)]
    pub ms: Value,
    #[serde(default)]
    pub error: Option<Value>,
    #[serde(default)]
    pub response: Option<Value>,
}

impl Call {
    pub fn rang(&self) -> bool {
        self.outcome == "rang"
    }

    pub fn stopped_before_ringing(&self) -> bool {
        self.outcome == "stopped_before_ringing"
    }

    /// A value of the limiter's last answer to the flow.
    pub fn told(&self, key: &str) -> Option<&str> {
        self.lambda
            .iter()
            .rev()
            .find_map(|entry| entry.response.as_ref())?
            .get(key)?
            .as_str()
    }
}

impl Sim {
    pub fn new(base: &str) -> Self {
        Self {
            http: client(),
            base: base.to_owned(),
        }
    }

    pub fn base(&self) -> &str {
        &self.base
    }

    pub async fn account(&self, account_id: &str) -> Result<Keys> {
        Keys::read(
            &self
                .post("accounts", &json!({ "account_id": account_id }))
                .await?,
        )
    }

    pub async fn role_credentials(&self, role_arn: &str) -> Result<Keys> {
        Keys::read(
            &self
                .post("role-credentials", &json!({ "role_arn": role_arn }))
                .await?,
        )
    }

    /// Deploys a template and returns its outputs.
    pub async fn stack(
        &self,
        account_id: &str,
        region: &str,
        template: &str,
        parameters: &Value,
    ) -> Result<Value> {
        let body = json!({
            "account_id": account_id, "region": region, "template": template, "parameters": parameters,
        });
        Ok(self.post("stacks", &body).await?["outputs"].clone())
    }

    pub async fn instance(&self, body: &Value) -> Result<InstanceMade> {
        read(self.post("instances", body).await?)
    }

    pub async fn function(&self, body: &Value) -> Result<String> {
        text(&self.post("functions", body).await?, "/function_arn")
    }

    pub async fn call(&self, dial: &Dial) -> Result<Call> {
        let mut body =
            json!({ "instance_arn": dial.instance_arn, "agent_id": dial.agent_id, "to": dial.to });
        if let Some(queue) = &dial.queue_id {
            body["queue_id"] = json!(queue);
        }
        if let Some(deliveries) = dial.deliveries {
            body["deliveries"] = json!(deliveries);
        }
        if let Some(overrides) = &dial.event_overrides {
            body["event_overrides"] = overrides.clone();
        }
        read(self.post("calls", &body).await?)
    }

    pub async fn tasks(&self, instance_arn: &str) -> Result<Vec<Value>> {
        let answer = self.get("tasks", &[("instance_arn", instance_arn)]).await?;
        let list = answer
            .as_array()
            .or_else(|| answer["tasks"].as_array())
            .or_else(|| answer["data"].as_array());
        list.cloned()
            .ok_or_else(|| DevError::Unexpected(format!("no list of tasks in {answer}")))
    }

    pub async fn complete_task(&self, contact_id: &str) -> Result<()> {
        self.post(&format!("tasks/{contact_id}/complete"), &json!({}))
            .await
            .map(drop)
    }

    pub async fn get(&self, path: &str, query: &[(&str, &str)]) -> Result<Value> {
        let url = format!("{}/_sim/{path}", self.base);
        answer("GET", &url, self.http.get(&url).query(query)).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Result<Value> {
        let url = format!("{}/_sim/{path}", self.base);
        answer("POST", &url, self.http.post(&url).json(body)).await
    }

    pub async fn delete(&self, path: &str) -> Result<Value> {
        let url = format!("{}/_sim/{path}", self.base);
        answer("DELETE", &url, self.http.delete(&url)).await
    }
}

fn read<T: serde::de::DeserializeOwned>(answer: Value) -> Result<T> {
    T::deserialize(&answer)
        .map_err(|err| DevError::Unexpected(format!("the simulator answered {answer}: {err}")))
}
