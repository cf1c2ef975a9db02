//! `make bench`: what a decision costs, measured on the function's own release binary, and what the [`api`] does.
//!
//! The store, its latency and its TLS are this program's: an embedded DynamoDB behind a [`front`] that counts what is
//! asked and waits as long as a real one would. The function runs behind the Lambda Runtime API ([`function`]); what
//! needs the function's own client, for a comparison with a bare write, runs in the limiter's driver ([`driver`]).
//!
//! Every figure is a ratio or a count of one run, so a busy machine changes it little. Failure: a figure that cannot be
//! measured ends the run, and says which.

mod api;
mod cgroup;
mod driver;
mod figures;
mod front;
mod function;
mod samples;
mod scene;
mod table;
mod trust;

use std::path::PathBuf;

pub use table::Table;

/// Where the programs under test are.
#[derive(Debug, Clone)]
pub struct Programs {
    pub bootstrap: PathBuf,
    pub driver: PathBuf,
}

#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    #[error("{0}: {1}")]
    Io(&'static str, std::io::Error),
    #[error("{0}")]
    Failed(String),
}

pub type Result<T> = std::result::Result<T, BenchError>;

fn io(what: &'static str) -> impl FnOnce(std::io::Error) -> BenchError {
    move |error| BenchError::Io(what, error)
}

fn failed(what: impl std::fmt::Display) -> BenchError {
    BenchError::Failed(what.to_string())
}

/// Measures everything, or only what is named; prints what it is doing to standard error.
pub async fn run(programs: &Programs, only: &[String]) -> Result<Table> {
    let mut table = Table::default();
    let wanted = |figure: &str| only.is_empty() || only.iter().any(|name| name == figure);
    if wanted("api") {
        api::run(&mut table).await?;
    }
    let scene = scene::Scene::start(programs.clone()).await?;
    if wanted("round-trips") {
        figures::round_trips(&scene, &mut table).await?;
    }
    if wanted("write-units") {
        figures::write_units(&scene, &mut table).await?;
    }
    if wanted("latency") {
        figures::against_a_bare_write(&scene, &mut table).await?;
    }
    if wanted("listed-numbers") {
        figures::listed_numbers(&scene, &mut table).await?;
    }
    if wanted("hot-caller-id") {
        figures::hot_caller_id(&scene, &mut table).await?;
    }
    if wanted("processor") {
        figures::processor_and_memory(&scene, &mut table).await?;
    }
    if wanted("small-function") {
        figures::small_function(&scene, &mut table).await?;
    }
    if wanted("cold-start") {
        figures::cold_start(&scene, &mut table).await?;
    }
    if wanted("size") {
        figures::size(&scene, &mut table)?;
    }
    Ok(table)
}
