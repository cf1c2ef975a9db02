//! What was counted and what was expected: calls by tenant and rule, and every expectation that did not hold.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde_json::{Value, json};

use super::super::sim::Call;
use super::stage::{Instance, Stage};

#[derive(Debug, Default)]
pub struct Ledger {
    pages: Mutex<Pages>,
}

#[derive(Debug, Default)]
struct Pages {
    rows: BTreeMap<(&'static str, String), Row>,
    /// Contacts that reached the limiter, by instance, with whether they rang.
    decided: BTreeMap<String, BTreeMap<String, bool>>,
    failures: Vec<String>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Row {
    calls: u32,
    allowed: u32,
    denied: u32,
    tasks: u32,
}

impl Ledger {
    fn pages(&self) -> MutexGuard<'_, Pages> {
        self.pages.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn call(&self, instance: &Instance, rule: &str, call: &Call) {
        let mut pages = self.pages();
        let row = pages
            .rows
            .entry((instance.tenant, rule.to_owned()))
            .or_default();
        row.calls += 1;
        row.allowed += u32::from(call.rang());
        row.denied += u32::from(call.stopped_before_ringing());
        if !call.lambda.is_empty() {
            let decided = pages
                .decided
                .entry(instance.customer.id.clone())
                .or_default();
            decided.insert(call.contact_id.clone(), call.rang());
        }
    }

    pub fn task(&self, instance: &Instance, task: &Value) {
        let rule = task["attributes"]["RuleId"]
            .as_str()
            .unwrap_or("no rule named")
            .to_owned();
        self.pages()
            .rows
            .entry((instance.tenant, rule))
            .or_default()
            .tasks += 1;
    }

    pub fn expect(&self, held: bool, what: impl FnOnce() -> String) {
        if !held {
            let what = what();
            println!("  FAILED: {what}");
            self.pages().failures.push(what);
        }
    }

    pub fn failures(&self) -> Vec<String> {
        self.pages().failures.clone()
    }

    pub fn decided(&self, instance_id: &str) -> BTreeMap<String, bool> {
        self.pages()
            .decided
            .get(instance_id)
            .cloned()
            .unwrap_or_default()
    }

    pub fn table(&self) -> String {
        let pages = self.pages();
        let mut table = String::new();
        let mut line = |cells: [&str; 6]| {
            let [tenant, rule, calls, allowed, denied, tasks] = cells;
            // Writing to a String cannot fail.
            let _ = writeln!(
                table,
                "{tenant:<22} {rule:<24} {calls:>6} {allowed:>8} {denied:>22} {tasks:>6}"
            );
        };
        line([
            "tenant",
            "rule",
            "calls",
            "allowed",
            "denied before ringing",
            "tasks",
        ]);
        for ((tenant, rule), row) in &pages.rows {
            let numbers =
                [row.calls, row.allowed, row.denied, row.tasks].map(|number| number.to_string());
            let [calls, allowed, denied, tasks] = &numbers;
            line([tenant, rule, calls, allowed, denied, tasks]);
        }
        let total = pages.total();
        let numbers = [total.calls, total.allowed, total.denied, total.tasks]
            .map(|number| number.to_string());
        let [calls, allowed, denied, tasks] = &numbers;
        line(["all", "", calls, allowed, denied, tasks]);
        table
    }

    pub fn summary(&self, stage: &Stage) -> Value {
        let pages = self.pages();
        let total = pages.total();
        let regions: BTreeSet<&str> = stage
            .instances()
            .map(|instance| instance.part.region)
            .collect();
        json!({
            "ok": pages.failures.is_empty(),
            "tenants": stage.tenants.len(),
            "instances": stage.instances().count(),
            "regions": regions.len(),
            "calls": total.calls,
            "allowed": total.allowed,
            "denied_before_ringing": total.denied,
            "tasks": total.tasks,
            "failures": pages.failures,
        })
    }
}

impl Pages {
    fn total(&self) -> Row {
        self.rows.values().fold(Row::default(), |sum, row| Row {
            calls: sum.calls + row.calls,
            allowed: sum.allowed + row.allowed,
            denied: sum.denied + row.denied,
            tasks: sum.tasks + row.tasks,
        })
    }
}
