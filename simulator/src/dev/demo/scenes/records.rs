//! Every call that reached the limiter is to be seen through the API, once, with what happened to it.

use std::collections::BTreeMap;
use std::time::Duration;

use super::super::super::Result;
use super::super::super::rest::{list, text};
use super::super::super::wait::{Seen, until};
use super::super::ledger::Ledger;
use super::super::stage::{Instance, Stage};

const SEEN_WITHIN: Duration = Duration::from_secs(30);

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    for instance in stage.instances() {
        let expected = ledger.decided(&instance.customer.id);
        let what = format!("the decisions of {}", instance.part.alias);
        let seen = until(&what, SEEN_WITHIN, Duration::from_millis(500), async || {
            let seen = decisions(instance).await?;
            // The final record of a denied call follows the provisional one.
            let settled = expected.iter().all(|(contact, rang)| {
                seen.get(contact).map(|outcome| rings(outcome)) == Some(*rang)
            });
            match settled && seen.len() >= expected.len() {
                true => Ok(Seen::Done(seen)),
                false => Ok(Seen::not_yet(format!(
                    "{} of {}",
                    seen.len(),
                    expected.len()
                ))),
            }
        })
        .await?;
        ledger.expect(seen.len() == expected.len(), || {
            format!(
                "{what}: {} calls reached the limiter, {} decisions are listed",
                expected.len(),
                seen.len()
            )
        });
        if instance.part.alias == "harbor-pilot" {
            let would = seen
                .values()
                .filter(|outcome| *outcome == "would_deny")
                .count();
            ledger.expect(would == 2, || {
                format!("{what}: two calls should be marked would_deny, {would} are")
            });
        }
    }
    Ok(())
}

fn rings(outcome: &str) -> bool {
    !matches!(outcome, "denied" | "failed_closed")
}

/// All of an instance's decisions, page by page: contact and outcome.
async fn decisions(instance: &Instance) -> Result<BTreeMap<String, String>> {
    let mut found = BTreeMap::new();
    let mut path = format!(
        "/v1/decisions?instance_id={}&limit=40",
        instance.customer.id
    );
    let first = path.clone();
    loop {
        let page = instance.customer.rest.get(&path).await?;
        for decision in list(&page, "/data")? {
            found.insert(text(decision, "/contact_id")?, text(decision, "/outcome")?);
        }
        match page["next_cursor"].as_str() {
            Some(cursor) => path = format!("{first}&cursor={cursor}"),
            None => return Ok(found),
        }
    }
}
