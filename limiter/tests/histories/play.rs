//! Plays a program: hands deliveries to processes, lets time go by, and writes down what was answered.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::json;
use tokio::task::JoinSet;

use crate::actors::Actor;
use crate::front::Front;
use crate::history::{Answered, Contact, Delivery, History, Meter, Standing};
use crate::lists::{self, Change, Entry};
use crate::names::{
    contact_id, contact_of, event, instance_arn, listed_key, read, snapshot, tenant_id,
};
use crate::program::{Dial, Program, Step};
use crate::stage::{Stage, Totals};

pub struct Played {
    pub history: History,
    pub tape: Vec<(u64, String)>,
    pub totals: Totals,
}

struct Player<'p> {
    program: &'p Program,
    number: u32,
    front: Front,
    stage: Arc<Stage>,
    actors: Vec<Arc<Actor>>,
    now_ms: i64,
    under_way: JoinSet<Delivery>,
    deliveries: Vec<Delivery>,
    listed: Vec<Change>,
}

/// Plays the program under a number that no other history on this store has at the time.
pub async fn play(program: &Program, number: u32, front: &Front, actors: &[Arc<Actor>]) -> Played {
    let stage = Stage::new(program.profile);
    front.open_stage(number, &stage);
    let mut player = Player {
        program,
        number,
        front: front.clone(),
        stage: stage.clone(),
        actors: actors.to_vec(),
        now_ms: program.starts_ms,
        under_way: JoinSet::new(),
        deliveries: Vec::new(),
        listed: Vec::new(),
    };
    for step in &program.steps {
        player.step(step).await;
    }
    player.settle().await;
    let history = player.written_down();
    player.clear();
    front.close_stage(number);
    Played {
        history,
        tape: stage.tape(),
        totals: stage.totals(),
    }
}

impl Player<'_> {
    async fn step(&mut self, step: &Step) {
        match step {
            Step::Dial(dial) => self.dial(dial),
            Step::Pass(ms) => {
                self.now_ms += ms;
                self.stage.note(format!("{ms} ms go by"));
            }
            Step::Settle => self.settle().await,
            Step::Publish(index) => self.publish(*index),
            Step::List { customer, entry } => self.list(*customer, *entry),
            Step::Kill(process) => {
                self.stage.note(format!("process {process} is killed"));
                if self.actors[*process].kill().await {
                    self.stage.killed();
                }
            }
            Step::Outage(out) => {
                self.stage.note(format!("outage: {out:?}"));
                self.stage.outage(*out);
            }
            Step::Calm => self.stage.calm(),
            Step::Probe { first, at_most } => self.probe(first, *at_most).await,
        }
    }

    fn dial(&mut self, dial: &Dial) {
        let delivery = deliver(
            self.stage.clone(),
            self.actors[dial.process].clone(),
            self.number,
            dial.clone(),
            self.now_ms + dial.skew_ms,
        );
        self.under_way.spawn(delivery);
    }

    async fn settle(&mut self) {
        let from = self.deliveries.len();
        while let Some(delivery) = self.under_way.join_next().await {
            self.deliveries.push(delivery.unwrap());
        }
        // What a killed process had sent may still arrive.
        while !self.stage.is_quiet() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        for delivery in &mut self.deliveries[from..] {
            if delivery.answered == Answered::Nothing {
                delivery.ended = self.stage.next();
            }
        }
    }

    async fn probe(&mut self, first: &Dial, at_most: u64) {
        for further in 0..at_most {
            self.dial(&Dial {
                contact: first.contact + further,
                ..first.clone()
            });
            self.settle().await;
            if self.deliveries.last().is_some_and(Delivery::is_denied) {
                return;
            }
        }
    }

    fn publish(&mut self, index: usize) {
        let policy = &self.program.policies[index];
        self.stage
            .note(format!("policy {} is published", policy.version));
        for instance in 0..self.program.instances {
            let snapshot = snapshot(self.number, instance, policy.version, policy);
            self.front.ask("PutItem", &json!({
                "TableName": "ringfence-policies",
                "Item": {"pk": {"S": instance_arn(self.number, instance)}, "snapshot": {"S": snapshot.to_string()}}
            }));
        }
    }

    fn list(&mut self, customer: u8, entry: Option<Entry>) {
        let told = format!("customer {customer} is listed as {entry:?}");
        let document = lists::document(&tenant_id(self.number), customer, entry);
        let began = self.stage.next();
        self.front.ask("PutItem", &json!({
            "TableName": "ringfence-policies",
            "Item": {"pk": {"S": listed_key(self.number, customer)}, "entry": {"S": document.to_string()}}
        }));
        let ended = self.stage.next();
        self.stage.note(told);
        self.listed.push(Change {
            customer,
            entry,
            began,
            ended,
        });
    }

    fn written_down(&mut self) -> History {
        let meters = self.stage.meters();
        let meters = meters.into_iter().map(|key| self.meter(key));
        let records = self.stage.records();
        let records: BTreeMap<Contact, String> =
            records.iter().filter_map(|key| self.outcome(key)).collect();
        History {
            policies: self.program.policies.clone(),
            meters: meters.collect(),
            deliveries: std::mem::take(&mut self.deliveries),
            listed: std::mem::take(&mut self.listed),
            stopped: self.stage.stopped(),
            records,
        }
    }

    fn outcome(&self, key: &str) -> Option<(Contact, String)> {
        let item = self.item("ringfence-decisions", key);
        let record = item["record"]["S"].as_str()?;
        let record: serde_json::Value = serde_json::from_str(record).unwrap();
        let contact = crate::names::contact_of_id(record["contact_id"].as_str()?)?.1;
        Some((contact, record["outcome"].as_str()?.to_owned()))
    }

    fn item(&self, table: &str, key: &str) -> serde_json::Value {
        let asked = json!({"TableName": table, "Key": {"pk": {"S": key}}, "ConsistentRead": true});
        self.front.ask("GetItem", &asked)["Item"].take()
    }

    fn meter(&self, key: String) -> Meter {
        let item = self.item("ringfence-meters", &key);
        let mut meter = Meter {
            summarised: item.get("past").is_some(),
            key,
            ..Meter::default()
        };
        let mut released = Vec::new();
        for place in item["log"]["L"].as_array().into_iter().flatten() {
            let Some((status, at_ms, contact)) = place["B"].as_str().and_then(entry) else {
                meter.unreadable += 1;
                continue;
            };
            let standing = match status {
                // The store took it after the same delivery's place had been released.
                0 if released.contains(&(at_ms, contact)) => Standing::Void,
                0 | 3 => Standing::Admitted,
                1 | 4 => Standing::Void,
                _ => Standing::Denied,
            };
            if matches!(status, 1 | 2) {
                released.push((at_ms, contact));
            }
            meter.entries.push((standing, at_ms, contact));
        }
        meter
    }

    /// The next histories need the room.
    fn clear(&self) {
        let policies =
            (0..self.program.instances).map(|instance| instance_arn(self.number, instance));
        let listed = (0..self.program.customers).map(|customer| listed_key(self.number, customer));
        let all = [
            ("ringfence-meters", self.stage.meters()),
            ("ringfence-decisions", self.stage.records()),
            ("ringfence-policies", policies.chain(listed).collect()),
        ];
        for (table, keys) in all {
            for key in keys {
                self.front.ask(
                    "DeleteItem",
                    &json!({"TableName": table, "Key": {"pk": {"S": key}}}),
                );
            }
        }
    }
}

async fn deliver(
    stage: Arc<Stage>,
    actor: Arc<Actor>,
    number: u32,
    dial: Dial,
    clock_ms: i64,
) -> Delivery {
    let contact_id = contact_id(number, dial.contact);
    let killed = stage.watch(dial.contact);
    let began = stage.next();
    let told = tokio::select! {
        biased;
        () = killed.notified() => {
            actor.kill().await;
            None
        }
        told = actor.deliver(event(number, dial.contact, &dial.dialled), &contact_id, clock_ms) => told,
    };
    let ended = stage.next();
    stage.unwatch(&killed);
    let (answered, version) = told
        .as_ref()
        .map_or((Answered::Nothing, None), |told| read(&told.answer));
    Delivery {
        contact: dial.contact,
        process: dial.process,
        dialled: dial.dialled,
        clock_ms,
        began,
        ended,
        answered,
        version,
        admits_failure: told.is_some_and(|told| told.admits_failure),
    }
}

/// Status, time and contact of an entry of a meter's log, as `docs/limits.md` describes it.
fn entry(text: &str) -> Option<(u8, i64, Contact)> {
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let (status, rest) = bytes.split_first()?;
    let at_ms = rest
        .get(..6)?
        .iter()
        .fold(0, |at_ms, byte| at_ms << 8 | i64::from(*byte));
    let contact = contact_of(rest.get(6..)?)?.1;
    (*status <= 5).then_some((*status, at_ms, contact))
}
