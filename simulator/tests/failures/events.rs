//! Events that cannot be read, and instances that are not served.

use serde_json::json;

use crate::stage::{on_stage, one_a_minute};

#[tokio::test]
async fn a_malformed_event_is_an_error_that_names_the_field_and_charges_nothing() {
    on_stage(one_a_minute("deny"), async |stage| {
        let call = stage.dial_with(json!({"ContactId": null})).await?;
        assert!(call.rang(), "the flow's error branch: {call:?}");
        let error = call.lambda[0].error.as_ref().expect("an error").to_string();
        assert!(error.contains("ContactId"), "{error}");
        // A function that fails is asked up to three times more.
        stage.measured("MalformedEvents", 4).await?;
        assert_eq!(stage.charged().await?, 0);
        let lines = stage.lines().await?;
        let refused = lines
            .iter()
            .find(|line| line["message"] == "event refused")
            .expect("a line");
        assert!(
            refused["err"].as_str().expect("text").contains("ContactId"),
            "{refused}"
        );
        stage.shows_no_number().await
    })
    .await;
}

#[tokio::test]
async fn an_unregistered_instance_is_let_through_and_counted_as_such() {
    on_stage(one_a_minute("deny"), async |stage| {
        let stranger =
            "arn:aws:connect:us-east-1:111122229999:instance/00000000-0000-4000-8000-00000000000c";
        for _ in 0..2 {
            let call = stage.dial_with(json!({"InstanceARN": stranger})).await?;
            assert!(call.rang(), "{call:?}");
            assert_eq!(call.told("Reason"), Some("unregistered"), "{call:?}");
            assert_eq!(stage.told(&call).await?["outcome"], "unregistered");
            assert_eq!(stage.record(&call).await?, None);
        }
        assert_eq!(stage.charged().await?, 0);
        stage.measured("Decisions", 2).await?;
        stage.measured("FailOpens", 0).await
    })
    .await;
}

#[tokio::test]
async fn a_suspended_tenants_calls_go_out_and_stand_in_the_history() {
    on_stage(one_a_minute("deny"), async |stage| {
        stage
            .publish(one_a_minute("deny"), json!({"status": "suspended"}))
            .await?;
        for _ in 0..2 {
            let call = stage.dial().await?;
            assert!(call.rang(), "{call:?}");
            assert_eq!(call.told("Reason"), Some("suspended"), "{call:?}");
            let record = stage.record(&call).await?.expect("a record");
            assert_eq!(
                (&record["outcome"], &record["tenant_id"]),
                (&json!("suspended"), &json!("ten_1"))
            );
        }
        assert_eq!(stage.charged().await?, 0);
        Ok(())
    })
    .await;
}
