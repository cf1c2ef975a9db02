//! A limit per pair of customer and caller id: the same customer may still be called from another number.

use super::super::super::Result;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

const CUSTOMER: &str = "+16175550160";

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let act = Act::new(stage, ledger, "harbor-east", "pair-daily")?;
    for number in 1..=3 {
        act.rings(
            "gus",
            Some("Appointments"),
            CUSTOMER,
            &format!("call {number} of 3 from this number"),
        )
        .await?;
    }
    let denied = act
        .denied(
            "gus",
            Some("Appointments"),
            CUSTOMER,
            "the fourth from this number",
        )
        .await?;
    ledger.expect(denied.told("Reason") == Some("customer_system"), || {
        format!(
            "pair-daily: the reason should be the pair, was {:?}",
            denied.told("Reason")
        )
    });
    act.rings(
        "gus",
        Some("Billing"),
        CUSTOMER,
        "another caller id makes another pair",
    )
    .await?;
    act.told("gus", CUSTOMER, 1).await
}
