//! Installing under fire: real workers, killed at chosen requests and at random, or standing still past their lease, against
//! an AWS side that throttles, fails and loses answers, while people go on changing queues, whispers, our flows and what lets
//! us in. Every run must end where docs/installation.md says, with nothing twice and nothing of the customer's lost.
//!
//! Where workers are killed walks, seed by seed, over the requests of an installation and of a removal, before and after each
//! took effect; chance adds more.
//!
//! A run follows from its seed alone, as far as processes can: what is installed, what goes wrong, and at which request.
//! Several slots run side by side, each with a database, a control plane and workers of its own, so that what one run
//! kills is its own.

mod checks;
mod edits;
mod orders;
mod play;
mod report;
mod script;
mod site;
mod slot;
mod stuck;

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use serde_json::json;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::ground::Ground;
use super::places::Places;
use super::signals::Interrupt;
use super::stack::Settings;
use super::{DevError, Result};
use report::Report;
use script::Script;
use slot::Slot;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub runs: u32,
    /// Of the first run; each further one has the next.
    pub seed: u64,
    pub slots: u32,
}

/// Far above what a run asks for: only ordered faults are to throttle.
const QUOTA_SCALE: f64 = 200.0;

/// Plays all runs; whether every one held.
pub async fn run(places: &Places, options: Options, interrupt: &mut Interrupt) -> Result<bool> {
    let settings = Settings {
        reconcile_period_seconds: 600,
        connect_rps: Some(100),
        lease_seconds: Some(2),
        limiters_per_region: 2,
        ..Settings::default()
    };
    eprintln!(
        "chaos: {} runs from seed {}, {} at a time",
        options.runs, options.seed, options.slots
    );
    let mut ground = tokio::select! {
        started = Ground::start(places, &settings) => started?,
        () = interrupt.received() => return Err(DevError::Interrupted),
    };
    let played = tokio::select! {
        played = play_all(&ground, &settings, options) => played,
        () = interrupt.received() => Err(DevError::Interrupted),
    };
    let healthy = ground.check();
    ground.stop().await;
    let report = played?;
    healthy?;
    println!("{report}");
    if !report.is_disturbed() {
        eprintln!("chaos: too few workers were killed, or no fault struck");
    }
    Ok(report.held(options.runs))
}

async fn play_all(ground: &Ground, settings: &Settings, options: Options) -> Result<Report> {
    let sim = ground.sim();
    let quotas = json!({ "enabled": true, "scale": QUOTA_SCALE });
    sim.post("quotas", &quotas).await?;
    // Not known of the service, and the harder case: a queue may be left naming nothing.
    let deletable = json!({ "flow_in_use_deletable": true });
    sim.post("behaviour", &deletable).await?;
    let begun = Instant::now();
    let seeds = (0..u64::from(options.runs)).map(|index| options.seed.wrapping_add(index));
    let seeds: Arc<Mutex<VecDeque<u64>>> = Arc::new(Mutex::new(seeds.collect()));
    let mut slots = JoinSet::new();
    for number in 1..=options.slots.min(options.runs) {
        // One after the other, as their migrations make roles that all databases of the server share.
        let slot = Slot::start(ground, settings, number).await?;
        let (seeds, sim) = (Arc::clone(&seeds), sim.clone());
        let operator = ground.operator.clone();
        slots.spawn(async move { play_seeds(slot, sim, operator, &seeds).await });
    }
    let mut report = Report::default();
    while let Some(ended) = slots.join_next().await {
        let part = ended.map_err(|err| DevError::Unexpected(format!("a slot: {err}")))?;
        report.add(part?);
    }
    report.took = begun.elapsed();
    report.faults = sim.get("faults", &[]).await?["struck"]
        .as_u64()
        .unwrap_or_default();
    Ok(report)
}

async fn play_seeds(
    mut slot: Slot,
    sim: super::sim::Sim,
    operator: super::aws::Aws,
    seeds: &Mutex<VecDeque<u64>>,
) -> Result<Report> {
    let mut report = Report::default();
    loop {
        let next = seeds
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .pop_front();
        let Some(seed) = next else { break };
        let script = Script::from_seed(seed);
        let outcome = play::play(&mut slot, &sim, &operator, &script).await;
        slot.kill_workers().await?;
        report.run(seed, &script, outcome);
    }
    slot.stop().await;
    Ok(report)
}
