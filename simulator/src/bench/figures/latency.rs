//! How long a decision takes, against a bare conditional write of the same client to the same store in the same run.

use std::time::Duration;

use serde_json::{Value, json};

use super::super::driver::Job;
use super::super::samples::ms;
use super::super::scene::{CALLER_MAX, STORE_LATENCY, Scene, event};
use super::super::table::Table;
use super::super::{Result, failed};

const TURNS: u64 = 320;
const AT_ONCE: u64 = 200;

/// Calls to new customers from many caller ids, so that logs are as long as they usually are.
fn usual_calls(instance: &str, from: u64) -> Vec<Value> {
    (from..from + TURNS)
        .map(|contact| event(instance, contact, contact, from + contact % 100))
        .collect()
}

pub(in super::super) async fn against_a_bare_write(scene: &Scene, table: &mut Table) -> Result<()> {
    eprintln!("Allowed decisions against bare conditional writes, in turns");
    for (latency, told, from) in [
        (STORE_LATENCY, "5 ms added to the store", 10_000),
        (Duration::ZERO, "no latency added", 20_000),
    ] {
        scene.front.latency(latency);
        let job = Job {
            series: vec![usual_calls("plain", from)],
            bare_writes: true,
            ..Job::default()
        };
        let done = scene.drive(&job).await?;
        let (bare, decided) = (done.bare(), done.of(0)?.samples());
        let ratio = ms(decided.median()) / ms(bare.median());
        let measured = format!(
            "{ratio:.2} ({:.2} ms / {:.2} ms)",
            ms(decided.median()),
            ms(bare.median())
        );
        let figure = format!("allowed decision p50 / bare write p50, {told}");
        if latency.is_zero() {
            table.told(&figure, measured);
            let (bare, decided) = (ms(done.bare_work()), ms(done.of(0)?.work()));
            let ratio = format!("{:.2} ({decided:.3} ms / {bare:.3} ms)", decided / bare);
            table.told(
                "processor time of an allowed decision / of a bare write",
                ratio,
            );
        } else {
            table.judged(&figure, measured, "<= 1.3", ratio <= 1.3);
        }
    }
    Ok(())
}

/// Exemptions and blocks cost one read beside the count.
pub(in super::super) async fn listed_numbers(scene: &Scene, table: &mut Table) -> Result<()> {
    eprintln!("A tenant with listed numbers against one without, in turns");
    scene
        .publish("listing", json!({"has_listed_numbers": true}))
        .await?;
    scene.front.latency(STORE_LATENCY);
    let job = Job {
        series: vec![usual_calls("plain", 30_000), usual_calls("listing", 40_000)],
        ..Job::default()
    };
    let done = scene.drive(&job).await?;
    scene.front.latency(Duration::ZERO);
    let (without, with) = (done.of(0)?.samples(), done.of(1)?.samples());
    let ratio = ms(with.median()) / ms(without.median());
    table.told(
        "allowed decision p50, tenant with listed numbers / without",
        format!(
            "{ratio:.2} ({:.2} ms / {:.2} ms)",
            ms(with.median()),
            ms(without.median())
        ),
    );
    Ok(())
}

pub(in super::super) async fn hot_caller_id(scene: &Scene, table: &mut Table) -> Result<()> {
    eprintln!("{AT_ONCE} calls at once from one caller id, and from as many caller ids");
    let calls = |from: u64, one_caller: bool| -> Vec<Value> {
        let caller = |contact: u64| if one_caller { from } else { contact };
        (from..from + AT_ONCE)
            .map(|contact| event("plain", contact, contact, caller(contact)))
            .collect()
    };
    let mut shares = Vec::new();
    for round in 0..5 {
        let from = 50_000 + round * 1000;
        let job = Job {
            // The first of all makes the connections.
            series: vec![
                calls(from, false),
                calls(from + 250, true),
                calls(from + 500, false),
            ],
            at_once: true,
            ..Job::default()
        };
        let done = scene.drive(&job).await?;
        let (hot, spread) = (done.of(1)?, done.of(2)?);
        if hot.allowed != usize::try_from(CALLER_MAX.min(200)).unwrap_or_default() {
            return Err(failed(format!(
                "{} of {AT_ONCE} calls were allowed",
                hot.allowed
            )));
        }
        shares.push(hot.per_second() / spread.per_second());
    }
    shares.sort_by(f64::total_cmp);
    let median = shares.get(shares.len() / 2).copied().unwrap_or_default();
    table.judged(
        &format!("{AT_ONCE} calls at once, throughput with one caller id / with {AT_ONCE}"),
        format!("{:.0} %", median * 100.0),
        ">= 80 %",
        median >= 0.8,
    );
    over_the_limit(scene, table).await
}

/// Twice as many calls at once as the caller id may make: exactly its limit goes out.
async fn over_the_limit(scene: &Scene, table: &mut Table) -> Result<()> {
    let half = u64::from(CALLER_MAX) / 2;
    let from = 60_000;
    let before: Vec<Value> = (from..from + half)
        .map(|contact| event("plain", contact, contact, from))
        .collect();
    let at_once: Vec<Value> = (from + 500..from + 500 + AT_ONCE)
        .map(|contact| event("plain", contact, contact, from))
        .collect();
    let job = Job {
        series: vec![before, at_once],
        at_once: true,
        ..Job::default()
    };
    let done = scene.drive(&job).await?;
    let (allowed, answered) = (done.of(1)?.allowed, done.of(1)?.answered);
    table.judged(
        &format!("{AT_ONCE} calls at once, {half} places left: allowed, answered"),
        format!("{allowed}, {answered}"),
        &format!("{half}, {AT_ONCE}"),
        allowed as u64 == half && answered as u64 == AT_ONCE,
    );
    Ok(())
}
