//! `ringfence-dev` passes on what its command said, and leaves neither processes nor folders behind.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::Duration;

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::wait::{Seen, until};
use rustix::process::{Pid, Signal, kill_process, test_kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

fn dev(args: &[&str]) -> Child {
    Command::new(env!("CARGO_BIN_EXE_ringfence-dev"))
        .args(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .expect("ringfence-dev")
}

async fn first_line(child: &mut Child) -> String {
    let stdout = child.stdout.take().expect("its output");
    let mut lines = BufReader::new(stdout).lines();
    let line = tokio::time::timeout(Duration::from_secs(90), lines.next_line()).await;
    line.expect("a line in time")
        .expect("readable")
        .expect("a line")
}

fn pid(child: &Child) -> Pid {
    let id = child.id().expect("running");
    Pid::from_raw(id.try_into().expect("a pid")).expect("not zero")
}

/// The folder of the private server, as its address names it.
fn folder(database_url: &str) -> PathBuf {
    PathBuf::from(
        database_url
            .split_once("host=")
            .expect("a socket's folder")
            .1,
    )
}

fn server(folder: &std::path::Path) -> Pid {
    let text =
        std::fs::read_to_string(folder.join("data/postmaster.pid")).expect("a running server");
    let id = text
        .lines()
        .next()
        .and_then(|line| line.trim().parse().ok())
        .expect("its pid");
    Pid::from_raw(id).expect("not zero")
}

async fn gone(server: Pid) -> Result<()> {
    until(
        "PostgreSQL to be gone",
        Duration::from_secs(20),
        Duration::from_millis(50),
        async || match test_kill_process(server) {
            Err(_) => Ok(Seen::Done(())),
            Ok(()) => Ok(Seen::not_yet("running")),
        },
    )
    .await
}

#[tokio::test]
async fn a_command_gets_a_database_and_its_exit_code_is_passed_on() {
    let mut child = dev(&[
        "with-postgres",
        "--",
        "sh",
        "-c",
        "echo $DATABASE_URL; exit 7",
    ]);
    let folder = folder(&first_line(&mut child).await);
    let status = child.wait().await.expect("its end");
    assert_eq!(status.code(), Some(7));
    assert!(!folder.exists(), "{} is left", folder.display());
}

#[tokio::test]
async fn a_command_that_is_interrupted_leaves_no_server_behind() {
    let mut child = dev(&[
        "with-postgres",
        "--",
        "sh",
        "-c",
        "echo $DATABASE_URL; exec sleep 600",
    ]);
    let folder = folder(&first_line(&mut child).await);
    let server = server(&folder);
    kill_process(pid(&child), Signal::TERM).expect("a signal");
    let status = child.wait().await.expect("its end");
    assert_eq!(status.code(), Some(143));
    gone(server).await.expect("gone");
    assert!(!folder.exists(), "{} is left", folder.display());
}

#[tokio::test]
async fn even_a_killed_parent_leaves_no_server_behind() {
    let mut child = dev(&[
        "with-postgres",
        "--",
        "sh",
        "-c",
        "echo $DATABASE_URL; exec sleep 20 >/dev/null 2>&1",
    ]);
    let folder = folder(&first_line(&mut child).await);
    let server = server(&folder);
    child.kill().await.expect("killed");
    gone(server).await.expect("gone");
    std::fs::remove_dir_all(&folder).expect("nobody else removes it");
}

#[tokio::test]
async fn the_stack_says_where_it_is_and_is_gone_after_a_signal() {
    let mut child = dev(&["up"]);
    let line = first_line(&mut child).await;
    let said: Value = serde_json::from_str(&line).unwrap_or_else(|err| panic!("{line}: {err}"));
    for name in ["api", "simulator", "operator_key", "database_url"] {
        assert!(
            said[name].as_str().is_some_and(|text| !text.is_empty()),
            "{name}: {said}"
        );
    }
    assert_eq!(
        said["limiter_functions"].as_array().map(Vec::len),
        Some(2),
        "{said}"
    );
    let api = said["api"].as_str().expect("an address").to_owned();
    let health = reqwest::get(format!("{api}/readyz"))
        .await
        .expect("an answer");
    assert!(health.status().is_success());

    let server = server(&folder(said["database_url"].as_str().expect("an address")));
    kill_process(pid(&child), Signal::INT).expect("a signal");
    let status = tokio::time::timeout(Duration::from_secs(60), child.wait())
        .await
        .expect("in time")
        .expect("its end");
    assert_eq!(status.code(), Some(0));
    gone(server).await.expect("gone");
    assert!(
        reqwest::get(format!("{api}/readyz")).await.is_err(),
        "the API still answers"
    );
}
