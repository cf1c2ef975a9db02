//! The demo: three tenants with five instances in two regions, onboarded through the REST API as customers would do
//! it, and agents who dial. Once with expectations (`once`), or on and on for somebody who watches the dashboard.

mod cast;
mod ledger;
mod live;
mod onboard;
mod scenes;
mod stage;

use super::places::Places;
use super::signals::Interrupt;
use super::stack::{Settings, Stack};
use super::{DevError, Result};

use self::ledger::Ledger;
use self::stage::Stage;

#[derive(Debug, Clone, Copy)]
pub struct Options {
    pub once: bool,
    pub port: Option<u16>,
}

/// Runs the demo and answers whether every expectation held.
pub async fn run(places: &Places, options: Options, interrupt: &mut Interrupt) -> Result<bool> {
    let settings = Settings {
        port: options.port,
        ..Settings::default()
    };
    println!("Starting PostgreSQL, the AWS side, the limiter and the control plane …");
    let mut stack = tokio::select! {
        started = Stack::start(places, &settings) => started?,
        () = interrupt.received() => return Err(DevError::Interrupted),
    };
    let done = tokio::select! {
        done = play(&mut stack, options.once) => done,
        () = interrupt.received() => if options.once { Err(DevError::Interrupted) } else { Ok(true) },
    };
    // Said before the logs go away with the stack.
    if let Err(err) = &done {
        eprintln!("{err}");
        if let Err(cause) = stack.check() {
            eprintln!("{cause}");
        }
    }
    println!("Ending what was started …");
    stack.stop().await;
    done
}

async fn play(stack: &mut Stack, once: bool) -> Result<bool> {
    let stage = onboard::all(stack).await?;
    if once {
        let ledger = Ledger::default();
        scenes::play_all(&stage, &ledger).await?;
        stack.check()?;
        return finish(&stage, &ledger).await;
    }
    live::play(stack, &stage).await?;
    Ok(true)
}

async fn finish(stage: &Stage, ledger: &Ledger) -> Result<bool> {
    for instance in stage.instances() {
        for task in stage.sim.tasks(instance.customer.arn()).await? {
            ledger.task(instance, &task);
        }
    }
    println!("\n{}", ledger.table());
    for failure in ledger.failures() {
        println!("FAILED: {failure}");
    }
    let summary = ledger.summary(stage);
    println!("{summary}");
    Ok(summary["ok"] == true)
}
