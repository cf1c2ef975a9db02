//! `ringfence-sim`: the AWS side on one machine.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Parser, Subcommand};
use ringfence_simulator::clock::Clock;
use ringfence_simulator::front;
use ringfence_simulator::log::Log;
use ringfence_simulator::world::World;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

#[derive(Parser)]
#[command(
    name = "ringfence-sim",
    about = "The AWS side on one machine, for demo and tests",
    version
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Serves until it is told to stop; prints its endpoint as one JSON line when ready
    Serve {
        /// 0 takes a free one
        #[arg(long, default_value_t = 4600)]
        port: u16,
        /// Keeps DynamoDB's tables in this folder; everything else is in memory and gone afterwards
        #[arg(long, value_name = "DIR")]
        data: Option<PathBuf>,
        /// Writes every AWS request to this file, one JSON object a line
        #[arg(long, value_name = "FILE")]
        log: Option<PathBuf>,
    },
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The embedded database warns of every request that it refuses; these are the callers' affair and in the log.
    let levels = Targets::new()
        .with_default(LevelFilter::WARN)
        .with_target("dynoxide", LevelFilter::ERROR);
    let stderr = tracing_subscriber::fmt::layer()
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal());
    tracing_subscriber::registry()
        .with(levels)
        .with(stderr)
        .init();
    let Command::Serve { port, data, log } = Cli::parse().command;
    if let Some(folder) = &data {
        std::fs::create_dir_all(folder)?;
    }
    let log = log.map_or_else(|| Ok(Log::default()), |path| Log::to_file(&path))?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await?;
    let endpoint = format!("http://{}", listener.local_addr()?);
    let world = Arc::new(World::new(endpoint.clone(), Clock::System, log, data));
    let mut terminate = signal(SignalKind::terminate())?;
    println!("{}", serde_json::json!({"endpoint": endpoint}));
    tokio::select! {
        ended = front::serve(listener, Arc::clone(&world)) => ended?,
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    world.lambda.shutdown();
    Ok(())
}
