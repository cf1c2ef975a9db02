//! What is counted for a number begins anew when it is asked to, and nothing is left of a number that is erased.

use std::time::Duration;

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::Customer;
use ringfence_simulator::dev::rest::text;
use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::{Value, json};

use super::harness::{NOBODY, Town, in_town};

/// Of [`NOBODY`], however it is written.
const DIGITS: &str = "2065550142";
const REGION: &str = "us-east-1";
const HISTORY_WITHIN: Duration = Duration::from_secs(60);
/// A minute for calls that were under way, and what a slow machine takes.
const ERASED_WITHIN: Duration = Duration::from_secs(180);
const LOOK_EVERY: Duration = Duration::from_millis(300);

/// Waits until the history has so many decisions.
async fn history(customer: &Customer, count: usize) -> Result<Vec<Value>> {
    until("the history", HISTORY_WITHIN, LOOK_EVERY, async || {
        let answer = customer.rest.get("/v1/decisions?limit=100").await?;
        let decisions = answer["data"].as_array().cloned().unwrap_or_default();
        Ok(match decisions.len() == count {
            true => Seen::Done(decisions),
            false => Seen::not_yet(format!("{} of {count}", decisions.len())),
        })
    })
    .await
}

/// Whether the digits stand in any row of any table, or in the limiters' tables.
async fn stands_somewhere(town: &Town) -> Result<bool> {
    let search = format!(
        "do $$ declare t text; n bigint; begin
             for t in select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' loop
                 execute format('select count(*) from %I t where to_jsonb(t)::text like ''%%{DIGITS}%%''', t) into n;
                 if n > 0 then raise exception 'the number stands in %', t; end if;
             end loop;
         end $$"
    );
    if town.stack.ask_database(&search).await.is_err() {
        return Ok(true);
    }
    for table in [
        "ringfence-meters",
        "ringfence-decisions",
        "ringfence-policies",
    ] {
        let request = json!({ "TableName": table });
        let found = town
            .stack
            .operator()
            .dynamodb(REGION, "Scan", &request)
            .await?;
        if found.to_string().contains(DIGITS) {
            return Ok(true);
        }
    }
    Ok(false)
}

#[tokio::test]
async fn a_denied_customer_rings_again_after_a_reset_and_once_erased_leaves_no_trace() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        for call in 1..=5 {
            let rang = customer.call("ada", NOBODY).await?.rang();
            assert_eq!(rang, call < 5, "call {call}");
        }
        history(&customer, 5).await?;

        let number = format!("/v1/numbers/{NOBODY}");
        let reason = json!({ "reason": "the customer asked to be called back" });
        let reset = customer
            .rest
            .post(&format!("{number}/reset"), &reason)
            .await?;
        assert_eq!(reset["complete"], true, "{reset}");
        assert_eq!(reset["data"][0]["meters"], 1, "{reset}");
        let standing = customer.rest.get(&number).await?;
        assert_eq!(standing["data"][0]["rules"][0]["count"], 0, "{standing}");
        // As many as ever, and no more.
        for call in 1..=5 {
            let rang = customer.call("ada", NOBODY).await?.rang();
            assert_eq!(rang, call < 5, "call {call} after the reset");
        }
        let before = history(&customer, 10).await?;
        assert!(stands_somewhere(town).await?, "there is something to erase");

        let erasure = customer.rest.delete(&number).await?;
        let path = format!("/v1/number-erasures/{}", text(&erasure, "/id")?);
        let erasure = until("the erasure", ERASED_WITHIN, LOOK_EVERY, async || {
            let erasure = customer.rest.get(&path).await?;
            Ok(match erasure["state"] == "erased" {
                true => Seen::Done(erasure),
                false => Seen::not_yet(erasure.to_string()),
            })
        })
        .await?;
        assert_eq!(erasure["decisions"], 10, "{erasure}");
        assert!(
            !stands_somewhere(town).await?,
            "the number is left somewhere"
        );
        let after = history(&customer, 10).await?;
        let outcomes = |decisions: &[Value]| -> Vec<Value> {
            let each = decisions.iter();
            each.map(|decision| decision["outcome"].clone()).collect()
        };
        assert_eq!(outcomes(&after), outcomes(&before), "figures stay true");
        let log = customer.rest.get("/v1/audit-log/verify").await?;
        assert_eq!(log["intact"], true, "{log}");
        Ok(())
    })
    .await;
}
