//! A store in memory that runs the limiter's protocol: append, decide, mark, sometimes compact.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_policy::{
    Attempt, ContactKey, Decision, Entry, EntryStatus, Log, Number, Owner, Plan, Policy,
    PolicyDraft, compact, decide::decide,
};

pub const OWNER: Owner<'static> = Owner {
    instance_arn: "arn:aws:connect:us-east-1:111122223333:instance/one",
    tenant_id: "ten_1",
};

pub fn policy(document: serde_json::Value) -> Policy {
    serde_json::from_value::<PolicyDraft>(document)
        .unwrap()
        .check()
        .unwrap()
}

pub fn at(ms: i64) -> Timestamp {
    Timestamp::from_millisecond(ms).unwrap()
}

pub fn contact(number: u64) -> ContactKey {
    ContactKey((u128::from(number) + 1).to_be_bytes())
}

pub fn attempt(contact_number: u64, customer: &str, caller_id: &str) -> Attempt {
    let number = |text: &str| match text {
        "" => None,
        text if text.starts_with('+') => Some(Number::E164(text.to_owned())),
        text => Some(Number::Raw(text.to_owned())),
    };
    Attempt {
        contact: contact(contact_number),
        customer: number(customer),
        customer_country: None,
        caller_id: number(caller_id),
        agent: None,
        queue: None,
        attributes: BTreeMap::new(),
        dialled: vec![customer.to_owned()],
    }
}

#[derive(Clone, Default)]
pub struct World {
    pub logs: BTreeMap<String, Vec<Entry>>,
    pub pasts: BTreeMap<String, Vec<u8>>,
}

impl World {
    pub fn append(&mut self, plan: &Plan<'_>, now: Timestamp) {
        for key in plan.meters() {
            self.logs
                .entry(key.stored())
                .or_default()
                .push(plan.entry(now));
        }
    }

    pub fn read(&self, plan: &Plan<'_>) -> Vec<Log> {
        let log = |key: &str| {
            let entries = self.logs.get(key).cloned().unwrap_or_default();
            let past = self.pasts.get(key).map(Vec::as_slice);
            Log::decode(past, entries.iter().map(Entry::encode))
        };
        plan.meters().iter().map(|key| log(&key.stored())).collect()
    }

    pub fn decide(&self, plan: &Plan<'_>, now: Timestamp) -> Decision {
        decide(plan, &self.read(plan), None, now)
    }

    pub fn mark(&mut self, plan: &Plan<'_>, decision: &Decision, who: ContactKey) {
        for (key, own) in plan.meters().iter().zip(&decision.own_entries) {
            let Some(status) = own.mark() else { continue };
            for entry in self.logs.get_mut(&key.stored()).unwrap() {
                if entry.contact == who && entry.status == EntryStatus::Admitted {
                    entry.status = status;
                }
            }
        }
    }

    /// One conditional write has room for only so many places.
    pub fn compact(&mut self, most: usize, plan: &Plan<'_>, now: Timestamp) {
        for (index, log) in self.read(plan).iter().enumerate() {
            let Some(compaction) = compact(plan, index, log, now, most) else {
                continue;
            };
            assert!(compaction.remove.len() <= most);
            assert!(compaction.remove.is_sorted());
            let key = plan.meters()[index].stored();
            let stored = self.logs.get_mut(&key).unwrap();
            for place in compaction.remove.into_iter().rev() {
                stored.remove(place);
            }
            if let Some(past) = compaction.past {
                self.pasts.insert(key, past);
            }
        }
    }

    /// One whole attempt.
    pub fn dial(&mut self, policy: &Policy, attempt: &Attempt, now: Timestamp) -> Decision {
        let plan = Plan::new(policy, OWNER, attempt);
        self.append(&plan, now);
        let decision = self.decide(&plan, now);
        self.mark(&plan, &decision, attempt.contact);
        decision
    }
}
