//! One execution environment: a process of the function's real `bootstrap`, served through the Lambda Runtime API.
//!
//! Invariants: one invocation at a time (running one takes `&mut self`); between invocations the process is stopped
//! by signal, as Lambda freezes it; dropping an environment kills its process, also a frozen one.
//!
//! Failure: a process that ends, exceeds its deadline or fails to start is never used again; what happened is told
//! as Lambda tells it ([`Failure`]).

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use rustix::process::{Pid, Signal as UnixSignal, kill_process};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until, timeout};

use super::logs::Logs;
use super::runtime_api::{self, Answer, Signal};
use super::spawner::Spawner;

/// Lambda gives a function this long to start.
const INIT_LIMIT: Duration = Duration::from_secs(10);
/// How long a function may take between its answer and its readiness for the next event.
const SETTLE_LIMIT: Duration = Duration::from_secs(2);
/// An environment that is older is replaced by a new one.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// What a process needs to run.
#[derive(Debug, Clone)]
pub struct Launch {
    pub bootstrap: PathBuf,
    pub arguments: Vec<String>,
    pub variables: BTreeMap<String, String>,
    pub freeze: bool,
    pub logs: Arc<Logs>,
}

/// An event on its way to a function.
#[derive(Debug)]
pub struct Job {
    pub request_id: String,
    pub function_arn: String,
    pub payload: Bytes,
    pub limit: Duration,
}

/// Why an invocation has no answer of the function's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    TimedOut { request_id: String, after: Duration },
    Exited { request_id: String, status: String },
    InitFailed(String),
}

impl Failure {
    /// The payload that Lambda answers with.
    pub fn payload(&self) -> Value {
        match self {
            Self::TimedOut { request_id, after } => json!({
                "errorType": "Sandbox.Timedout",
                "errorMessage": format!("RequestId: {request_id} Error: Task timed out after {:.2} seconds", after.as_secs_f64()),
            }),
            Self::Exited { request_id, status } => json!({
                "errorType": "Runtime.ExitError",
                "errorMessage": format!("RequestId: {request_id} Error: Runtime exited with error: {status}"),
            }),
            Self::InitFailed(reason) => {
                json!({"errorType": "Runtime.InitError", "errorMessage": reason})
            }
        }
    }
}

/// How an invocation ended.
#[derive(Debug)]
pub enum Outcome {
    Answered(Bytes),
    /// The function reported an error of its own.
    Errored(Bytes),
    Failed(Failure),
}

/// A running process and the server that feeds it.
#[derive(Debug)]
pub struct Environment {
    child: Child,
    started: Instant,
    idle_since: Instant,
    pid: Option<Pid>,
    freeze: bool,
    signals: mpsc::UnboundedReceiver<Signal>,
    waiting: Option<oneshot::Sender<runtime_api::Event>>,
    server: JoinHandle<()>,
}

impl Environment {
    /// Starts the process and waits until it asks for its first event.
    pub async fn start(launch: &Launch, spawner: &Spawner) -> Result<Self, Failure> {
        let failed =
            |what: &str, error: std::io::Error| Failure::InitFailed(format!("{what}: {error}"));
        let listener = TcpListener::bind("127.0.0.1:0")
            .await
            .map_err(|error| failed("listen", error))?;
        let address = listener
            .local_addr()
            .map_err(|error| failed("listen", error))?;
        let (sender, signals) = mpsc::unbounded_channel();
        let server = runtime_api::serve(listener, sender);
        let mut child = match spawner.spawn(command(launch, &address.to_string())).await {
            Ok(child) => child,
            Err(error) => {
                server.abort();
                return Err(failed(
                    &format!("start {}", launch.bootstrap.display()),
                    error,
                ));
            }
        };
        collect(child.stdout.take(), "stdout", &launch.logs);
        collect(child.stderr.take(), "stderr", &launch.logs);
        let pid = child
            .id()
            .and_then(|pid| i32::try_from(pid).ok())
            .and_then(Pid::from_raw);
        let mut environment = Self {
            child,
            started: Instant::now(),
            idle_since: Instant::now(),
            pid,
            freeze: launch.freeze,
            signals,
            waiting: None,
            server,
        };
        environment.initialise().await?;
        Ok(environment)
    }

    async fn initialise(&mut self) -> Result<(), Failure> {
        let first = tokio::select! {
            status = self.child.wait() => {
                let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                return Err(Failure::InitFailed(format!("Runtime exited with error: {status}")));
            }
            signal = timeout(INIT_LIMIT, self.signals.recv()) => signal,
        };
        match first {
            Ok(Some(Signal::Next(reply))) => {
                self.waiting = Some(reply);
                self.signal(UnixSignal::STOP);
                Ok(())
            }
            Ok(Some(Signal::InitError(body))) => Err(Failure::InitFailed(
                String::from_utf8_lossy(&body).into_owned(),
            )),
            Ok(_) => Err(Failure::InitFailed(
                "the runtime answered before it was given an event".to_owned(),
            )),
            Err(_) => Err(Failure::InitFailed(format!(
                "Init timed out after {} seconds",
                INIT_LIMIT.as_secs()
            ))),
        }
    }

    /// Runs one event. Says too whether the environment can be used again.
    pub async fn run(&mut self, job: Job) -> (Outcome, bool) {
        self.signal(UnixSignal::CONT);
        let deadline = Instant::now() + job.limit;
        let event = runtime_api::Event {
            request_id: job.request_id.clone(),
            function_arn: job.function_arn,
            payload: job.payload,
            limit: job.limit,
        };
        let exited = |status: String| {
            Outcome::Failed(Failure::Exited {
                request_id: job.request_id.clone(),
                status,
            })
        };
        if self
            .waiting
            .take()
            .is_none_or(|reply| reply.send(event).is_err())
        {
            return (
                exited("the runtime is not waiting for events".to_owned()),
                false,
            );
        }
        loop {
            tokio::select! {
                biased;
                signal = self.signals.recv() => match signal {
                    Some(Signal::Answer(Answer { request_id, body, error })) if request_id == job.request_id => {
                        let reusable = self.settle().await;
                        return (if error { Outcome::Errored(body) } else { Outcome::Answered(body) }, reusable);
                    }
                    Some(Signal::Answer(_) | Signal::InitError(_)) => {}
                    Some(Signal::Next(_)) => return (exited("the runtime asked for the next event before it answered".to_owned()), false),
                    None => return (exited("the Runtime API is gone".to_owned()), false),
                },
                status = self.child.wait() => {
                    let status = status.map_or_else(|error| error.to_string(), |status| status.to_string());
                    return (exited(status), false);
                }
                () = sleep_until(deadline) => {
                    let failure = Failure::TimedOut { request_id: job.request_id, after: job.limit };
                    return (Outcome::Failed(failure), false);
                }
            }
        }
    }

    /// Lambda ends an invocation when the runtime asks for the next event, not when it answers.
    async fn settle(&mut self) -> bool {
        match timeout(SETTLE_LIMIT, self.signals.recv()).await {
            Ok(Some(Signal::Next(reply))) => {
                self.waiting = Some(reply);
                self.idle_since = Instant::now();
                self.signal(UnixSignal::STOP);
                true
            }
            _ => false,
        }
    }

    pub fn idle_for(&self) -> Duration {
        self.idle_since.elapsed()
    }

    /// Whether it can take another event: an idle process may have been killed from outside, an old one's
    /// credentials may be about to expire.
    pub fn is_fit(&mut self) -> bool {
        self.started.elapsed() < MAX_AGE && matches!(self.child.try_wait(), Ok(None))
    }

    fn signal(&self, signal: UnixSignal) {
        if !self.freeze {
            return;
        }
        if let Some(Err(error)) = self.pid.map(|pid| kill_process(pid, signal)) {
            tracing::debug!(%error, "signal a function's process");
        }
    }
}

impl Drop for Environment {
    fn drop(&mut self) {
        self.server.abort();
        if let Err(error) = self.child.start_kill() {
            tracing::debug!(%error, "kill a function's process");
        }
    }
}

fn command(launch: &Launch, runtime_api: &str) -> Command {
    let mut command = match parent_death_wrapper() {
        Some(wrapper) => {
            let mut command = Command::new(wrapper);
            command
                .args(["--pdeathsig", "KILL", "--"])
                .arg(&launch.bootstrap);
            command
        }
        None => Command::new(&launch.bootstrap),
    };
    command
        .args(&launch.arguments)
        .env_clear()
        .envs(&launch.variables)
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // A terminal's Ctrl-C is for the simulator, which ends its functions itself.
        .process_group(0)
        .kill_on_drop(true);
    command
}

/// A frozen process cannot notice that the simulator was killed; where util-linux is there, the kernel tells it.
fn parent_death_wrapper() -> Option<&'static str> {
    ["/usr/bin/setpriv", "/bin/setpriv"]
        .into_iter()
        .find(|path| std::path::Path::new(path).exists())
}

fn collect(
    stream: Option<impl AsyncRead + Unpin + Send + 'static>,
    name: &'static str,
    logs: &Arc<Logs>,
) {
    let Some(stream) = stream else { return };
    let logs = Arc::clone(logs);
    tokio::spawn(async move {
        let mut lines = BufReader::new(stream).lines();
        while let Ok(Some(line)) = lines.next_line().await {
            logs.push(name, line);
        }
    });
}
