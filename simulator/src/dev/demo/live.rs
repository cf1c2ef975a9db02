//! Agents who dial on and on, at a human pace; some of them too often. For somebody who watches the dashboard.

use std::time::Duration;

use futures::future::try_join_all;
use rand::rngs::StdRng;
use rand::{RngExt, SeedableRng};
use tokio::time::sleep;

use super::super::Result;
use super::super::sim::{Call, Dial};
use super::super::stack::Stack;
use super::stage::{Instance, Stage};

/// Of each agent's customers.
const CUSTOMERS: u32 = 6;

pub async fn play(stack: &mut Stack, stage: &Stage) -> Result<()> {
    println!("\nThe dashboard: {}", stack.api_url());
    for tenant in &stage.tenants {
        println!(
            "  sign in as {:<22} with the API key {}",
            tenant.name, tenant.api_key
        );
    }
    println!("  operator key: {}", stack.operator_key);
    println!(
        "  the AWS side: {}/_sim/state\nCtrl-C ends it and leaves nothing behind.\n",
        stack.simulator_url()
    );
    let agents = stage.instances().flat_map(|instance| {
        instance
            .customer
            .made
            .agents
            .iter()
            .map(move |agent| (instance, agent))
    });
    let seats = agents
        .enumerate()
        .map(|(seat, (instance, agent))| work(stage, instance, &agent.username, seat));
    tokio::select! {
        done = try_join_all(seats) => done.map(drop),
        failed = watch(stack) => failed,
    }
}

/// Returns when one of the programs has ended by itself.
async fn watch(stack: &mut Stack) -> Result<()> {
    loop {
        stack.check()?;
        sleep(Duration::from_secs(1)).await;
    }
}

async fn work(stage: &Stage, instance: &Instance, username: &str, seat: usize) -> Result<()> {
    // Seeded by the seat, so that the same agents misbehave in every demo.
    let mut dice = StdRng::seed_from_u64(seat as u64);
    let eager = seat.is_multiple_of(3);
    let mut customer = 0;
    loop {
        let pause = if eager {
            dice.random_range(700..2_500)
        } else {
            dice.random_range(2_500..9_000)
        };
        sleep(Duration::from_millis(pause)).await;
        // An eager agent mostly redials the same customer.
        if !eager || dice.random_range(0..6) == 0 {
            customer = dice.random_range(0..CUSTOMERS);
        }
        let queues = &instance.customer.made.queues;
        let queue = queues.get(dice.random_range(0..queues.len().max(1)));
        let dial = Dial {
            instance_arn: instance.customer.arn().to_owned(),
            agent_id: instance.customer.agent(username)?.id.clone(),
            queue_id: queue.map(|queue| queue.id.clone()),
            to: Some(number(instance.part.region, seat, customer)),
            deliveries: None,
            event_overrides: None,
        };
        let call = stage.sim.call(&dial).await?;
        println!(
            "{}",
            line(
                instance,
                username,
                dial.to.as_deref().unwrap_or_default(),
                &call
            )
        );
        if call.stopped_before_ringing() {
            close_tasks(stage, instance).await?;
        }
    }
}

fn number(region: &str, seat: usize, customer: u32) -> String {
    let last = seat % 10 * 10 + customer as usize;
    if region.starts_with("eu-") {
        format!("+4420794603{last:02}")
    } else {
        format!("+120655501{last:02}")
    }
}

fn line(instance: &Instance, username: &str, to: &str, call: &Call) -> String {
    let outcome = if call.rang() {
        "rang"
    } else {
        "stopped before ringing"
    };
    let rule = call.told("RuleId").unwrap_or_default();
    let retry = call
        .told("RetryAfterSeconds")
        .map(|seconds| format!("try again in {seconds} s"))
        .unwrap_or_default();
    format!(
        "{:<22} {:<14} {username:<6} → {to:<14} {outcome:<22} {rule:<22} {retry}",
        instance.tenant, instance.part.alias
    )
}

/// Agents read their tasks and close them; a queue of an agent holds ten.
async fn close_tasks(stage: &Stage, instance: &Instance) -> Result<()> {
    for task in stage.sim.tasks(instance.customer.arn()).await? {
        if let (Some(id), true) = (
            task["contact_id"].as_str(),
            task["disconnected_at"].is_null(),
        ) {
            // Another agent's round may have closed it in the meantime.
            let _ = stage.sim.complete_task(id).await;
        }
    }
    Ok(())
}
