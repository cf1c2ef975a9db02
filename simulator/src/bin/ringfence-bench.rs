//! `ringfence-bench`: measures the release binaries and prints the figures as a table.

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use ringfence_simulator::bench::{self, Programs};

#[derive(Parser)]
#[command(
    name = "ringfence-bench",
    about = "What a decision costs, and a request to the API",
    version
)]
struct Cli {
    /// The function's release binary
    #[arg(long)]
    bootstrap: PathBuf,
    /// The limiter's driver, from the same build
    #[arg(long)]
    driver: PathBuf,
    /// Only these: api, round-trips, write-units, latency, listed-numbers, hot-caller-id, processor, small-function,
    /// cold-start, size
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
}

#[tokio::main]
async fn main() -> ExitCode {
    let Cli {
        bootstrap,
        driver,
        only,
    } = Cli::parse();
    match bench::run(&Programs { bootstrap, driver }, &only).await {
        Ok(table) => {
            print!("{table}");
            if table.missed() > 0 {
                println!("\n{} of the targets not met", table.missed());
            }
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("ringfence-bench: {error}");
            ExitCode::FAILURE
        }
    }
}
