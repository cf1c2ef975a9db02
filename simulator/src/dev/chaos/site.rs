//! One instance of a customer, what its people last set, and what is there now.
//!
//! Everything is looked at through the simulator's own state, which no ordered fault reaches.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::aws::Aws;
use super::super::customer::{ContactCentre, Customer};
use super::super::rest::{Rest, list};
use super::super::sim::Sim;
use super::super::{DevError, Result};
use super::script::{OWN_WHISPERS, Request, Script, Whisper};
use super::slot::Slot;

const REGION: &str = "us-east-1";
/// The limiter functions by name.
const FUNCTIONS: [&str; 2] = ["ringfence-limiter-1", "ringfence-limiter-2"];
const NUMBERS: [&str; 5] = [
    "+12065550100",
    "+12065550101",
    "+12065550102",
    "+12065550103",
    "+12065550104",
];
const NAMES: [&str; 5] = ["Sales", "Support", "Claims", "Returns", "Renewals"];

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
    /// How often each limiter function's policy admits this instance.
    pub statements: BTreeMap<&'static str, usize>,
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
    /// Ringfence's flows that the customer deleted.
    pub deleted: BTreeSet<String>,
    /// Queues with the flow of Ringfence's that the customer pointed each at: it may be deleted under it.
    pub pointed: BTreeSet<(String, String)>,
    /// Ringfence's flows that the customer edited.
    pub edited: BTreeSet<String>,
    /// The customer's own flow under a name of Ringfence's.
    pub squatter: Option<String>,
    /// The operator has moved the instance.
    pub moved: bool,
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
            deleted: BTreeSet::new(),
            pointed: BTreeSet::new(),
            edited: BTreeSet::new(),
            squatter: None,
            moved: false,
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

    pub fn flow_of(&self, whisper: Whisper) -> Option<String> {
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

    /// The instance goes to the other function, where it is placed and not on its way already.
    pub async fn ask_move(&mut self, operator: &Rest) -> Result<()> {
        let wanted = json!({ "instance_id": self.customer.id });
        match operator.post("/v1/shard-moves", &wanted).await {
            Ok(_) => {
                self.moved = true;
                Ok(())
            }
            Err(DevError::Refused { status: 409, .. }) => Ok(()),
            Err(err) => Err(err),
        }
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

    async fn statements(&self) -> Result<BTreeMap<&'static str, usize>> {
        let mut statements = BTreeMap::new();
        for function in FUNCTIONS {
            let path = format!("{function}/policy");
            let policy = self
                .operator
                .lambda(REGION, reqwest::Method::GET, &path, None)
                .await;
            let count = match policy {
                Ok(answer) => {
                    let policy = answer["Policy"].as_str().unwrap_or_default();
                    policy.matches(self.customer.arn()).count()
                }
                Err(DevError::Refused { status: 404, .. }) => 0,
                Err(err) => return Err(err),
            };
            statements.insert(function, count);
        }
        Ok(statements)
    }
}

impl SeenFlow {
    /// The limiter functions that it calls.
    pub fn calls(&self) -> Vec<&'static str> {
        let content = self.content.to_string();
        let is_called = |function: &&str| content.contains(*function);
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
        content: flow["content"].clone(),
    }
}
