//! One instance of a customer, what its people last set, and what is there now.
//!
//! Everything is looked at through the simulator's own state, which no ordered fault reaches.

mod seen;

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::aws::Aws;
use super::super::customer::{ContactCentre, Customer};
use super::super::rest::{Rest, text};
use super::super::sim::Sim;
use super::super::{DevError, Result};
use super::script::{OWN_WHISPERS, Request, Script, Whisper};
use super::slot::Slot;

pub use seen::{Seen, SeenFlow};

pub const REGION: &str = "us-east-1";
/// The limiter functions by name.
pub const FUNCTIONS: [&str; 2] = ["ringfence-limiter-1", "ringfence-limiter-2"];
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

pub struct Site {
    pub customer: Customer,
    pub operator: Aws,
    default_outbound: String,
    pub own: Vec<String>,
    /// What the customer last set, by queue id, in the order of the script's queues; then those opened later.
    pub wanted: Vec<(String, Outbound)>,
    /// Queues that were closed since.
    pub closed: BTreeSet<String>,
    /// Flows that are the customer's, each as the customer last left it.
    pub theirs: Vec<SeenFlow>,
    /// Whispers of the customer's own that were deleted.
    pub gone: BTreeSet<String>,
    /// Those in the archive: a queue can be given none of them.
    pub shelved: BTreeSet<String>,
    /// Those that nothing can be put in front of.
    pub bloated: BTreeSet<String>,
    pub default_renamed: bool,
    /// How often whispers of the customer's own were edited.
    pub edits: u32,
    /// Ringfence's flows that the customer deleted, or took out of the archive.
    pub deleted: BTreeSet<String>,
    /// Those whose tags the customer took away, which are the customer's since; with those tags.
    pub untagged: BTreeMap<String, Value>,
    /// Those in the archive.
    pub archived: BTreeSet<String>,
    /// Those with another name.
    pub renamed: BTreeSet<String>,
    /// Queues with the flow of Ringfence's that the customer pointed each at: it may be deleted under it.
    pub pointed: BTreeSet<(String, String)>,
    /// Ringfence's flows that the customer edited.
    pub edited: BTreeSet<String>,
    /// The customer's own flow under a name of Ringfence's.
    pub squatter: Option<String>,
    /// The operator has moved the instance.
    pub moved: bool,
    /// A limiter function was kept from letting the instance in.
    pub unpermitted: bool,
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
            closed: BTreeSet::new(),
            theirs: Vec::new(),
            gone: BTreeSet::new(),
            shelved: BTreeSet::new(),
            bloated: BTreeSet::new(),
            default_renamed: false,
            edits: 0,
            deleted: BTreeSet::new(),
            untagged: BTreeMap::new(),
            archived: BTreeSet::new(),
            renamed: BTreeSet::new(),
            pointed: BTreeSet::new(),
            edited: BTreeSet::new(),
            squatter: None,
            moved: false,
            unpermitted: false,
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
        if script.denies() {
            site.deploy_fallback().await?;
        }
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

    /// Whether people can give a queue this whisper.
    pub fn is_choosable(&self, flow: &str) -> bool {
        !self.gone.contains(flow) && !self.shelved.contains(flow)
    }

    /// The queue of this place, as long as it is open.
    pub fn queue_at(&self, place: usize) -> Option<(String, Outbound)> {
        let found = self.wanted.get(place)?;
        (!self.closed.contains(&found.0)).then(|| found.clone())
    }

    /// Places, ids and what is wanted of the queues that are open.
    pub fn open_queues(&self) -> impl Iterator<Item = (usize, &String, &Outbound)> {
        let all = self.wanted.iter().enumerate();
        all.map(|(place, (id, wanted))| (place, id, wanted))
            .filter(|(_, id, _)| !self.closed.contains(*id))
    }

    /// Of queues, only those that are open are asked for, as long as there is one.
    pub async fn ask(&self, request: &Request) -> Result<()> {
        let queues = match &request.queues {
            None => json!("all"),
            Some(places) => {
                let open = self
                    .open_queues()
                    .filter(|(place, ..)| places.contains(place));
                let mut ids: Vec<&String> = open.map(|(_, id, _)| id).collect();
                if ids.is_empty() {
                    let first = places.first().and_then(|place| self.wanted.get(*place));
                    ids.extend(first.map(|(id, _)| id));
                }
                json!(ids)
            }
        };
        let mut body = json!({
            "queues": queues,
            "existing_whisper": request.existing_whisper,
            "drift": request.drift,
            "on_limiter_unavailable": request.on_limiter_unavailable,
        });
        if !request.prefix_filter.is_empty() {
            body["prefix_filter"] = json!(request.prefix_filter);
        }
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

    /// As the onboarding offers it.
    async fn deploy_fallback(&self) -> Result<()> {
        let offered = &self.customer.registered["onboarding"];
        let template = self
            .customer
            .offered(&text(offered, "/fallback/template_url")?)
            .await?;
        let stack = json!({
            "account_id": self.customer.account,
            "region": self.customer.region,
            "template": template,
            "parameters": { "ConnectionId": offered["stack_parameters"]["ConnectionId"] },
            "stack_name": "ringfence-fallback",
        });
        self.customer.sim.post("stacks", &stack).await.map(drop)
    }
}
