//! A policy in shadow mode never denies; its decisions say what it would have done.

use super::super::super::Result;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

const CUSTOMER: &str = "+16175550190";

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let act = Act::new(stage, ledger, "harbor-pilot", "two-a-day")?;
    for number in 1..=4 {
        act.rings(
            "hana",
            None,
            CUSTOMER,
            &format!("call {number}: shadow never denies"),
        )
        .await?;
    }
    act.told("hana", CUSTOMER, 0).await
}
