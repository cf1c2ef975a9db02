//! The customer's roles grant what is used and nothing else; so does the operator's control plane.

use std::collections::BTreeSet;
use std::time::Duration;

use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::customer::Customer;
use ringfence_simulator::dev::wait::{Seen, until};
use serde_json::Value;

use super::harness::{NOBODY, Town, in_town};

#[tokio::test]
async fn the_customers_roles_grant_exactly_the_operations_that_are_used() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        let template = customer.template().await?;
        for _ in 0..5 {
            customer.call("ada", NOBODY).await?;
        }
        change_our_flow(town, &customer).await?;
        agents_looked_up(town).await?;
        customer.uninstall().await?;

        let (installer, runtime) = template.split_once("  RuntimeRole:\n").expect("two roles");
        for (role, text) in [
            ("ringfence-installer-", installer),
            ("ringfence-runtime-", runtime),
        ] {
            let used = operations(town, role).await?;
            let mut granted = granted(text);
            // Connect asks for it when a flow is created with tags; nothing calls it by itself.
            granted.remove("TagResource");
            assert_eq!(
                used, granted,
                "{role}: used on the left, granted on the right"
            );
        }
        Ok(())
    })
    .await;
}

/// Once an agent was told, it is asked whether that agent takes tasks.
async fn agents_looked_up(town: &Town) -> Result<()> {
    until(
        "the agent to be looked up",
        Duration::from_secs(30),
        Duration::from_millis(300),
        async || {
            let used = operations(town, "ringfence-installer-").await?;
            match used.contains("DescribeRoutingProfile") {
                true => Ok(Seen::Done(())),
                false => Ok(Seen::not_yet(format!("{used:?}"))),
            }
        },
    )
    .await
}

/// The customer edits a flow of ours, which the reconciler mends.
async fn change_our_flow(town: &Town, customer: &Customer) -> Result<()> {
    let whispers = customer.whispers().await?;
    let ours = whispers
        .iter()
        .find(|flow| flow["Name"] == "Ringfence outbound whisper")
        .expect("our whisper");
    let id = ours["Id"].as_str().expect("its id");
    let path = format!("/contact-flows/{}/{id}", customer.connect_id());
    let content = serde_json::json!({ "Content": serde_json::json!({
        "Version": "2019-10-30",
        "StartAction": "end",
        "Metadata": {},
        "Actions": [{ "Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} }],
    }).to_string() });
    customer
        .admin
        .connect(
            &customer.region,
            reqwest::Method::POST,
            &format!("{path}/content"),
            Some(&content),
        )
        .await?;
    until(
        "our flow to be mended",
        Duration::from_secs(60),
        Duration::from_millis(300),
        async || {
            let flow = customer
                .admin
                .connect(&customer.region, reqwest::Method::GET, &path, None)
                .await?;
            let content = flow["ContactFlow"]["Content"].as_str().unwrap_or_default();
            match content.contains("InvokeLambdaFunction") {
                true => Ok(Seen::Done(())),
                false => Ok(Seen::not_yet(town.sim.base())),
            }
        },
    )
    .await
}

/// The Connect operations that sessions of a role were seen to use.
async fn operations(town: &Town, role: &str) -> Result<BTreeSet<String>> {
    let seen = town
        .sim
        .get("requests", &[("service", "connect"), ("limit", "10000")])
        .await?;
    let requests = seen
        .as_array()
        .or_else(|| seen["data"].as_array())
        .expect("a list of requests");
    let prefix = format!("assumed-role/{role}");
    let of_role = requests
        .iter()
        .filter(|request| caller_is(request, &prefix));
    Ok(of_role
        .filter_map(|request| request["operation"].as_str())
        .map(str::to_owned)
        .collect())
}

fn caller_is(request: &Value, part: &str) -> bool {
    request["caller"]
        .as_str()
        .is_some_and(|caller| caller.contains(part))
}

/// The Connect actions in a role's allowing statements.
fn granted(role: &str) -> BTreeSet<String> {
    let mut allowed = true;
    let mut found = BTreeSet::new();
    for line in role.lines().map(str::trim) {
        match line {
            "Effect: Deny" => allowed = false,
            "Effect: Allow" => allowed = true,
            _ => {}
        }
        let action = line
            .rsplit(' ')
            .next()
            .and_then(|word| word.strip_prefix("connect:"));
        if let (true, Some(action)) = (allowed, action) {
            found.insert(action.to_owned());
        }
    }
    found
}

#[tokio::test]
async fn the_control_plane_needs_no_more_than_its_template_grants() {
    in_town(async |town| {
        let customer = town.limited("Northwind", "111122220001").await?;
        customer.call("ada", NOBODY).await?;
        customer.uninstall().await?;
        let seen = town.sim.get("requests", &[("limit", "10000")]).await?;
        let requests = seen
            .as_array()
            .or_else(|| seen["data"].as_array())
            .expect("a list of requests");
        let refused: Vec<&Value> = requests
            .iter()
            .filter(|request| caller_is(request, "assumed-role/ringfence-control-plane/"))
            .filter(|request| {
                request["error"]
                    .as_str()
                    .is_some_and(|code| code.starts_with("AccessDenied"))
            })
            // Verification proves that the roles refuse it without their external id.
            .filter(|request| request["operation"] != "AssumeRole")
            .collect();
        assert!(refused.is_empty(), "{refused:?}");
        Ok(())
    })
    .await;
}
