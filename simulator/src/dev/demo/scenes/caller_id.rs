//! A limit per caller id: whoever is called, and whoever calls, only so many calls a minute leave from one number.

use super::super::super::Result;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let act = Act::new(stage, ledger, "fjord-eu", "caller-id-per-minute")?;
    for number in 1..=5 {
        let agent = if number % 2 == 0 { "jon" } else { "ida" };
        let to = format!("+4420794602{number:02}");
        act.rings(
            agent,
            Some("Welcome"),
            &to,
            &format!("call {number} of 5 from this number"),
        )
        .await?;
    }
    let denied = act
        .denied(
            "jon",
            Some("Welcome"),
            "+442079460206",
            "the sixth within the minute",
        )
        .await?;
    ledger.expect(denied.told("Reason") == Some("system"), || {
        format!(
            "caller-id-per-minute: the reason should be the caller id, was {:?}",
            denied.told("Reason")
        )
    });
    act.rings(
        "jon",
        Some("Renewals"),
        "+442079460206",
        "another caller id has its own count",
    )
    .await?;
    act.told("jon", "+442079460206", 1).await
}
