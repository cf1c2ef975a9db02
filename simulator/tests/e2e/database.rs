//! PostgreSQL goes away under load and comes back: callers are told so in between, nothing has to be started anew, and
//! what was answered as done is done, with its entry in the audit log.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::Duration;

use ringfence_simulator::dev::rest::{Rest, list, text};
use ringfence_simulator::dev::wait::{Seen, until};
use ringfence_simulator::dev::{DevError, Result};
use serde_json::{Value, json};
use tokio::task::JoinSet;

use super::harness::in_town;

const CALLERS: u32 = 6;

/// What callers met so far.
#[derive(Debug, Default)]
struct Met {
    done: AtomicU32,
    told_unavailable: AtomicU32,
    stop: AtomicBool,
}

#[tokio::test]
async fn with_the_database_stopped_and_started_under_load_callers_are_told_and_nothing_is_lost() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let met = Arc::new(Met::default());
        let mut callers = JoinSet::new();
        for caller in 0..CALLERS {
            callers.spawn(call(rest.clone(), caller, Arc::clone(&met)));
        }
        for outage in 1..=2 {
            at_least(&met.done, 20 * outage, "requests done").await?;
            town.stack.halt_database().await;
            let told = met.told_unavailable.load(Ordering::SeqCst);
            at_least(&met.told_unavailable, told + 2 * CALLERS, "refusals").await?;
            town.stack.resume_database().await?;
            let done = met.done.load(Ordering::SeqCst);
            at_least(&met.done, done + 20, "requests done afterwards").await?;
        }
        met.stop.store(true, Ordering::SeqCst);
        let mut made = BTreeSet::new();
        for entries in callers.join_all().await {
            made.extend(entries?);
        }

        let logged = logged(&rest).await?;
        assert!(
            made.is_subset(&logged),
            "answered as made, and not in the log: {:?}",
            made.difference(&logged)
        );
        // One that was refused may have been made all the same, but then its entry is there too: both or neither.
        assert_eq!(blocked(&rest).await?, logged);
        let verified = rest.get("/v1/audit-log/verify").await?;
        assert_eq!(verified["intact"], true, "{verified}");
        Ok(())
    })
    .await;
}

/// Blocks numbers, one after the other, and answers the entries that it was told are made.
async fn call(rest: Rest, caller: u32, met: Arc<Met>) -> Result<Vec<String>> {
    let mut made = Vec::new();
    let mut number = 1;
    while !met.stop.load(Ordering::SeqCst) {
        let entry =
            json!({ "number": format!("+1206555{caller}{number:03}"), "reason": "asked us" });
        match rest.post("/v1/blocks", &entry).await {
            Ok(answer) => {
                made.push(text(&answer, "/id")?);
                number += 1;
                met.done.fetch_add(1, Ordering::SeqCst);
            }
            Err(DevError::Refused {
                status: 503, body, ..
            }) => {
                let problem: Value = serde_json::from_str(&body)
                    .map_err(|err| DevError::Unexpected(format!("{body}: {err}")))?;
                assert_eq!(problem["code"], "service_unavailable", "{problem}");
                met.told_unavailable.fetch_add(1, Ordering::SeqCst);
            }
            // The attempt that was refused had been committed just before the connection broke.
            Err(DevError::Refused { status: 409, .. }) => number += 1,
            Err(err) => return Err(err),
        }
    }
    Ok(made)
}

async fn at_least(counter: &AtomicU32, wanted: u32, what: &str) -> Result<()> {
    let within = Duration::from_secs(60);
    until(what, within, Duration::from_millis(20), async || {
        let now = counter.load(Ordering::SeqCst);
        Ok(match now >= wanted {
            true => Seen::Done(()),
            false => Seen::not_yet(format!("{now} of {wanted}")),
        })
    })
    .await
}

/// The entries whose making is in the audit log.
async fn logged(rest: &Rest) -> Result<BTreeSet<String>> {
    let entries = all(rest, "/v1/audit-log?action=block.create").await?;
    entries.iter().map(|entry| text(entry, "/target")).collect()
}

async fn blocked(rest: &Rest) -> Result<BTreeSet<String>> {
    let entries = all(rest, "/v1/blocks?").await?;
    entries.iter().map(|entry| text(entry, "/id")).collect()
}

async fn all(rest: &Rest, path: &str) -> Result<Vec<Value>> {
    let mut found = Vec::new();
    let mut cursor = String::new();
    loop {
        let page = rest.get(&format!("{path}&limit=100{cursor}")).await?;
        found.extend_from_slice(list(&page, "/data")?);
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return Ok(found),
        }
    }
}
