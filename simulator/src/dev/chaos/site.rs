//! One instance of a customer, what its people last set, and what is there now.
//!
//! Everything is looked at through the simulator's own state, which no ordered fault reaches.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::aws::Aws;
use super::super::customer::{ContactCentre, Customer};
use super::super::rest::list;
use super::super::sim::Sim;
use super::super::{DevError, Result};
use super::script::{Edit, OWN_WHISPERS, Request, Script, Whisper};
use super::slot::Slot;

const REGION: &str = "us-east-1";
const NUMBERS: [&str; 5] = [
    "+12065550100",
    "+12065550101",
    "+12065550102",
    "+12065550103",
    "+12065550104",
];
const NAMES: [&str; 5] = ["Sales", "Support", "Claims", "Returns", "Renewals"];
/// The customer's own requests meet the ordered faults as well.
const TRIES_MAX: u32 = 30;

/// How a queue calls out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outbound {
    pub flow_id: Option<String>,
    pub name: Option<String>,
    pub number_id: Option<String>,
}

/// What is in the instance and at the limiter function at one moment.
#[derive(Debug)]
pub struct Seen {
    /// By queue id.
    pub queues: BTreeMap<String, Outbound>,
    pub flows: Vec<SeenFlow>,
    pub statements: usize,
}

#[derive(Debug, Clone)]
pub struct SeenFlow {
    pub id: String,
    pub name: String,
    pub is_published: bool,
    /// What our tags say: which flow it is, and the customer's whisper behind it.
    pub ours: Option<(String, Option<String>)>,
    pub content: Value,
}

pub struct Site {
    pub customer: Customer,
    operator: Aws,
    default_outbound: String,
    own: Vec<String>,
    /// What the customer last set, by queue id, in the order of the script's queues.
    pub wanted: Vec<(String, Outbound)>,
    /// Flows that were there before Ringfence came.
    pub theirs: Vec<SeenFlow>,
}

impl Site {
    /// An instance as the script has it, verified.
    pub async fn open(slot: &Slot, sim: &Sim, operator: &Aws, script: &Script) -> Result<Self> {
        let account = format!("{:012}", 300_000_000_000 + script.seed % 1_000_000_000);
        let queues: Vec<(&str, &str)> = NAMES
            .into_iter()
            .zip(NUMBERS)
            .take(script.queues.len())
            .collect();
        let centre = ContactCentre {
            account: &account,
            region: REGION,
            alias: "centre",
            queues: &queues,
            agents: &["ada"],
            without_tasks: &[],
        };
        let customer = Customer::open(sim, &slot.rest, &centre).await?;
        let mut own = Vec::new();
        for number in 0..OWN_WHISPERS {
            own.push(customer.own_whisper(&format!("Consent {number}")).await?);
        }
        let mut site = Self {
            default_outbound: customer.default_outbound().await?,
            customer,
            operator: operator.clone(),
            own,
            wanted: Vec::new(),
            theirs: Vec::new(),
        };
        let ids: Vec<String> = site
            .customer
            .made
            .queues
            .iter()
            .map(|queue| queue.id.clone())
            .collect();
        for (id, whisper) in ids.iter().zip(&script.queues) {
            if let Some(flow_id) = site.flow_of(*whisper) {
                let mut config = site.customer.queue_config(id).await?;
                config["OutboundFlowId"] = json!(flow_id);
                site.customer.set_queue_config(id, &config).await?;
            }
        }
        let name = format!("run {}", script.seed);
        site.customer.join(&name).await?;
        let seen = site.look().await?;
        site.wanted = ids
            .into_iter()
            .filter_map(|id| seen.queues.get(&id).cloned().map(|queue| (id, queue)))
            .collect();
        site.theirs = seen.flows;
        Ok(site)
    }

    fn flow_of(&self, whisper: Whisper) -> Option<String> {
        match whisper {
            Whisper::None => None,
            Whisper::Default => Some(self.default_outbound.clone()),
            Whisper::Own(number) => self.own.get(number).cloned(),
        }
    }

    pub fn default_outbound(&self) -> &str {
        &self.default_outbound
    }

    pub async fn ask(&self, request: &Request) -> Result<()> {
        let ids = |places: &Vec<usize>| -> Vec<&str> {
            let of = |place: &usize| self.wanted.get(*place).map(|(id, _)| id.as_str());
            places.iter().filter_map(of).collect()
        };
        let queues = match &request.queues {
            None => json!("all"),
            Some(places) => json!(ids(places)),
        };
        let body = json!({ "queues": queues, "existing_whisper": request.existing_whisper, "drift": "mend" });
        let path = self.customer.path("/installation");
        self.customer.rest.put(&path, &body).await.map(drop)
    }

    pub async fn ask_removal(&self) -> Result<()> {
        let path = self.customer.path("/installation");
        self.customer.rest.delete(&path).await.map(drop)
    }

    pub async fn installation(&self) -> Result<Value> {
        let path = self.customer.path("/installation");
        self.customer.rest.get(&path).await
    }

    /// The customer changes a queue by hand; false where the moment forbids it.
    pub async fn edit(&mut self, edit: Edit, held_path: &str) -> Result<bool> {
        let (Edit::Repoint { queue, .. } | Edit::Rename { queue }) = edit;
        let Some((id, _)) = self.wanted.get(queue).cloned() else {
            return Ok(false);
        };
        // The service has no lock: between our reading of a queue and our change of it, nobody could tell.
        if held_path.contains(&id) {
            return Ok(false);
        }
        let flow = match edit {
            Edit::Repoint { to, .. } => self.flow_of(to),
            Edit::Rename { .. } => None,
        };
        let mut tries = 0;
        let set = loop {
            let made = self.edit_once(&id, flow.as_deref()).await;
            tries += 1;
            match made {
                Err(err) if tries < TRIES_MAX && is_passing(&err) => {
                    sleep(Duration::from_millis(50)).await;
                }
                done => break done?,
            }
        };
        if let Some((_, wanted)) = self.wanted.get_mut(queue) {
            match flow {
                Some(flow) => wanted.flow_id = Some(flow),
                None => wanted.name = Some(set),
            }
        }
        Ok(true)
    }

    /// Answers the queue's caller id name after it.
    async fn edit_once(&self, queue: &str, flow: Option<&str>) -> Result<String> {
        let mut config = self.customer.queue_config(queue).await?;
        match flow {
            Some(flow) => config["OutboundFlowId"] = json!(flow),
            None => config["OutboundCallerIdName"] = json!("Renamed by the customer"),
        }
        self.customer.set_queue_config(queue, &config).await?;
        Ok(config["OutboundCallerIdName"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

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
        })
    }

    /// How often the limiter function's policy admits this instance.
    async fn statements(&self) -> Result<usize> {
        let policy = self
            .operator
            .lambda(
                REGION,
                reqwest::Method::GET,
                "ringfence-limiter-1/policy",
                None,
            )
            .await;
        match policy {
            Ok(answer) => {
                let policy = answer["Policy"].as_str().unwrap_or_default();
                Ok(policy.matches(self.customer.arn()).count())
            }
            Err(DevError::Refused { status: 404, .. }) => Ok(0),
            Err(err) => Err(err),
        }
    }
}

fn is_passing(err: &DevError) -> bool {
    match err {
        DevError::Refused { status, .. } => *status == 429 || *status >= 500,
        DevError::Unreachable { .. } => true,
        _ => false,
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
        content: flow["content"].clone(),
    }
}
