//! What the function's process takes: disk, processor, memory, and time to start.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::super::cgroup::Share;
use super::super::samples::{Samples, ms};
use super::super::scene::{Scene, event};
use super::super::table::Table;
use super::super::{Result, failed, io};

const CALLS: u64 = 3000;
const STARTS: u64 = 20;
const SPARSE_CALLS: u64 = 100;

pub(in super::super) fn size(scene: &Scene, table: &mut Table) -> Result<()> {
    let bytes = std::fs::metadata(&scene.programs.bootstrap)
        .map_err(io("the function's binary"))?
        .len();
    let mb = bytes as f64 / 1e6;
    table.judged(
        "binary, stripped",
        format!("{mb:.1} MB"),
        "<= 11 MB",
        mb <= 11.0,
    );
    Ok(())
}

/// Signing, TLS, and the Runtime API included; a new customer each time, caller ids in turn.
pub(in super::super) async fn processor_and_memory(scene: &Scene, table: &mut Table) -> Result<()> {
    eprintln!("{CALLS} allowed calls one after another");
    let mut function = scene.function().await?;
    for contact in 0..200 {
        function
            .invoke(&event(
                "plain",
                100_000 + contact,
                100_000 + contact,
                100_000,
            ))
            .await?;
    }
    let before = function.processor_time()?;
    let mut latency = Samples::default();
    for contact in 0..CALLS {
        let contact = 101_000 + contact;
        let (answer, took) = function
            .invoke(&event("plain", contact, contact, 101_000 + contact % 500))
            .await?;
        if answer["CallAllowed"] != "true" {
            return Err(failed(format!("a call was not allowed: {answer}")));
        }
        latency.push(took);
    }
    let each = ms(function.processor_time()?.saturating_sub(before)) / CALLS as f64;
    table.judged(
        "processor time, allowed call",
        format!("{each:.3} ms"),
        "<= 0.6 ms",
        each <= 0.6,
    );
    table.told(
        "allowed call through the Runtime API, no latency added, p50",
        format!("{:.2} ms", ms(latency.median())),
    );
    table.told(
        "the same, p99",
        format!("{:.2} ms", ms(latency.quantile(0.99))),
    );
    let mb = function.peak_memory_kb()? as f64 / 1024.0;
    table.judged(
        "resident memory, peak",
        format!("{mb:.1} MB"),
        "<= 25 MB",
        mb <= 25.0,
    );
    function.end().await
}

/// As the function's calls come in reality: with pauses, in which a small function's share of the processor grows back.
pub(in super::super) async fn small_function(scene: &Scene, table: &mut Table) -> Result<()> {
    const FIGURE: &str = "allowed call at the share of 128 MB, no latency added, p50";
    let Some(share) = Share::new(128) else {
        table.told(FIGURE, "no control group can be made here");
        return Ok(());
    };
    eprintln!("{SPARSE_CALLS} allowed calls at a 128 MB function's share of a processor");
    let mut function = scene.function().await?;
    function
        .invoke(&event("plain", 200_000, 200_000, 200_000))
        .await?;
    share.add(function.pid).map_err(io("the control group"))?;
    let (mut sparse, mut dense) = (Samples::default(), Samples::default());
    for contact in 0..SPARSE_CALLS {
        // Not in step with the kernel's period of 20 ms.
        sleep(Duration::from_millis(31 + contact % 17)).await;
        let contact = 200_001 + contact;
        sparse.push(
            function
                .invoke(&event("plain", contact, contact, contact))
                .await?
                .1,
        );
    }
    for contact in 0..SPARSE_CALLS * 3 {
        let contact = 201_000 + contact;
        dense.push(
            function
                .invoke(&event("plain", contact, contact, contact))
                .await?
                .1,
        );
    }
    let p50 = ms(sparse.median());
    table.judged(FIGURE, format!("{p50:.2} ms"), "<= 5 ms", p50 <= 5.0);
    table.told(
        "the same without pauses, mean",
        format!("{:.2} ms", ms(dense.mean())),
    );
    function.end().await
}

/// From the start of the process to the first answer: the policy read and one call counted, over TLS.
pub(in super::super) async fn cold_start(scene: &Scene, table: &mut Table) -> Result<()> {
    eprintln!("{STARTS} cold starts");
    let (mut starts, mut first_calls) = (Samples::default(), Samples::default());
    let mut work = Samples::default();
    for start in 0..STARTS {
        let event = event("plain", 300_000 + start, 300_000 + start, 300_000 + start);
        let begun = Instant::now();
        let mut function = scene.function().await?;
        let (_, took) = function.invoke(&event).await?;
        first_calls.push(took);
        starts.push(begun.elapsed());
        work.push(function.processor_time()?);
        function.end().await?;
    }
    let p50 = ms(starts.median());
    let told = format!(
        "{p50:.1} ms ({} authorities trusted)",
        scene.trust.certificates
    );
    table.judged(
        "cold start: process to first answer, p50",
        told,
        "<= 20 ms",
        p50 <= 20.0,
    );
    table.told(
        "of it, from the first event to its answer, p50",
        format!("{:.1} ms", ms(first_calls.median())),
    );
    table.told(
        "of it, processor time",
        format!("{:.1} ms", ms(work.median())),
    );
    Ok(())
}
