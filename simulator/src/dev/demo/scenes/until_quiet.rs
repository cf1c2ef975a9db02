//! Calls are numbered until the customer has had quiet: the fifth is denied, denied calls restart the quiet, and after
//! it the count starts anew.

use std::time::Duration;

use tokio::time::sleep;

use super::super::super::Result;
use super::super::cast::QUIET_SECONDS;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

const CUSTOMER: &str = "+12065550142";

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let act = Act::new(stage, ledger, "northwind-us", "repeat-calls")?;
    for number in 1..=4 {
        // Different agents and queues: the customer is the same.
        let (agent, queue) = if number % 2 == 0 {
            ("ben", "Early stage")
        } else {
            ("ada", "Collections")
        };
        act.rings(
            agent,
            Some(queue),
            CUSTOMER,
            &format!("call {number} of 4 under the limit"),
        )
        .await?;
    }
    act.denied("ada", None, CUSTOMER, "the fifth call without quiet")
        .await?;
    act.told("ada", CUSTOMER, 1).await?;

    let part_of_the_quiet = Duration::from_millis(QUIET_SECONDS * 1000 * 5 / 8);
    sleep(part_of_the_quiet).await;
    act.denied("ada", None, CUSTOMER, "a redial before the quiet is over")
        .await?;
    sleep(part_of_the_quiet).await;
    act.denied(
        "ada",
        None,
        CUSTOMER,
        "the quiet counts from the denied redial",
    )
    .await?;

    sleep(Duration::from_millis(QUIET_SECONDS * 1000 + 300)).await;
    for number in 1..=4 {
        act.rings(
            "chloe",
            None,
            CUSTOMER,
            &format!("call {number} of 4 after the quiet"),
        )
        .await?;
    }
    act.denied("chloe", None, CUSTOMER, "the fifth call after the quiet")
        .await?;
    act.told("chloe", CUSTOMER, 1).await
}
