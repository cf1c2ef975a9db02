//! One process of the function's `bootstrap` behind the Lambda Runtime API: never frozen, timed and measured.

use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::process::{Child, Command};
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::{Result, failed, io};
use crate::lambda::runtime_api::{self, Event, Signal};

const LIMIT: Duration = Duration::from_secs(8);

pub(super) struct Function {
    child: Child,
    pub(super) pid: u32,
    signals: mpsc::UnboundedReceiver<Signal>,
    waiting: Option<oneshot::Sender<Event>>,
    server: JoinHandle<()>,
    invocations: u64,
}

impl Function {
    pub(super) async fn start(bootstrap: &Path, variables: &[(&str, String)]) -> Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0))
            .await
            .map_err(io("listen"))?;
        let address = listener.local_addr().map_err(io("listen"))?;
        let (sender, signals) = mpsc::unbounded_channel();
        let server = runtime_api::serve(listener, sender);
        let mut command = Command::new(bootstrap);
        command
            .env_clear()
            .envs(variables.iter().map(|(name, value)| (*name, value)))
            .env("AWS_LAMBDA_RUNTIME_API", address.to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true);
        let mut child = command.spawn().map_err(io("start the function"))?;
        if let Some(mut written) = child.stdout.take() {
            tokio::spawn(
                async move { tokio::io::copy(&mut written, &mut tokio::io::sink()).await },
            );
        }
        let pid = child
            .id()
            .ok_or_else(|| failed("the function ended at once"))?;
        Ok(Self {
            child,
            pid,
            signals,
            waiting: None,
            server,
            invocations: 0,
        })
    }

    /// The answer, and how long it took from handing over the event.
    pub(super) async fn invoke(&mut self, event: &Value) -> Result<(Value, Duration)> {
        self.ready().await?;
        let waiting = self
            .waiting
            .take()
            .ok_or_else(|| failed("the function does not wait"))?;
        self.invocations += 1;
        let event = Event {
            request_id: format!("8476a536-e9f4-11e8-9739-{:012}", self.invocations),
            function_arn: "arn:aws:lambda:us-east-1:111122223333:function:ringfence-limiter-1"
                .to_owned(),
            payload: Bytes::from(event.to_string()),
            limit: LIMIT,
        };
        let begun = Instant::now();
        drop(waiting.send(event));
        match self.signal().await? {
            Signal::Answer(answer) if !answer.error => {
                let took = begun.elapsed();
                Ok((serde_json::from_slice(&answer.body).map_err(failed)?, took))
            }
            Signal::Answer(answer) => Err(failed(String::from_utf8_lossy(&answer.body))),
            Signal::InitError(body) => Err(failed(String::from_utf8_lossy(&body))),
            Signal::Next(_) => Err(failed("the function asked again before it answered")),
        }
    }

    /// Waits until the function asks for an event.
    pub(super) async fn ready(&mut self) -> Result<()> {
        while self.waiting.is_none() {
            match self.signal().await? {
                Signal::Next(waiting) => self.waiting = Some(waiting),
                Signal::InitError(body) => return Err(failed(String::from_utf8_lossy(&body))),
                Signal::Answer(_) => return Err(failed("an answer to nothing")),
            }
        }
        Ok(())
    }

    async fn signal(&mut self) -> Result<Signal> {
        let signal = timeout(LIMIT, self.signals.recv()).await.map_err(failed)?;
        signal.ok_or_else(|| failed("the Runtime API is gone"))
    }

    /// Processor time so far, of all its threads.
    pub(super) fn processor_time(&self) -> Result<Duration> {
        let threads =
            std::fs::read_dir(format!("/proc/{}/task", self.pid)).map_err(io("read /proc"))?;
        let mut total = Duration::ZERO;
        for thread in threads {
            let thread = thread.map_err(io("read /proc"))?;
            // Its first field is the time on a processor in nanoseconds. A thread may end while this looks.
            let times =
                std::fs::read_to_string(thread.path().join("schedstat")).unwrap_or_default();
            let on_processor = times
                .split_whitespace()
                .next()
                .and_then(|field| field.parse().ok());
            total += Duration::from_nanos(on_processor.unwrap_or_default());
        }
        Ok(total)
    }

    /// Resident memory at its highest, in kilobytes.
    pub(super) fn peak_memory_kb(&self) -> Result<u64> {
        let status = self.proc("status")?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
        number.ok_or_else(|| failed("the kernel tells no VmHWM"))
    }

    fn proc(&self, file: &str) -> Result<String> {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.pid)).map_err(io("read /proc"))
    }

    pub(super) async fn end(mut self) -> Result<()> {
        self.child.kill().await.map_err(io("end the function"))
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        self.server.abort();
    }
}
