//! The program itself: its commands, what it prints, and how it ends.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use serde_json::Value;
use sqlx::{AssertSqlSafe, ConnectOptions as _, PgPool};
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

/// Callers that watch `/readyz`, as a balancer does, never notice that the process went away.
#[sqlx::test(migrations = false)]
async fn a_stop_under_load_fails_no_request(pool: PgPool) {
    migrated(&pool).await;
    let key = key_for(&pool).await;
    let mut serve = program(&pool);
    serve.arg("serve").env("RINGFENCE_DRAIN_SECONDS", "3");
    let running = Running::serve(serve).await;
    let is_ready = Arc::new(AtomicBool::new(true));
    let answered = Arc::new(AtomicU32::new(0));
    let mut callers = JoinSet::new();
    for _ in 0..16 {
        let (is_ready, answered) = (Arc::clone(&is_ready), Arc::clone(&answered));
        let request = reqwest::Client::new()
            .get(format!("{}/v1/tenants", running.base))
            .bearer_auth(&key);
        callers.spawn(async move {
            while is_ready.load(Ordering::SeqCst) {
                let request = request.try_clone().expect("no body");
                let answer = request.send().await.map_err(|err| format!("{err:?}"))?;
                let status = answer.status().as_u16();
                answer.bytes().await.map_err(|err| format!("{err:?}"))?;
                if status != 200 {
                    return Err(format!("answered {status}"));
                }
                answered.fetch_add(1, Ordering::SeqCst);
            }
            Ok(())
        });
    }
    let ready = || async { reqwest::get(format!("{}/readyz", running.base)).await };
    while answered.load(Ordering::SeqCst) < 100 {
        assert_eq!(ready().await.expect("an answer").status().as_u16(), 200);
    }
    running.tell_to_stop();
    while ready().await.expect("still served").status().as_u16() == 200 {}
    let before = answered.load(Ordering::SeqCst);
    while answered.load(Ordering::SeqCst) < before + 50 {
        tokio::task::yield_now().await;
    }
    is_ready.store(false, Ordering::SeqCst);
    let failures: Vec<String> = callers
        .join_all()
        .await
        .into_iter()
        .filter_map(Result::err)
        .collect();
    assert!(failures.is_empty(), "{failures:?}");
    running.ended().await;
}

/// As in production: the schema's owner is no superuser, the application's login owns nothing.
#[sqlx::test(migrations = false)]
async fn an_owner_migrates_and_a_plain_login_serves(pool: PgPool) {
    let names: (String, String) = sqlx::query_as(
        "select 'owner_' || md5(current_database()), 'app_' || md5(current_database())",
    )
    .fetch_one(&pool)
    .await
    .expect("names");
    let (owner, app) = names;
    for statement in [
        format!("drop role if exists {owner}"),
        format!("drop role if exists {app}"),
        format!("create role {owner} login createrole"),
        format!("create role {app} login noinherit"),
        format!("alter schema public owner to {owner}"),
    ] {
        let done = sqlx::query(AssertSqlSafe(statement.clone()))
            .execute(&pool)
            .await;
        done.unwrap_or_else(|err| panic!("{statement}: {err}"));
    }
    let as_login = |login: &str, args: &[&str]| {
        let options = pool.connect_options().as_ref().clone().username(login);
        let mut command = program(&pool);
        command
            .args(args)
            .env("DATABASE_URL", options.to_url_lossy().as_str())
            .env_remove("RINGFENCE_ANY_DATABASE_LOGIN");
        command
    };
    let migrated = run(as_login(&owner, &["migrate", "--app-role", &app])).await;
    assert!(migrated.status.success(), "{migrated:?}");
    let token = run(as_login(&app, &["token"])).await;
    assert!(token.status.success(), "{token:?}");
    let key = String::from_utf8(token.stdout).expect("text");

    let refused = run(as_login(&owner, &["serve"])).await;
    let logs = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(
        !refused.status.success() && logs.contains("row security"),
        "{logs}"
    );

    let running = Running::serve(as_login(&app, &["serve"])).await;
    let base = &running.base;
    let client = reqwest::Client::new();
    let ready = client.get(format!("{base}/readyz")).send().await;
    assert_eq!(ready.expect("an answer").status().as_u16(), 200);
    let made = client
        .post(format!("{base}/v1/tenants"))
        .bearer_auth(key.trim())
        .json(&serde_json::json!({ "name": "Northwind" }))
        .send()
        .await;
    assert_eq!(made.expect("an answer").status().as_u16(), 201);
    running.stop().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_login_that_could_evade_row_security_is_refused(pool: PgPool) {
    let mut serve = program(&pool);
    serve
        .arg("serve")
        .env_remove("RINGFENCE_ANY_DATABASE_LOGIN");
    let output = run(serve).await;
    let logs = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        logs.contains("noinherit") && logs.contains("RINGFENCE_ANY_DATABASE_LOGIN"),
        "{logs}"
    );
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
