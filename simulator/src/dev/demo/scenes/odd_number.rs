//! What is no phone number is counted by what was typed.

use super::super::super::Result;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

const TYPED: &str = "front desk";

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let act = Act::new(stage, ledger, "northwind-us", "repeat-calls")?;
    for number in 1..=4 {
        act.rings(
            "chloe",
            None,
            TYPED,
            &format!("call {number} of 4 to something that is no number"),
        )
        .await?;
    }
    act.denied(
        "chloe",
        None,
        TYPED,
        "the fifth to something that is no number",
    )
    .await?;
    act.told("chloe", TYPED, 1).await
}
