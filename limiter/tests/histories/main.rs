//! Concurrent histories: many deliveries at once, through several limiters with clocks of their own, on one store that
//! delays, refuses and loses answers; contacts delivered twice, processes killed, policies changed meanwhile. What was
//! answered is written down and judged by a checker that shares no code with the counting.
//!
//! A history is made up from a seed. `RINGFENCE_SEED=…` plays that one again and again, for as many histories as the test
//! plays otherwise: who overtakes whom is up to the machine, so a finding may take a few.

mod actors;
mod checker;
mod child;
mod clock;
mod confession;
mod faults;
mod front;
mod history;
#[path = "../common/http.rs"]
mod http;
mod invented;
mod lists;
mod names;
mod play;
mod program;
mod rules;
mod run;
#[path = "../common/sdk.rs"]
mod sdk;
mod stage;
mod trace;

use std::time::Duration;

use run::{Length, Processes, run};

/// The first of so many seeds; soak goes on where this ends.
const SEED: u64 = 1_000_000;

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_concurrent_history_breaks_a_guarantee() {
    let told = run(SEED, Length::Histories(1900), Processes::Here).await;
    assert_eq!(told.violations, 0);
    assert!(told.exercised_everything(), "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
async fn no_history_of_processes_killed_at_random_breaks_a_guarantee() {
    let told = run(SEED + 500_000, Length::Histories(100), Processes::There).await;
    assert_eq!(told.violations, 0);
    assert!(told.kills > 0 && told.unanswered > 0, "{told}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 3)]
#[ignore = "as long as one likes: make soak SECONDS=60"]
async fn soak() {
    let seconds = std::env::var("RINGFENCE_SOAK_SECONDS").unwrap_or_default();
    let seconds = seconds.parse().unwrap_or(60);
    let told = run(
        SEED + 1_000_000,
        Length::Time(Duration::from_secs(seconds)),
        Processes::There,
    )
    .await;
    assert_eq!(told.violations, 0);
}

/// Not a test, but what a child process does when this program is started again as one.
#[tokio::test]
async fn a_child_answers_until_its_parent_is_done() {
    child::live().await;
}
