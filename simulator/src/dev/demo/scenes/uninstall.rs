//! Uninstalling puts every queue back to what it had: its own whisper, or Connect's default.

use serde_json::Value;

use super::super::super::Result;
use super::super::ledger::Ledger;
use super::super::stage::{Instance, Stage};
use super::Act;

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    println!("Uninstalling two instances …");
    let (fjord, harbor) = (stage.instance("fjord-eu")?, stage.instance("harbor-east")?);
    tokio::try_join!(fjord.customer.uninstall(), harbor.customer.uninstall())?;
    for instance in [fjord, harbor] {
        queues_are_back(instance, ledger).await?;
    }
    let act = Act::new(stage, ledger, "harbor-east", "after uninstalling")?;
    for _ in 0..5 {
        let call = act
            .rings(
                "fay",
                Some("Billing"),
                "+16175550199",
                "nothing is limited any more",
            )
            .await?;
        ledger.expect(call.lambda.is_empty(), || {
            "after uninstalling the limiter should not be asked".to_owned()
        });
    }
    Ok(())
}

async fn queues_are_back(instance: &Instance, ledger: &Ledger) -> Result<()> {
    // A queue without a whisper cannot be told apart from one that names Connect's default, and is given that.
    let default = Value::from(instance.customer.default_outbound().await?);
    let now = instance.customer.queue_configs().await?;
    for ((queue, mut before), (_, now)) in instance.queues_before.iter().cloned().zip(now) {
        if before["OutboundFlowId"].is_null() {
            before["OutboundFlowId"] = default.clone();
        }
        ledger.expect(before == now, || {
            format!(
                "{}: queue {queue} should be configured as before ({before}), is {now}",
                instance.part.alias
            )
        });
    }
    Ok(())
}
