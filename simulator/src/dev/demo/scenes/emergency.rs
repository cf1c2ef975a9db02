//! Emergency numbers ring however often they are dialled, and the limiter is not even asked.

use super::super::super::Result;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let act = Act::new(stage, ledger, "northwind-us", "emergency numbers")?;
    for number in 1..=7 {
        let call = act
            .rings("ada", None, "911", &format!("call {number} to 911"))
            .await?;
        ledger.expect(call.lambda.is_empty(), || {
            "911: the flow should not ask the limiter".to_owned()
        });
    }
    Ok(())
}
