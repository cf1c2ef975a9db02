//! A limiter that gives no answer: by default calls go out; where the tenant wants them denied, a function in the
//! customer's own account stops them, as the template ships it.

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::Customer;
use serde_json::{Value, json};

use super::harness::{NOBODY, Town, in_town};

fn wanted(on_limiter_unavailable: &str) -> Value {
    json!({
        "queues": "all", "existing_whisper": "merge", "drift": "mend",
        "on_limiter_unavailable": on_limiter_unavailable,
    })
}

/// The customer deploys the fallback as the onboarding offers it.
async fn deploy_fallback(town: &Town, customer: &Customer) -> Result<()> {
    let url = format!("{}/templates/customer-fallback.yaml", town.stack.api_url());
    let template = reqwest::get(&url).await.expect("the template");
    let parameters = &customer.registered["onboarding"]["stack_parameters"];
    let stack = json!({
        "account_id": customer.account, "region": customer.region,
        "template": template.text().await.expect("its text"),
        "parameters": { "ConnectionId": parameters["ConnectionId"] },
        "stack_name": "ringfence-fallback",
    });
    town.sim.post("stacks", &stack).await.map(drop)
}

async fn limiter_down(town: &Town) -> Result<()> {
    let function = town.stack.limiter_functions()[0].as_str();
    let fault = json!({
        "service": "lambda", "operation": "Invoke", "kind": "error_500", "containing": function,
    });
    town.sim.post("faults", &fault).await.map(drop)
}

/// The fallback function's resource policy; none where there is no such function.
async fn policy(town: &Town) -> Result<Option<Value>> {
    let state = town.sim.get("state", &[]).await?;
    let functions = state["functions"].as_array().cloned().unwrap_or_default();
    let fallback = functions.iter().find(|function| {
        let arn = function["function_arn"].as_str().unwrap_or_default();
        arn.contains(":function:ringfence-fallback-")
    });
    Ok(fallback.map(|function| {
        let text = function["policy"].as_str().unwrap_or("{}");
        serde_json::from_str(text).expect("a policy")
    }))
}

fn statements(policy: &Value) -> usize {
    policy["Statement"].as_array().map_or(0, Vec::len)
}

#[tokio::test]
async fn calls_are_stopped_before_ringing_while_the_limiter_is_down_where_deny_is_chosen() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        limiter_down(town).await?;
        let call = customer.call("ada", NOBODY).await?;
        assert!(call.rang(), "by default calls go out: {call:?}");
        town.sim.delete("faults").await?;

        // The function is not there yet: that is said, and calls are limited all the same.
        customer.ask(&wanted("deny")).await?;
        let missing = customer
            .installation("the fallback to be missed", |now| {
                Ok(now["state"] == "blocked")
            })
            .await?;
        let said = missing["conditions"].to_string();
        assert!(said.contains("fallback_not_found"), "{said}");
        assert!(said.contains("customer-fallback.yaml"), "{said}");
        let call = customer.call("ada", NOBODY).await?;
        assert!(
            call.rang() && call.told("CallAllowed") == Some("true"),
            "{call:?}"
        );

        deploy_fallback(town, &customer).await?;
        let look = customer.path("/installation/reconcile");
        customer.rest.post(&look, &json!({})).await?;
        customer.installed().await?;
        let admitted = policy(town).await?.expect("the function");
        let condition = &admitted["Statement"][0]["Condition"];
        assert_eq!(statements(&admitted), 1, "{admitted}");
        assert_eq!(condition["ArnLike"]["AWS:SourceArn"], customer.arn());
        assert_eq!(
            condition["StringEquals"]["AWS:SourceAccount"],
            customer.account.as_str()
        );

        let call = customer.call("ada", NOBODY).await?;
        assert!(call.rang() && call.lambda.len() == 1, "{call:?}");
        limiter_down(town).await?;
        let call = customer.call("ada", NOBODY).await?;
        assert!(call.stopped_before_ringing(), "{call:?}");
        assert_eq!(call.told("Stopped"), Some("true"));
        let emergency = customer.call("ada", "911").await?;
        assert!(
            emergency.rang() && emergency.lambda.is_empty(),
            "{emergency:?}"
        );
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn the_fallbacks_permission_goes_with_the_wish_and_with_the_installation() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        deploy_fallback(town, &customer).await?;
        customer.ask(&wanted("deny")).await?;
        customer.installed().await?;
        customer.ask(&wanted("allow")).await?;
        customer.installed().await?;
        let left = policy(town).await?.expect("the function");
        assert_eq!(statements(&left), 0, "{left}");
        limiter_down(town).await?;
        assert!(customer.call("ada", NOBODY).await?.rang());
        town.sim.delete("faults").await?;

        customer.ask(&wanted("deny")).await?;
        customer.installed().await?;
        customer.uninstall().await?;
        let left = policy(town).await?.expect("the function");
        assert_eq!(statements(&left), 0, "{left}");

        // A function that went before the installation holds nothing up.
        customer.ask(&wanted("deny")).await?;
        customer.installed().await?;
        let gone = format!("stacks/ringfence-fallback?account_id={}", customer.account);
        town.sim.delete(&gone).await?;
        assert!(policy(town).await?.is_none());
        customer.uninstall().await?;
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_role_that_may_not_admit_to_the_fallback_is_told_what_to_add() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        deploy_fallback(town, &customer).await?;
        let template = customer.template().await?;
        let without = template.replace("lambda:AddPermission\n", "lambda:ListFunctions\n");
        assert_ne!(without, template);
        customer.deploy(&without).await?;
        customer.ask(&wanted("deny")).await?;
        let blocked = customer
            .installation("the permission to be missed", |now| {
                Ok(now["state"] == "blocked")
            })
            .await?;
        let said = blocked["conditions"].to_string();
        assert!(
            said.contains("the installer role lacks lambda:AddPermission"),
            "{said}"
        );
        customer.deploy(&template).await?;
        customer.installed().await?;
        Ok(())
    })
    .await;
}
