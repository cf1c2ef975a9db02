//! `ringfence-dev`: a private PostgreSQL for one command, the whole stack for development, the demo.

use std::path::PathBuf;
use std::process::{ExitCode, ExitStatus};

use clap::{Parser, Subcommand};
use rand::TryRng;
use rand::rngs::SysRng;
use ringfence_simulator::dev::places::Places;
use ringfence_simulator::dev::postgres::Postgres;
use ringfence_simulator::dev::signals::Interrupt;
use ringfence_simulator::dev::stack::{Settings, Stack};
use ringfence_simulator::dev::{DevError, Result, chaos, demo, process};
use rustix::process::Signal;

#[derive(Parser)]
#[command(
    name = "ringfence-dev",
    about = "Everything on one machine, for developers and for the demo",
    version
)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Runs a command with DATABASE_URL naming a private PostgreSQL, and ends the server with it
    WithPostgres {
        #[arg(trailing_var_arg = true, required = true, value_name = "CMD")]
        command: Vec<PathBuf>,
    },
    /// Starts the whole stack without tenants and prints one JSON line when it is ready; Ctrl-C ends it
    Up {
        /// Of the API and the dashboard; a free one when absent
        #[arg(long)]
        port: Option<u16>,
    },
    /// Kills workers and orders faults while instances are installed, and checks that nothing is lost
    Chaos {
        #[arg(long, default_value_t = 200)]
        runs: u32,
        /// Of the first run; a failed run tells its own
        #[arg(long)]
        seed: Option<u64>,
        /// Runs at a time
        #[arg(long, default_value_t = 6)]
        slots: u32,
    },
    /// Onboards three tenants and lets agents dial until Ctrl-C
    Demo {
        /// Plays a fixed scenario with expectations instead, and ends
        #[arg(long)]
        once: bool,
        /// Of the API and the dashboard; a free one when absent
        #[arg(long, env = "RINGFENCE_DEMO_PORT")]
        port: Option<u16>,
    },
}

#[tokio::main]
async fn main() -> ExitCode {
    tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .without_time()
        .init();
    match run(Cli::parse().command).await {
        Ok(code) => code,
        Err(DevError::Interrupted) => ExitCode::from(130),
        Err(err) => {
            eprintln!("ringfence-dev: {err}");
            ExitCode::FAILURE
        }
    }
}

async fn run(command: Command) -> Result<ExitCode> {
    let places = Places::find()?;
    let mut interrupt = Interrupt::listen()?;
    match command {
        Command::WithPostgres { command } => with_postgres(&places, &command, &mut interrupt).await,
        Command::Up { port } => up(&places, port, &mut interrupt).await,
        Command::Chaos { runs, seed, slots } => {
            let seed = seed.map_or_else(chance, Ok)?;
            let options = chaos::Options { runs, seed, slots };
            let held = chaos::run(&places, options, &mut interrupt).await?;
            Ok(if held {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
        Command::Demo { once, port } => {
            let held = demo::run(&places, demo::Options { once, port }, &mut interrupt).await?;
            Ok(if held {
                ExitCode::SUCCESS
            } else {
                ExitCode::FAILURE
            })
        }
    }
}

/// A seed that nobody chose; short enough to be typed again.
fn chance() -> Result<u64> {
    let number = SysRng
        .try_next_u32()
        .map_err(|err| DevError::Unexpected(format!("no randomness: {err}")))?;
    Ok(u64::from(number))
}

async fn with_postgres(
    places: &Places,
    command: &[PathBuf],
    interrupt: &mut Interrupt,
) -> Result<ExitCode> {
    let [program, args @ ..] = command else {
        return Err(DevError::Missing("name a command to run".to_owned()));
    };
    let postgres = tokio::select! {
        started = Postgres::start(places.work()) => started?,
        () = interrupt.received() => return Err(DevError::Interrupted),
    };
    let spawned = tokio::process::Command::new(program)
        .args(args)
        .env("DATABASE_URL", postgres.url())
        .env("PATH", with_programs(&postgres)?)
        .kill_on_drop(true)
        .spawn()
        .map_err(DevError::io(format!("starting {}", program.display())));
    let ended = match spawned {
        Ok(mut child) => loop {
            tokio::select! {
                ended = child.wait() => break ended.map_err(DevError::io("waiting for the command")),
                // It gets Ctrl-C from the terminal as well, and is waited for in any case: the database goes last.
                () = interrupt.received() => process::signal(&child, Signal::TERM),
            }
        },
        Err(err) => Err(err),
    };
    postgres.stop().await;
    ended.map(exit_code)
}

/// The caller's PATH, and `psql` even where only the server's folder has it.
fn with_programs(postgres: &Postgres) -> Result<std::ffi::OsString> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let folders = std::env::split_paths(&path).chain([postgres.programs().to_owned()]);
    std::env::join_paths(folders).map_err(|err| DevError::Unexpected(format!("PATH: {err}")))
}

fn exit_code(status: ExitStatus) -> ExitCode {
    use std::os::unix::process::ExitStatusExt;
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(1))
}

async fn up(places: &Places, port: Option<u16>, interrupt: &mut Interrupt) -> Result<ExitCode> {
    let settings = Settings {
        port,
        ..Settings::default()
    };
    let mut stack = tokio::select! {
        started = Stack::start(places, &settings) => started?,
        () = interrupt.received() => return Err(DevError::Interrupted),
    };
    println!("{}", stack.summary());
    eprintln!("logs: {}; Ctrl-C ends everything", stack.logs().display());
    let watched = loop {
        tokio::select! {
            () = interrupt.received() => break Ok(ExitCode::SUCCESS),
            () = tokio::time::sleep(std::time::Duration::from_secs(1)) => {
                if let Err(err) = stack.check() {
                    break Err(err);
                }
            }
        }
    };
    stack.stop().await;
    watched
}
