//! The program itself, started as an operator would, with nothing of the surrounding environment.

use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{ConnectOptions as _, PgPool};
use tokio::io::{AsyncBufRead, AsyncBufReadExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStderr, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::harness::SECRET_KEY;

const ENDS_WITHIN: Duration = Duration::from_secs(30);
const STARTS_WITHIN: Duration = Duration::from_secs(30);

pub fn program(pool: &PgPool) -> Command {
    let url = pool.connect_options().to_url_lossy();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    command
        .env_clear()
        .env("DATABASE_URL", url.as_str())
        .env("RINGFENCE_ANY_DATABASE_LOGIN", "true")
        .env("RINGFENCE_LISTEN", "127.0.0.1:0")
        .env("RINGFENCE_DRAIN_SECONDS", "0")
        .env(
            "RINGFENCE_CONTROL_PLANE_PRINCIPAL",
            "arn:aws:iam::999988887777:role/ringfence-control-plane",
        )
        .env(
            "RINGFENCE_LIMITER_PRINCIPAL",
            "arn:aws:iam::999988887777:role/ringfence-limiter",
        )
        .env(
            "RINGFENCE_LIMITER_FUNCTIONS",
            "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1",
        )
        .env("RINGFENCE_SECRET_KEYS", SECRET_KEY)
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", "http://127.0.0.1:1")
        .env("AWS_ACCESS_KEY_ID", "none")
        .env("AWS_SECRET_ACCESS_KEY", "none")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true);
    command
}

pub async fn run(mut command: Command) -> Output {
    command.output().await.expect("the program runs")
}

pub async fn migrated(pool: &PgPool) {
    let mut migrate = program(pool);
    migrate.arg("migrate");
    let output = run(migrate).await;
    assert!(output.status.success(), "{output:?}");
}

/// An operator's key.
pub async fn key_for(pool: &PgPool) -> String {
    let mut token = program(pool);
    token.arg("token");
    let key = String::from_utf8(run(token).await.stdout).expect("text");
    assert!(
        key.starts_with("rf_op_") && key.lines().count() == 1,
        "{key}"
    );
    key.trim().to_owned()
}

/// A program that runs until it is told to stop.
pub struct Running {
    child: Child,
    logs: JoinHandle<String>,
    /// Where the API listens; empty for a program that serves none.
    pub base: String,
    /// Where metrics are served, if they are.
    pub metrics: Option<String>,
}

impl Running {
    /// Serves, and has said where.
    pub async fn serve(command: Command) -> Self {
        let (mut child, base) = serving(command).await;
        let (metrics, logs) = watch(&mut child, "listening").await;
        Self {
            child,
            logs,
            base,
            metrics,
        }
    }

    /// Serves, and may log nothing.
    pub async fn serve_quietly(command: Command) -> Self {
        let (mut child, base) = serving(command).await;
        let lines = BufReader::new(child.stderr.take().expect("its logs")).lines();
        Self {
            child,
            logs: keep(lines, String::new()),
            base,
            metrics: None,
        }
    }

    /// Works, and has said so.
    pub async fn work(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let (metrics, logs) = watch(&mut child, "working").await;
        Self {
            child,
            logs,
            base: String::new(),
            metrics,
        }
    }

    pub fn tell_to_stop(&self) {
        let pid = self
            .child
            .id()
            .and_then(|id| Pid::from_raw(id.try_into().ok()?));
        kill_process(pid.expect("it runs"), Signal::TERM).expect("signalled");
    }

    /// Told to stop, it ends by itself and well; answers what it has logged.
    pub async fn stop(self) -> String {
        self.tell_to_stop();
        self.ended().await
    }

    /// Was told to stop.
    pub async fn ended(mut self) -> String {
        let ended = timeout(ENDS_WITHIN, self.child.wait())
            .await
            .expect("it ends by itself");
        let logs = self.logs.await.expect("its logs");
        assert!(ended.expect("a status").success(), "{logs}");
        logs
    }
}

/// A program that has said on its output where it listens.
async fn serving(mut command: Command) -> (Child, String) {
    let mut child = command.spawn().expect("the program starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = next(&mut stdout).await.expect("a line");
    let ready: Value = serde_json::from_str(&line).expect("a JSON line");
    let base = ready["listening"].as_str().expect("an address").to_owned();
    (child, base)
}

/// Reads the log up to the line with this message, then goes on reading so that the pipe never fills.
async fn watch(child: &mut Child, message: &str) -> (Option<String>, JoinHandle<String>) {
    let mut lines: Lines<BufReader<ChildStderr>> =
        BufReader::new(child.stderr.take().expect("its logs")).lines();
    let mut log = String::new();
    let mut metrics = None;
    while let Some(line) = next(&mut lines).await {
        let entry: Value = serde_json::from_str(&line).unwrap_or_default();
        log.push_str(&line);
        log.push('\n');
        if entry["message"] == "metrics listening" {
            metrics = entry["address"].as_str().map(|at| format!("http://{at}"));
        }
        if entry["message"] == message {
            break;
        }
    }
    (metrics, keep(lines, log))
}

fn keep(mut lines: Lines<BufReader<ChildStderr>>, mut log: String) -> JoinHandle<String> {
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            log.push_str(&line);
            log.push('\n');
        }
        log
    })
}

async fn next<R: AsyncBufRead + Unpin>(lines: &mut Lines<R>) -> Option<String> {
    timeout(STARTS_WITHIN, lines.next_line())
        .await
        .expect("it says something")
        .expect("readable")
}
