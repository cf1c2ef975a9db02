//! The program itself: its commands, what it prints, and how it ends.

use std::process::{Output, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use sqlx::{ConnectOptions as _, PgPool};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, BufReader};
use tokio::process::Command;
use tokio::time::timeout;

const ENDS_WITHIN: Duration = Duration::from_secs(20);

/// With nothing of the surrounding environment.
fn program(pool: &PgPool) -> Command {
    let url = pool.connect_options().to_url_lossy();
    let mut command = Command::new(env!("CARGO_BIN_EXE_ringfence"));
    command
        .env_clear()
        .env("DATABASE_URL", url.as_str())
        .env("RINGFENCE_LISTEN", "127.0.0.1:0")
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

async fn run(mut command: Command) -> Output {
    command.output().await.expect("the program runs")
}

#[sqlx::test(migrations = false)]
async fn an_empty_database_is_migrated_and_a_key_made_for_it_opens_the_api(pool: PgPool) {
    let mut migrate = program(&pool);
    migrate.arg("migrate");
    assert!(run(migrate).await.status.success());
    let mut again = program(&pool);
    again.arg("migrate");
    assert!(run(again).await.status.success());
    let mut token = program(&pool);
    token.arg("token");
    let key = String::from_utf8(run(token).await.stdout).expect("text");
    assert!(
        key.starts_with("rf_op_") && key.lines().count() == 1,
        "{key}"
    );

    let mut serve = program(&pool);
    serve.args(["serve", "--with-workers"]);
    let mut child = serve.spawn().expect("the program starts");
    let mut stdout = BufReader::new(child.stdout.take().expect("its output")).lines();
    let line = stdout.next_line().await.expect("output").expect("a line");
    let ready: Value = serde_json::from_str(&line).expect("a JSON line");
    let base = ready["listening"].as_str().expect("an address").to_owned();
    let me = reqwest::Client::new()
        .get(format!("{base}/v1/me"))
        .bearer_auth(key.trim())
        .send()
        .await;
    let me = me.expect("an answer");
    assert_eq!(me.status().as_u16(), 200);

    let pid = child
        .id()
        .and_then(|id| Pid::from_raw(id.try_into().ok()?))
        .expect("it runs");
    kill_process(pid, Signal::TERM).expect("signalled");
    let ended = timeout(ENDS_WITHIN, child.wait())
        .await
        .expect("it ends by itself");
    let mut logs = String::new();
    child
        .stderr
        .take()
        .expect("its logs")
        .read_to_string(&mut logs)
        .await
        .expect("text");
    assert!(ended.expect("a status").success(), "{logs}");
    for line in logs.lines() {
        assert!(
            serde_json::from_str::<Value>(line).is_ok(),
            "no JSON: {line}"
        );
    }
    assert!(!logs.contains(key.trim()));
}

#[sqlx::test(migrations = false)]
async fn a_start_without_settings_names_all_of_them(pool: PgPool) {
    let mut serve = program(&pool);
    serve
        .arg("serve")
        .env_remove("DATABASE_URL")
        .env_remove("RINGFENCE_LIMITER_PRINCIPAL");
    let output = run(serve).await;
    let logs = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        logs.contains("DATABASE_URL") && logs.contains("RINGFENCE_LIMITER_PRINCIPAL"),
        "{logs}"
    );
}

#[tokio::test]
async fn the_description_needs_neither_database_nor_settings() {
    let output = Command::new(env!("CARGO_BIN_EXE_ringfence"))
        .env_clear()
        .arg("openapi")
        .output()
        .await
        .expect("the program runs");
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        ringfence_api::http::openapi::text()
    );
}
