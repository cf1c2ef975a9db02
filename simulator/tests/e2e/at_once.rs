//! Many customers come at once: the whole fleet of workers and requests stays within half of every account's quota.

use std::collections::BTreeMap;

use futures::StreamExt as _;
use futures::stream;
use ringfence_simulator::dev::customer::{ContactCentre, Customer};
use ringfence_simulator::dev::places::Places;
use ringfence_simulator::dev::rest::{list, text};
use ringfence_simulator::dev::stack::{Settings, Stack};
use ringfence_simulator::dev::{DevError, Result};
use serde_json::{Value, json};

use super::harness::tenant_of;

const ACCOUNTS: u32 = 50;
const PER_ACCOUNT: u32 = 4;
/// Time runs this much faster than the documented quotas have it.
const FASTER: u32 = 25;
/// What half of the documented quotas lets through in one second: its rate and its burst.
const CONNECT_MAX: usize = (FASTER + FASTER * 5 / 2) as usize;
const LAMBDA_MAX: usize = (FASTER * 15 / 2 * 2) as usize;

#[tokio::test]
async fn two_hundred_instances_in_fifty_accounts_stay_within_half_of_every_quota() {
    let settings = Settings {
        connect_rps: Some(FASTER),
        limiters_per_region: 5,
        ..Settings::default()
    };
    let places = Places::find().expect("the binaries");
    let mut stack = Stack::start(&places, &settings)
        .await
        .unwrap_or_else(|err| panic!("{err}"));
    let done = onboard(&stack).await;
    let healthy = stack.check();
    stack.stop().await;
    if let Err(err) = done.and(healthy) {
        panic!("{err}");
    }
}

async fn onboard(stack: &Stack) -> Result<()> {
    let sim = stack.sim();
    // The service grants half of what it would: whoever asks for more than that is throttled, and the record shows it.
    let half = f64::from(FASTER) / 2.0;
    sim.post("quotas", &json!({ "enabled": true, "scale": half }))
        .await?;
    let rest = tenant_of(&stack.rest(), "Northwind").await?;
    let me = rest.get("/v1/me").await?;
    let quotas = format!("/v1/tenants/{}/quotas", text(&me, "/tenant/id")?);
    stack
        .rest()
        .put(&quotas, &json!({ "instances": "unlimited" }))
        .await?;
    let customers = (0..ACCOUNTS).flat_map(|account| (0..PER_ACCOUNT).map(move |n| (account, n)));
    let joined: Vec<Result<Customer>> = stream::iter(customers)
        .map(|(account, number)| {
            let (sim, rest) = (sim.clone(), rest.clone());
            async move {
                let account = format!("{:012}", 400_000_000_000_u64 + u64::from(account));
                let centre = ContactCentre {
                    account: &account,
                    region: "us-east-1",
                    alias: "centre",
                    queues: &[("Sales", "+12065550100"), ("Support", "+12065550101")],
                    agents: &["ada"],
                    without_tasks: &[],
                };
                let mut customer = Customer::open(&sim, &rest, &centre).await?;
                customer.join(&format!("{account}-{number}")).await?;
                customer.install("merge").await?;
                Ok(customer)
            }
        })
        .buffer_unordered(32)
        .collect()
        .await;
    for customer in joined {
        customer?.installed().await?;
    }
    let answer = sim.get("requests", &[]).await?;
    let requests = list(&answer, "/data")?;
    let throttled: Vec<&Value> = requests
        .iter()
        .filter(|request| request["status"] == 429)
        .collect();
    if !throttled.is_empty() {
        return Err(DevError::Unexpected(format!(
            "{} requests were throttled, the first: {}",
            throttled.len(),
            throttled[0]
        )));
    }
    let busiest = busiest_seconds(requests);
    println!(
        "{} requests, in a second at most {busiest:?}",
        requests.len()
    );
    for (quota, max) in [
        ("connect", CONNECT_MAX),
        ("lambda, GetPolicy", LAMBDA_MAX),
        ("lambda, the rest", LAMBDA_MAX),
    ] {
        let most = busiest.get(quota).copied().unwrap_or_default();
        assert!(most > 0, "nobody asked: {quota}");
        assert!(
            most <= max,
            "{quota}: {most} requests in one second of one account, more than {max}"
        );
    }
    Ok(())
}

/// What is counted together, of the services that have a quota here.
fn quota(service: &str, operation: &str) -> Option<&'static str> {
    match (service, operation) {
        ("connect", _) => Some("connect"),
        ("lambda", "Invoke" | "GetFunction") => None,
        ("lambda", "GetPolicy") => Some("lambda, GetPolicy"),
        ("lambda", _) => Some("lambda, the rest"),
        _ => None,
    }
}

/// By quota, the most requests of one account and region within any second.
fn busiest_seconds(requests: &[Value]) -> BTreeMap<&'static str, usize> {
    let mut by_place: BTreeMap<(&'static str, String, String), Vec<f64>> = BTreeMap::new();
    for request in requests {
        let text = |name: &str| request[name].as_str().unwrap_or_default().to_owned();
        let Some(quota) = quota(&text("service"), &text("operation")) else {
            continue;
        };
        let at: jiff::Timestamp = text("at").parse().expect("a time");
        let at = at.as_duration().as_secs_f64();
        by_place
            .entry((quota, text("account_id"), text("region")))
            .or_default()
            .push(at);
    }
    let most = |times: &mut Vec<f64>| {
        times.sort_by(f64::total_cmp);
        let within = |from: usize| {
            times[from..]
                .iter()
                .take_while(|at| **at < times[from] + 1.0)
                .count()
        };
        (0..times.len()).map(within).max().unwrap_or_default()
    };
    let mut busiest: BTreeMap<&'static str, usize> = BTreeMap::new();
    for ((quota, _, _), times) in &mut by_place {
        let most = most(times);
        busiest
            .entry(quota)
            .and_modify(|busiest| *busiest = most.max(*busiest))
            .or_insert(most);
    }
    busiest
}
