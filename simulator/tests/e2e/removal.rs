//! Uninstalling: every queue as before, nothing of ours left, and only then the instance may be deleted.

use serde_json::{Value, json};

use super::harness::{NOBODY, in_town, refused};

#[tokio::test]
async fn after_removal_the_instance_is_as_it_was() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let mut customer = town.customer(&rest, "111122220001", "us-east-1").await?;
        let consent = customer.play_own_whisper("Support").await?;
        let before = customer.queue_configs().await?;
        let whispers = customer.whispers().await?.len();
        customer.join("northwind").await?;
        customer.install("merge").await?;
        customer.installed().await?;
        assert_ne!(
            customer.queue_configs().await?,
            before,
            "nothing was attached"
        );
        refused(customer.rest.delete(&customer.path("")), 409).await;

        customer.uninstall().await?;
        let default = Value::from(customer.default_outbound().await?);
        for ((queue, mut before), (_, after)) in
            before.into_iter().zip(customer.queue_configs().await?)
        {
            // A queue without a whisper of its own runs Connect's default, and now says so.
            if before["OutboundFlowId"].is_null() {
                before["OutboundFlowId"] = default.clone();
            }
            assert_eq!(before, after, "queue {queue}");
        }
        assert!(
            customer
                .whispers()
                .await?
                .iter()
                .any(|flow| flow["Id"] == consent.as_str())
        );
        assert_eq!(
            customer.whispers().await?.len(),
            whispers,
            "flows of ours are left"
        );
        for _ in 0..6 {
            let call = customer.call("ada", NOBODY).await?;
            assert!(call.rang() && call.lambda.is_empty(), "{call:?}");
        }
        customer.rest.delete(&customer.path("")).await?;
        refused(customer.rest.get(&customer.path("")), 404).await;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_removal_that_nothing_can_unblock_can_be_given_up() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let path = customer.path("/installation");
        let giving_up = format!("{path}?abandon=true");
        let problem = refused(customer.rest.delete(&giving_up), 409).await;
        assert_eq!(problem["code"], "installation_not_blocked", "{problem}");

        // The customer deletes the stack first: nobody gets into the account any more.
        let template = customer.template().await?;
        let stack = json!({
            "account_id": customer.account,
            "region": customer.region,
            "template": template,
            "parameters": customer.registered["onboarding"]["stack_parameters"],
            "stack_name": "ringfence",
        });
        town.sim.post("stacks", &stack).await?;
        town.sim
            .delete(&format!("stacks/ringfence?account_id={}", customer.account))
            .await?;
        customer.rest.delete(&path).await?;
        let blocked = customer
            .installation("the removal to be blocked", |now| {
                Ok(now["state"] == "blocked")
            })
            .await?;
        let said = blocked["conditions"].to_string();
        for told in ["the installer role", "\\\"Sales\\\"", "abandon=true"] {
            assert!(said.contains(told), "{told} is not in {said}");
        }

        customer.rest.delete(&giving_up).await?;
        let gone = customer
            .installation("the end of it", |now| Ok(now["state"] == "uninstalled"))
            .await?;
        let said = gone["conditions"].to_string();
        assert!(
            said.contains("abandoned") && said.contains("Sales"),
            "{said}"
        );
        let call = customer.call("ada", NOBODY).await?;
        let admitted = call
            .lambda
            .iter()
            .any(|invocation| invocation.response.is_some());
        assert!(!admitted, "the function still answers: {call:?}");
        customer.rest.delete(&customer.path("")).await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_role_that_lost_a_permission_is_told_which_and_what_is_still_there() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let template = customer.template().await?;
        for (action, left) in [
            ("connect:UpdateQueueOutboundCallerConfig", "\\\"Sales\\\""),
            ("connect:DeleteContactFlow", "the flows"),
        ] {
            let without = template.replace(&format!("{action}\n"), "connect:ListInstances\n");
            assert_ne!(without, template, "{action} is not in the template");
            customer.deploy(&without).await?;
            let path = customer.path("/installation");
            customer.rest.delete(&path).await?;
            let blocked = customer
                .installation("the removal to be blocked", |now| {
                    Ok(now["state"] == "blocked")
                })
                .await?;
            let said = blocked["conditions"].to_string();
            let lacks = format!("the installer role lacks {action}");
            for told in [&lacks, "still there", left] {
                assert!(said.contains(told), "{told} is not in {said}");
            }
            customer.deploy(&template).await?;
            customer
                .installation("the rest of it", |now| Ok(now["state"] == "uninstalled"))
                .await?;
            assert_eq!(customer.whispers().await?.len(), 1);
            customer.install("merge").await?;
            customer.installed().await?;
        }
        Ok(())
    })
    .await;
}
