//! What a decision costs: four rules of four kinds on three meters, with as many earlier attempts in each.
//!
//! The usual call meets a handful of earlier attempts; 256 is as many as a meter keeps one by one. `plan` is what a call
//! costs before it is counted, `decode` what reading the meters costs after.

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use jiff::Timestamp;
use ringfence_policy::decide::decide;
use ringfence_policy::{
    Attempt, ContactKey, Entry, EntryStatus, Log, Number, Owner, Plan, Policy, PolicyDraft, compact,
};
use serde_json::{Value, json};

const NOW_MS: u64 = 1_795_000_000_000;
const BEFORE: [u64; 4] = [1, 5, 25, 256];
const OWNER: Owner<'static> = Owner {
    instance_arn: "arn:aws:connect:us-east-1:111122223333:instance/8f2c0c5e-7a54-4f7a-9a57-4a2b3a6f1d01",
    tenant_id: "ten_1",
};

fn four_rules(last: Value) -> Policy {
    let rules = [
        (
            "a",
            "customer",
            json!({"kind": "sliding", "max": 256, "window_seconds": 86_400}),
        ),
        (
            "b",
            "customer",
            json!({"kind": "until_quiet", "block_at": 256, "quiet_seconds": 60}),
        ),
        (
            "c",
            "caller_id",
            json!({"kind": "consecutive_days", "max": 256, "days": 7, "time_zone": "America/New_York"}),
        ),
        ("d", "caller_id", last),
    ];
    let rules = rules.map(|(id, per, limit)| json!({"id": id, "per": [per], "limit": limit}));
    let draft: PolicyDraft = serde_json::from_value(json!({ "rules": rules })).expect("reads");
    draft.check().expect("valid")
}

fn paced() -> Policy {
    four_rules(json!({"kind": "pace", "max": 60, "per_seconds": 60, "burst": 256}))
}

fn calendar() -> Policy {
    four_rules(
        json!({"kind": "calendar", "max": 256, "period": "week", "time_zone": "Europe/London"}),
    )
}

/// As random as Connect's contact ids are.
fn contact(number: u64) -> ContactKey {
    ContactKey(
        u128::from(number + 1)
            .wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
            .to_be_bytes(),
    )
}

fn attempt() -> Attempt {
    Attempt {
        contact: contact(9_999),
        customer: Some(Number::E164("+12065550100".to_owned())),
        customer_country: Some("US".to_owned()),
        caller_id: Some(Number::E164("+12065550199".to_owned())),
        agent: None,
        queue: None,
        attributes: BTreeMap::new(),
        dialled: vec!["12065550100".to_owned(), "2065550100".to_owned()],
    }
}

/// As many attempts in the last minutes, and one's own behind them.
fn entries(before: u64) -> Vec<[u8; ringfence_policy::meter::ENTRY_BYTES]> {
    (0..=before)
        .map(|number| Entry {
            status: EntryStatus::Admitted,
            at_ms: NOW_MS - (before - number) * 1_000,
            contact: contact(if number == before { 9_999 } else { number }),
        })
        .map(|entry| entry.encode())
        .collect()
}

fn logs(plan: &Plan<'_>, before: u64) -> Vec<Log> {
    let log = || Log::decode(None, entries(before));
    plan.meters().iter().map(|_| log()).collect()
}

fn decisions(c: &mut Criterion) {
    let now = Timestamp::from_millisecond(NOW_MS as i64).expect("in range");
    let attempt = attempt();
    for (name, policy) in [
        ("decide, 4 rules", paced()),
        ("decide, 4 rules, a calendar week for the pace", calendar()),
    ] {
        let plan = Plan::new(&policy, OWNER, &attempt);
        let mut group = c.benchmark_group(name);
        for before in BEFORE {
            let logs = logs(&plan, before);
            group.bench_with_input(BenchmarkId::from_parameter(before), &logs, |b, logs| {
                b.iter(|| decide(black_box(&plan), black_box(logs), None, now));
            });
        }
    }
}

fn what_surrounds_it(c: &mut Criterion) {
    let now = Timestamp::from_millisecond(NOW_MS as i64).expect("in range");
    let (attempt, policy) = (attempt(), paced());
    c.bench_function("plan, 4 rules", |b| {
        b.iter(|| Plan::new(black_box(&policy), OWNER, black_box(&attempt)));
    });
    let plan = Plan::new(&policy, OWNER, &attempt);
    for before in BEFORE {
        let entries = entries(before);
        c.bench_with_input(
            BenchmarkId::new("decode, 1 meter", before),
            &entries,
            |b, entries| {
                b.iter(|| Log::decode(None, black_box(entries)));
            },
        );
        let logs = logs(&plan, before);
        c.bench_with_input(
            BenchmarkId::new("compact, 1 meter", before),
            &logs,
            |b, logs| {
                b.iter(|| compact(black_box(&plan), 0, &logs[0], now, 64));
            },
        );
    }
}

criterion_group!(benches, decisions, what_surrounds_it);
criterion_main!(benches);
