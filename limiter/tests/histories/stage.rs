//! Where one history plays: its troubles, what of it is under way, and a tape of everything that reached the store.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::sync::Notify;

use crate::faults::{Fate, Outage, Profile, Trouble};
use crate::history::Contact;

#[derive(Clone, Copy, Debug, Default)]
pub struct Totals {
    pub requests: u64,
    pub troubles: u64,
    pub lost_answers: u64,
    pub carried_out_late: u64,
    pub kills: u64,
}

#[derive(Default)]
struct State {
    seen: HashMap<String, u32>,
    meters: BTreeSet<String>,
    records: BTreeSet<String>,
    stopped: BTreeSet<Contact>,
    tape: Vec<(u64, String)>,
    under_way: usize,
    calm: bool,
    outage: Option<Outage>,
    /// Whom to tell that the process is killed in which the contact is being handled.
    at_risk: Vec<(Contact, Arc<Notify>)>,
    totals: Totals,
}

pub struct Stage {
    profile: Profile,
    order: AtomicU64,
    state: Mutex<State>,
}

impl Stage {
    pub fn new(profile: Profile) -> Arc<Self> {
        Arc::new(Self {
            profile,
            order: AtomicU64::new(0),
            state: Mutex::default(),
        })
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap()
    }

    /// The next number of the one order in which things are noted.
    pub fn next(&self) -> u64 {
        self.order.fetch_add(1, Ordering::SeqCst)
    }

    pub fn note(&self, what: String) {
        let mut state = self.state();
        let at = self.next();
        state.tape.push((at, what));
    }

    /// No troubles from here on.
    pub fn calm(&self) {
        self.state().calm = true;
    }

    pub fn outage(&self, out: Option<Outage>) {
        self.state().outage = out;
    }

    /// A request arrives; what is to become of it.
    pub fn arrives(&self, identity: &str, contact: Option<Contact>) -> Fate {
        let mut state = self.state();
        state.under_way += 1;
        state.totals.requests += 1;
        let occurrence = {
            let seen = state.seen.entry(identity.to_owned()).or_default();
            *seen += 1;
            *seen - 1
        };
        if state.calm {
            return Fate::default();
        }
        let mut fate = self.profile.fate(identity, occurrence, contact.is_some());
        let is_out = match state.outage {
            Some(Outage::All) => true,
            Some(Outage::Records) => identity.starts_with("PutItem"),
            None => false,
        };
        if is_out {
            fate.trouble = Some(Trouble::Refused(500, "InternalServerError"));
        }
        if let Some(trouble) = fate.trouble {
            state.totals.troubles += 1;
            let late = matches!(trouble, Trouble::CarriedOutLate(_));
            state.totals.lost_answers += u64::from(trouble == Trouble::AnswerLost);
            state.totals.carried_out_late += u64::from(late);
            let at = self.next();
            state.tape.push((at, format!("{identity}: {trouble:?}")));
        }
        fate
    }

    pub fn departs(&self) {
        self.state().under_way -= 1;
    }

    pub fn is_quiet(&self) -> bool {
        self.state().under_way == 0
    }

    pub fn meter_seen(&self, key: &str) {
        let mut state = self.state();
        if !state.meters.contains(key) {
            state.meters.insert(key.to_owned());
        }
    }

    pub fn record_seen(&self, key: &str) {
        self.state().records.insert(key.to_owned());
    }

    pub fn meters(&self) -> Vec<String> {
        self.state().meters.iter().cloned().collect()
    }

    pub fn records(&self) -> Vec<String> {
        self.state().records.iter().cloned().collect()
    }

    pub fn stopped(&self) -> BTreeSet<Contact> {
        self.state().stopped.clone()
    }

    /// Connect is asked to stop a contact; how it refuses, if it does.
    pub fn stops(&self, contact: Contact) -> Option<(u16, &'static str)> {
        let mut state = self.state();
        let seen = state.seen.entry(format!("stop {contact}")).or_default();
        *seen += 1;
        let occurrence = *seen - 1;
        let refusal = self.profile.stop_refusal(contact, occurrence);
        if refusal.is_none() {
            state.stopped.insert(contact);
        }
        let at = self.next();
        state
            .tape
            .push((at, format!("StopContact {contact}: {refusal:?}")));
        refusal
    }

    pub fn watch(&self, contact: Contact) -> Arc<Notify> {
        let killed = Arc::new(Notify::new());
        self.state().at_risk.push((contact, killed.clone()));
        killed
    }

    pub fn unwatch(&self, killed: &Arc<Notify>) {
        self.state()
            .at_risk
            .retain(|(_, other)| !Arc::ptr_eq(other, killed));
    }

    /// A process was killed, whatever it was doing.
    pub fn killed(&self) {
        self.state().totals.kills += 1;
    }

    /// Kills one process that is handling the contact.
    pub fn kill(&self, contact: Contact) {
        let mut state = self.state();
        if let Some((_, killed)) = state.at_risk.iter().find(|(other, _)| *other == contact) {
            killed.notify_one();
            state.totals.kills += 1;
        }
    }

    pub fn totals(&self) -> Totals {
        self.state().totals
    }

    pub fn tape(&self) -> Vec<(u64, String)> {
        self.state().tape.clone()
    }
}
