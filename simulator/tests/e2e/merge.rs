//! A queue's own whisper goes on playing behind ours, as it is now.

use std::time::Duration;

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::Customer;
use ringfence_simulator::dev::rest::text;
use ringfence_simulator::dev::sim::{Call, Dial};
use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::{Value, json};

use super::harness::{NOBODY, in_town};

async fn call_from(customer: &Customer, queue: &str) -> Result<Call> {
    let dial = Dial {
        queue_id: Some(customer.queue(queue)?.id.clone()),
        ..customer.dial("ada", NOBODY)?
    };
    customer.sim.call(&dial).await
}

async fn our_whispers(customer: &Customer) -> Result<Vec<Value>> {
    let flows = customer
        .sim
        .get("flows", &[("instance_arn", customer.arn())])
        .await?;
    let flows = flows["data"].as_array().cloned().unwrap_or_default();
    Ok(flows
        .into_iter()
        .filter(|flow| flow["tags"]["ringfence-flow"] == "whisper")
        .collect())
}

/// A traffic distribution group lends numbers of its other region; a queue names them by their whole ARN.
#[tokio::test]
async fn a_queue_whose_caller_id_is_a_number_of_another_region_is_limited_and_keeps_it() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let mut customer = town.customer(&rest, "111122220001", "us-east-1").await?;
        let queue = customer.queue("Sales")?.id.clone();
        let mut before = customer.queue_config(&queue).await?;
        let number = text(&before, "/OutboundCallerIdNumberId")?;
        before["OutboundCallerIdNumberId"] = json!(format!(
            "arn:aws:connect:us-west-2:111122220001:phone-number/{number}"
        ));
        customer.set_queue_config(&queue, &before).await?;
        customer.join("northwind").await?;
        customer.install("merge").await?;
        customer.installed().await?;
        let call = call_from(&customer, "Sales").await?;
        assert!(call.rang() && call.lambda.len() == 1, "{call:?}");
        let now = customer.queue_config(&queue).await?;
        assert_eq!(
            now["OutboundCallerIdNumberId"],
            before["OutboundCallerIdNumberId"]
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_copy_follows_its_original_and_goes_when_it_is_needed_no_more() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let mut customer = town.customer(&rest, "111122220001", "us-east-1").await?;
        let own = customer.play_own_whisper("Support").await?;
        customer.join("northwind").await?;
        customer.install("merge").await?;
        customer.installed().await?;
        let call = call_from(&customer, "Support").await?;
        let steps = format!("{:?}", call.steps);
        let (limit, consent) = (steps.find("rf-limit"), steps.find("own-consent"));
        assert!(limit.is_some() && limit < consent, "{steps}");

        customer.edit_whisper(&own, "Now with other words.").await?;
        until(
            "the copy to be rebuilt",
            Duration::from_secs(60),
            Duration::from_millis(300),
            async || {
                let copies = our_whispers(&customer).await?;
                let follows = copies
                    .iter()
                    .any(|copy| copy.to_string().contains("Now with other words."));
                match follows && copies.len() == 2 {
                    true => Ok(Seen::Done(())),
                    false => Ok(Seen::not_yet(format!("{copies:?}"))),
                }
            },
        )
        .await?;
        let call = call_from(&customer, "Support").await?;
        assert!(call.rang() && call.lambda.len() == 1, "{call:?}");

        // The customer takes the queue's own whisper away; then only the copy before the default is needed.
        customer.install("replace").await?;
        customer.installed().await?;
        assert_eq!(our_whispers(&customer).await?.len(), 1);
        customer.uninstall().await?;
        let support = customer.queue(&"Support".to_owned())?.id.clone();
        let config = customer.queue_config(&support).await?;
        assert_eq!(config["OutboundFlowId"], own.as_str());
        Ok(())
    })
    .await;
}
