//! The program itself: its commands, what it prints, and how it ends.

use serde_json::Value;
use sqlx::PgPool;
use tokio::process::Command;
use tokio::task::JoinSet;

use crate::running::{Running, key_for, migrated, program, run};

#[sqlx::test(migrations = false)]
async fn an_empty_database_is_migrated_and_a_key_made_for_it_opens_the_api(pool: PgPool) {
    migrated(&pool).await;
    migrated(&pool).await;
    let key = key_for(&pool).await;
    let mut serve = program(&pool);
    serve.args(["serve", "--with-workers"]);
    let running = Running::serve(serve).await;
    let me = reqwest::Client::new()
        .get(format!("{}/v1/me", running.base))
        .bearer_auth(&key)
        .send()
        .await;
    assert_eq!(me.expect("an answer").status().as_u16(), 200);
    let logs = running.stop().await;
    for line in logs.lines() {
        assert!(
            serde_json::from_str::<Value>(line).is_ok(),
            "no JSON: {line}"
        );
    }
    assert!(!logs.contains(&key));
}

/// Requests that are being answered when the program is told to stop are answered.
#[sqlx::test(migrations = false)]
async fn a_stop_under_load_fails_no_request_that_was_accepted(pool: PgPool) {
    migrated(&pool).await;
    let key = key_for(&pool).await;
    let mut serve = program(&pool);
    serve.arg("serve");
    let running = Running::serve(serve).await;
    let (answered, mut answers) = tokio::sync::mpsc::unbounded_channel();
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (url, key, answered) = (
            format!("{}/v1/tenants", running.base),
            key.clone(),
            answered.clone(),
        );
        callers.spawn(async move {
            let client = reqwest::Client::new();
            loop {
                let answer = match client.get(&url).bearer_auth(&key).send().await {
                    Ok(answer) => answer,
                    // Nobody listens any more: this request was never accepted.
                    Err(err) if err.is_connect() => return None,
                    Err(err) => return Some(err.to_string()),
                };
                let status = answer.status().as_u16();
                match answer.bytes().await {
                    Ok(_) if status == 200 => answered.send(()).expect("counted"),
                    Ok(_) => return Some(format!("answered {status}")),
                    Err(err) => return Some(err.to_string()),
                }
            }
        });
    }
    drop(answered);
    for _ in 0..200 {
        answers.recv().await.expect("an answer");
    }
    running.stop().await;
    let failures: Vec<String> = callers.join_all().await.into_iter().flatten().collect();
    assert!(failures.is_empty(), "{failures:?}");
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
