//! `ringfence`: the control plane's one program. Logs go to stderr as JSON; stdout is for answers to programs.

mod commands;
mod telemetry;

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use ringfence_api::config;

use telemetry::Telemetry;

#[derive(Debug, Parser)]
#[command(name = "ringfence", version, about = "Ringfence's control plane")]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the API and the dashboard
    Serve {
        /// Run the workers in this process too
        #[arg(long)]
        with_workers: bool,
    },
    /// Run the workers
    Work,
    /// Bring the database's schema up to date, as its owner
    Migrate {
        /// The database login of `serve` and `work`: it is given the roles that it needs
        #[arg(long)]
        app_role: Option<String>,
    },
    /// Make an operator key and print it: it cannot be shown again
    Token,
    /// Print the API's description
    Openapi,
    /// Look at the settings
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Say everything that is wrong with the settings, and what is in effect; no secret is printed
    Check,
}

/// Requests of the AWS SDK nest deeply where nothing is optimised: twice what threads have otherwise.
const STACK_BYTES: usize = 4 * 1024 * 1024;

fn main() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .thread_stack_size(STACK_BYTES)
        .build();
    match runtime {
        Ok(runtime) => runtime.block_on(run()),
        Err(err) => {
            eprintln!("no runtime: {err}");
            ExitCode::FAILURE
        }
    }
}

async fn run() -> ExitCode {
    let arguments = Arguments::parse();
    let telemetry = match Telemetry::start(config::exports_spans(config::from_process)) {
        Ok(telemetry) => telemetry,
        Err(err) => {
            eprintln!("the OTEL_… variables cannot be used: {err}");
            return ExitCode::FAILURE;
        }
    };
    let result = match arguments.command {
        Command::Serve { with_workers } => commands::serve(with_workers).await,
        Command::Work => commands::work().await,
        Command::Migrate { app_role } => commands::migrate(app_role.as_deref()).await,
        Command::Token => commands::token().await,
        Command::Openapi => commands::openapi(),
        Command::Config {
            command: ConfigCommand::Check,
        } => commands::config_check(),
    };
    let status = match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(err) => {
            tracing::error!(error = %err, "ended");
            ExitCode::FAILURE
        }
    };
    telemetry.finish();
    status
}
