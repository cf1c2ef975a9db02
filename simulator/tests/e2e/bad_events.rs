//! Events as odd as Connect may send them: the call goes on, and nothing is counted for somebody else.

use serde_json::json;

use super::harness::{NOBODY, in_town};

#[tokio::test]
async fn odd_events_let_the_call_out_and_say_why() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;

        // No customer endpoint at all.
        let mut dial = customer.dial("ada", NOBODY)?;
        dial.to = None;
        for _ in 0..6 {
            let call = customer.sim.call(&dial).await?;
            assert!(call.rang(), "{call:?}");
            assert!(
                call.lambda.iter().all(|entry| entry.error.is_none()),
                "{call:?}"
            );
        }

        // An instance that nobody registered.
        let mut dial = customer.dial("ada", NOBODY)?;
        let stranger =
            "arn:aws:connect:us-east-1:111122229999:instance/00000000-0000-4000-8000-00000000000c";
        dial.event_overrides = Some(json!({ "InstanceARN": stranger }));
        for _ in 0..6 {
            let call = customer.sim.call(&dial).await?;
            assert!(call.rang(), "{call:?}");
            assert_eq!(call.told("Reason"), Some("unregistered"), "{call:?}");
        }

        // No system endpoint and no queue: the customer is counted all the same.
        let mut dial = customer.dial("ben", "+12065550143")?;
        dial.event_overrides =
            Some(json!({ "SystemEndpoint": null, "Queue": null, "CustomerId": null }));
        for number in 1..=5 {
            let call = customer.sim.call(&dial).await?;
            assert_eq!(call.rang(), number < 5, "call {number}: {call:?}");
        }

        // What the strangers' event did was not counted here.
        for number in 1..=5 {
            let call = customer.call("ada", NOBODY).await?;
            assert_eq!(call.rang(), number < 5, "call {number}: {call:?}");
        }
        Ok(())
    })
    .await;
}
