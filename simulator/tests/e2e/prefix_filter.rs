//! Calls to numbers that no limit is about never reach the limiter, where the tenant wants that.

use serde_json::json;

use super::harness::{NOBODY, in_town};

#[tokio::test]
async fn only_numbers_with_the_prefix_and_numbers_in_no_international_form_ask_the_limiter() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let wanted = json!({
            "queues": "all", "existing_whisper": "merge", "prefix_filter": ["+1206", "+86"],
        });
        customer.ask(&wanted).await?;
        customer.installed().await?;
        for number in ["+442079460123", "+12125550123", "+85212345678"] {
            // More often than the fifth, which the policy denies.
            for _ in 0..6 {
                let call = customer.call("ada", number).await?;
                assert!(call.rang() && call.lambda.is_empty(), "{number}: {call:?}");
            }
        }
        for number in [NOBODY, "+8613800000000", "2065550187"] {
            let call = customer.call("ada", number).await?;
            assert!(call.rang() && call.lambda.len() == 1, "{number}: {call:?}");
        }
        for _ in 0..3 {
            customer.call("ada", NOBODY).await?;
        }
        let fifth = customer.call("ada", NOBODY).await?;
        assert!(fifth.stopped_before_ringing(), "{fifth:?}");

        customer.install("merge").await?;
        customer.installed().await?;
        let call = customer.call("ada", "+442079460123").await?;
        assert_eq!(call.lambda.len(), 1, "without a filter every call asks");
        Ok(())
    })
    .await;
}
