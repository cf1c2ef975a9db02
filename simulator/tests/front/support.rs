//! A running simulator, and Python to talk to it.

use std::ffi::OsStr;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

const PATIENCE: Duration = Duration::from_secs(120);

/// The real program on a free port, with a record in a file; ended with the test.
#[derive(Debug)]
pub struct Simulator {
    endpoint: String,
    folder: TempDir,
    child: Child,
}

impl Simulator {
    pub async fn start() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), false).await
    }

    /// One that keeps its tables.
    pub async fn start_keeping() -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), true).await
    }

    /// The same again, after it was told to stop and did.
    pub async fn restart(mut self) -> Self {
        let id = self.child.id().expect("it runs").cast_signed();
        let pid = Pid::from_raw(id).expect("a process");
        kill_process(pid, Signal::TERM).expect("told to stop");
        let ended = tokio::time::timeout(PATIENCE, self.child.wait()).await;
        let ended = ended.expect("stopped in time").expect("its end");
        assert!(ended.success(), "ended with {ended}");
        Self::start_in(self.folder, true).await
    }

    async fn start_in(folder: TempDir, keeping: bool) -> Self {
        let data = folder.path().join("data");
        let kept: &[&OsStr] = &["--data".as_ref(), data.as_ref()];
        let mut child = Command::new(env!("CARGO_BIN_EXE_ringfence-sim"))
            .args(["serve", "--port", "0", "--log"])
            .arg(folder.path().join("requests.ndjson"))
            .args(if keeping { kept } else { &[] })
            .stdout(Stdio::piped())
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .expect("the simulator starts");
        let mut lines = BufReader::new(child.stdout.take().expect("its output")).lines();
        let line = tokio::time::timeout(PATIENCE, lines.next_line())
            .await
            .expect("ready in time");
        let ready: Value =
            serde_json::from_str(&line.expect("read").expect("a line")).expect("JSON");
        let endpoint = ready["endpoint"].as_str().expect("its address").to_owned();
        Self {
            endpoint,
            folder,
            child,
        }
    }

    /// Runs the assertions of a file in `python/`; what they print is the test's message when one fails.
    pub async fn check(&self, file: &str) {
        self.check_only(file, &[]).await;
    }

    /// Runs these classes of assertions alone.
    pub async fn check_only(&self, file: &str, classes: &[&str]) {
        let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
        let run = Command::new(python())
            .arg("-B")
            .arg(tests.join("front/python").join(file))
            .args(classes)
            .env("SIMULATOR", &self.endpoint)
            .env("REQUEST_LOG", self.folder.path().join("requests.ndjson"))
            .env(
                "CUSTOMER_TEMPLATE",
                tests.join("../../deploy/customer.yaml"),
            )
            .stdin(Stdio::null())
            .kill_on_drop(true)
            .output();
        let run = tokio::time::timeout(PATIENCE, run)
            .await
            .expect("done in time")
            .expect("Python starts");
        let printed = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{file}:\n{printed}");
        assert!(!printed.contains("Ran 0 tests"), "{file} asserts nothing");
    }
}

/// Python with boto3, which `make setup-python` prepares.
fn python() -> String {
    let prepared = concat!(env!("CARGO_MANIFEST_DIR"), "/../target/venv/bin/python");
    let python = std::env::var("RINGFENCE_PYTHON").unwrap_or_else(|_| prepared.to_owned());
    assert!(
        Path::new(&python).exists(),
        "{python} is missing: run `make setup-python`, or name a Python with boto3 in RINGFENCE_PYTHON"
    );
    python
}
