//! A store in memory that runs the limiter's protocol: append, decide, mark, sometimes prune.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_policy::{
    Attempt, ContactKey, Decision, Entry, EntryStatus, Log, Number, OwnEntry, Owner, Plan, Policy,
    PolicyDraft, decide::decide, prunable,
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
}

impl World {
    pub fn append(&mut self, plan: &Plan<'_>, now: Timestamp) {
        for key in plan.meters() {
            self.logs
                .entry(key.as_str().to_owned())
                .or_default()
                .push(plan.entry(now));
        }
    }

    pub fn read(&self, plan: &Plan<'_>) -> Vec<Log> {
        let stored = |key: &str| self.logs.get(key).cloned().unwrap_or_default();
        plan.meters()
            .iter()
            .map(|key| Log::decode(stored(key.as_str()).iter().map(Entry::encode)))
            .collect()
    }

    pub fn mark(&mut self, plan: &Plan<'_>, decision: &Decision, who: ContactKey) {
        for (key, own) in plan.meters().iter().zip(&decision.own_entries) {
            let status = match own {
                OwnEntry::Keep => continue,
                OwnEntry::Void => EntryStatus::Void,
                OwnEntry::CountAsDenied => EntryStatus::Denied,
            };
            for entry in self.logs.get_mut(key.as_str()).unwrap() {
                if entry.contact == who && entry.status == EntryStatus::Admitted {
                    entry.status = status;
                }
            }
        }
    }

    pub fn prune(&mut self, plan: &Plan<'_>, now: Timestamp) {
        self.prune_at_most(usize::MAX, plan, now);
    }

    /// One conditional write removes only so many places, the first ones.
    pub fn prune_at_most(&mut self, most: usize, plan: &Plan<'_>, now: Timestamp) {
        for (index, log) in self.read(plan).iter().enumerate() {
            let stored = self.logs.get_mut(plan.meters()[index].as_str()).unwrap();
            let removed = prunable(plan, index, log, now).into_iter().take(most);
            for place in removed.collect::<Vec<_>>().into_iter().rev() {
                stored.remove(place);
            }
        }
    }

    /// One whole attempt.
    pub fn dial(&mut self, policy: &Policy, attempt: &Attempt, now: Timestamp) -> Decision {
        let plan = Plan::new(policy, OWNER, attempt);
        self.append(&plan, now);
        let decision = decide(&plan, &self.read(&plan), now);
        self.mark(&plan, &decision, attempt.contact);
        decision
    }
}
