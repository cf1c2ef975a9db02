//! Children: started in their own process group, watched, told to end, and ended if they do not listen.
//!
//! A child gets its own group so that Ctrl-C reaches the parent alone, which then ends the children in the right order.
//! Where `setpriv` is at hand the kernel ends a child whose parent was killed; that needs the spawning thread to live
//! as long as the parent, so `spawn` is to be called from an async task or from main, never from a blocking task.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdout, Command};
use tokio::time::timeout;

use super::{DevError, Result};

/// What to start. Secrets travel in the environment, which no listing of processes shows to other users.
#[derive(Debug)]
pub struct Recipe {
    pub name: &'static str,
    pub program: PathBuf,
    pub args: Vec<OsString>,
    pub env: Vec<(String, String)>,
    /// Another user and group to run as.
    pub owner: Option<(u32, u32)>,
    /// TERM or INT.
    pub stop: Signal,
}

impl Recipe {
    pub fn new(name: &'static str, program: PathBuf) -> Self {
        Self {
            name,
            program,
            args: Vec::new(),
            env: Vec::new(),
            owner: None,
            stop: Signal::TERM,
        }
    }

    pub fn args<T: Into<OsString>>(mut self, args: impl IntoIterator<Item = T>) -> Self {
        self.args.extend(args.into_iter().map(Into::into));
        self
    }

    pub fn env(mut self, key: &str, value: impl Into<String>) -> Self {
        self.env.push((key.to_owned(), value.into()));
        self
    }

    fn command(&self) -> Command {
        let mut command = match find_in_path("setpriv") {
            Some(setpriv) => {
                let mut command = Command::new(setpriv);
                let name = if self.stop == Signal::INT {
                    "INT"
                } else {
                    "TERM"
                };
                command.args(["--pdeathsig", name, "--"]).arg(&self.program);
                command
            }
            None => Command::new(&self.program),
        };
        command
            .args(&self.args)
            .envs(self.env.iter().map(|(key, value)| (key, value)))
            .stdin(Stdio::null())
            .process_group(0)
            .kill_on_drop(true);
        if let Some((user, group)) = self.owner {
            command.uid(user).gid(group);
        }
        command
    }
}

/// A long-running child whose words go to a log file.
#[derive(Debug)]
pub struct Service {
    name: &'static str,
    child: Child,
    stdout: Option<BufReader<ChildStdout>>,
    stop: Signal,
    log: PathBuf,
}

impl Service {
    pub fn spawn(recipe: &Recipe, logs: &Path) -> Result<Self> {
        let log = logs.join(format!("{}.log", recipe.name));
        let file =
            File::create(&log).map_err(DevError::io(format!("writing {}", log.display())))?;
        let mut child = recipe
            .command()
            .stdout(Stdio::piped())
            .stderr(file)
            .spawn()
            .map_err(DevError::io(format!(
                "starting {}",
                recipe.program.display()
            )))?;
        let stdout = child.stdout.take().map(BufReader::new);
        Ok(Self {
            name: recipe.name,
            child,
            stdout,
            stop: recipe.stop,
            log,
        })
    }

    pub fn pid(&self) -> Option<u32> {
        self.child.id()
    }

    /// The JSON line by which our programs say that they are ready.
    pub async fn ready_line(&mut self, bound: Duration) -> Result<Value> {
        let Some(mut stdout) = self.stdout.take() else {
            return Err(self.failure("has already said that it is ready"));
        };
        let mut line = String::new();
        match timeout(bound, stdout.read_line(&mut line)).await {
            Err(_) => {
                return Err(self.failure(&format!("was not ready within {} s", bound.as_secs())));
            }
            Ok(Err(err)) => return Err(self.failure(&format!("could not be read: {err}"))),
            Ok(Ok(0)) => return Err(self.failure("ended before it was ready")),
            Ok(Ok(_)) => {}
        }
        // A full pipe would stop the child, so what else it says is read and dropped.
        tokio::spawn(async move {
            let mut rest = String::new();
            while stdout.read_line(&mut rest).await.is_ok_and(|read| read > 0) {
                rest.clear();
            }
        });
        serde_json::from_str(&line)
            .map_err(|_| self.failure(&format!("said {line:?} instead of a JSON line")))
    }

    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    pub async fn wait(&mut self) -> Result<ExitStatus> {
        self.child
            .wait()
            .await
            .map_err(DevError::io(format!("waiting for {}", self.name)))
    }

    /// Asks the child to end, and ends it when it takes longer than `grace`.
    pub async fn stop(mut self, grace: Duration) {
        signal(&self.child, self.stop);
        if timeout(grace, self.child.wait()).await.is_err() {
            tracing::warn!(name = self.name, "did not end in time and was killed");
            let _ = self.child.kill().await;
        }
    }

    /// Ends the child at once, as a crash would.
    pub async fn kill(mut self) -> Result<()> {
        self.child
            .kill()
            .await
            .map_err(DevError::io(format!("killing {}", self.name)))
    }

    /// Stands still until [`Self::go_on`].
    pub fn stand_still(&self) {
        signal(&self.child, Signal::STOP);
    }

    pub fn go_on(&self) {
        signal(&self.child, Signal::CONT);
    }

    pub fn ask_to_stop(&self) {
        signal(&self.child, self.stop);
    }

    pub fn failure(&self, why: &str) -> DevError {
        DevError::Child {
            name: self.name.to_owned(),
            why: why.to_owned(),
            tail: tail(&self.log),
        }
    }
}

fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<&str> = text.lines().collect();
    lines
        .get(lines.len().saturating_sub(20)..)
        .unwrap_or_default()
        .join("\n")
}

/// Runs a child to its end and returns what it printed.
pub async fn output(recipe: &Recipe, logs: &Path) -> Result<String> {
    let log = logs.join(format!("{}.log", recipe.name));
    let file = File::create(&log).map_err(DevError::io(format!("writing {}", log.display())))?;
    let done = recipe
        .command()
        .stdout(Stdio::piped())
        .stderr(file)
        .spawn()
        .map_err(DevError::io(format!(
            "starting {}",
            recipe.program.display()
        )))?
        .wait_with_output()
        .await
        .map_err(DevError::io(format!("waiting for {}", recipe.name)))?;
    if done.status.success() {
        return Ok(String::from_utf8_lossy(&done.stdout).into_owned());
    }
    Err(DevError::Child {
        name: recipe.name.to_owned(),
        why: format!("failed ({})", done.status),
        tail: tail(&log),
    })
}

pub fn signal(child: &Child, signal: Signal) {
    let pid = child
        .id()
        .and_then(|id| i32::try_from(id).ok())
        .and_then(Pid::from_raw);
    if let Some(pid) = pid {
        // It may have ended by itself in between, which is what was wanted.
        let _ = kill_process(pid, signal);
    }
}

pub fn find_in_path(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|file| file.is_file())
}
