//! What is there at one moment, as the simulator's own state has it.

use std::collections::BTreeMap;

use reqwest::Method;
use serde_json::Value;

use super::super::super::rest::{list, text};
use super::super::super::{DevError, Result};
use super::{FUNCTIONS, Outbound, REGION, Site};

/// What is in the instance and at the limiter function at one moment.
#[derive(Debug)]
pub struct Seen {
    /// By queue id.
    pub queues: BTreeMap<String, Outbound>,
    pub flows: Vec<SeenFlow>,
    /// How often each limiter function's policy admits this instance.
    pub statements: BTreeMap<&'static str, usize>,
    /// How often the customer's fallback function's does.
    pub fallback: usize,
}

#[derive(Debug, Clone)]
pub struct SeenFlow {
    pub id: String,
    pub name: String,
    pub is_published: bool,
    /// What our tags say: which flow it is, and the customer's whisper behind it.
    pub ours: Option<(String, Option<String>)>,
    pub tags: BTreeMap<String, String>,
    /// As it is published.
    pub content: String,
    /// As it was last saved.
    pub draft: String,
}

impl Site {
    pub async fn look(&self) -> Result<Seen> {
        let of = [("instance_arn", self.customer.arn())];
        let state = self.customer.sim.get("state", &of).await?;
        let mut queues = BTreeMap::new();
        for queue in list(&state, "/instances/0/queues")? {
            let text = |name: &str| queue[name].as_str().map(str::to_owned);
            let outbound = Outbound {
                flow_id: text("outbound_flow_id"),
                name: text("caller_id_name"),
                number_id: text("caller_id_number_id"),
            };
            queues.insert(text("id").unwrap_or_default(), outbound);
        }
        Ok(Seen {
            queues,
            flows: list(&state, "/flows")?.iter().map(seen_flow).collect(),
            statements: self.statements().await?,
            fallback: self.fallback_statements().await?,
        })
    }

    async fn fallback_statements(&self) -> Result<usize> {
        let parameters = &self.customer.registered["onboarding"]["stack_parameters"];
        let connection = text(parameters, "/ConnectionId")?;
        let path = format!("ringfence-fallback-{connection}/policy");
        let admin = &self.customer.admin;
        let policy = admin.lambda(REGION, Method::GET, &path, None).await;
        self.admissions(policy)
    }

    /// How often a function's policy names this instance.
    fn admissions(&self, policy: Result<Value>) -> Result<usize> {
        match policy {
            Ok(answer) => {
                let policy = answer["Policy"].as_str().unwrap_or_default();
                Ok(policy.matches(self.customer.arn()).count())
            }
            Err(DevError::Refused { status: 404, .. }) => Ok(0),
            Err(err) => Err(err),
        }
    }

    async fn statements(&self) -> Result<BTreeMap<&'static str, usize>> {
        let mut statements = BTreeMap::new();
        for function in FUNCTIONS {
            let path = format!("{function}/policy");
            let policy = self.operator.lambda(REGION, Method::GET, &path, None).await;
            statements.insert(function, self.admissions(policy)?);
        }
        Ok(statements)
    }
}

impl SeenFlow {
    /// The customer's whisper that it goes on to, where it is not Connect's default.
    pub fn original(&self) -> Option<&str> {
        self.ours.as_ref()?.1.as_deref()
    }

    pub fn is_whisper_of_ours(&self) -> bool {
        matches!(&self.ours, Some((kind, _)) if kind == "whisper")
    }

    /// The limiter functions that it calls.
    pub fn calls(&self) -> Vec<&'static str> {
        let is_called = |function: &&str| self.content.contains(*function);
        FUNCTIONS.into_iter().filter(is_called).collect()
    }
}

fn seen_flow(flow: &Value) -> SeenFlow {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let tags = &flow["tags"];
    let ours = tags["managed-by"] == "ringfence";
    SeenFlow {
        id: text(&flow["id"]),
        name: text(&flow["name"]),
        is_published: flow["published"] == true && flow["archived"] != true,
        ours: ours.then(|| {
            let original = tags["ringfence-original"].as_str().map(str::to_owned);
            (text(&tags["ringfence-flow"]), original)
        }),
        tags: tags
            .as_object()
            .into_iter()
            .flatten()
            .map(|(key, value)| (key.clone(), text(value)))
            .collect(),
        content: text(&flow["content"]),
        draft: text(&flow["saved"]),
    }
}
