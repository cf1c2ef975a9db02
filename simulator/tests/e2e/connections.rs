//! The customer's roles change, lose permissions, get another external id: it is noticed, told, and no denied call rings
//! for it. Limiters keep their sessions for long, so each step is tried in a contact centre where none has begun.

use std::cell::Cell;
use std::time::Duration;

use ringfence_simulator::dev::customer::{ContactCentre, Customer};
use ringfence_simulator::dev::rest::{Rest, list, text};
use ringfence_simulator::dev::wait::{Seen, until};
use ringfence_simulator::dev::{DevError, Result};
use serde_json::{Value, json};

use super::harness::{NOBODY, Town, in_town};

const ACCOUNT: &str = "111122220001";
const NOTICED_WITHIN: Duration = Duration::from_secs(60);
const LOOK_EVERY: Duration = Duration::from_millis(200);

/// Contact centres of one account, in which the next call of everybody's is denied.
async fn full_centres(town: &Town, rest: &Rest, aliases: &[&str]) -> Result<Vec<Customer>> {
    let mut centres = Vec::new();
    for alias in aliases {
        let centre = ContactCentre {
            account: ACCOUNT,
            region: "us-east-1",
            alias,
            queues: &[("Sales", "+12065550100")],
            agents: &["ada"],
            without_tasks: &[],
        };
        let mut customer = Customer::open(&town.sim, rest, &centre).await?;
        customer.join(alias).await?;
        customer.install("merge").await?;
        centres.push(customer);
    }
    for customer in &centres {
        customer.installed().await?;
        customer.in_force("/v1/policies/default").await?;
        for _ in 0..4 {
            assert!(customer.call("ada", NOBODY).await?.rang());
        }
    }
    Ok(centres)
}

/// The next call is stopped before it rings, and its agent told.
async fn assert_limited(customer: &Customer, when: &str) -> Result<()> {
    let call = customer.call("ada", NOBODY).await?;
    assert!(call.stopped_before_ringing(), "{when}: {call:?}");
    let tasks = customer.sim.tasks(customer.arn()).await?;
    assert_eq!(tasks.len(), 1, "{when}: {tasks:?}");
    Ok(())
}

fn connection_path(customer: &Customer) -> Result<String> {
    Ok(format!(
        "/v1/connections/{}",
        text(&customer.registered, "/connection/id")?
    ))
}

/// Waits until the connection is as wanted.
async fn connection(
    customer: &Customer,
    what: &str,
    wanted: impl Fn(&Value) -> bool,
) -> Result<Value> {
    let path = connection_path(customer)?;
    until(what, NOTICED_WITHIN, LOOK_EVERY, async || {
        let now = customer.rest.get(&path).await?;
        match wanted(&now) {
            true => Ok(Seen::Done(now)),
            false => Ok(Seen::not_yet(format!(
                "{} {}",
                now["health"], now["rotation"]
            ))),
        }
    })
    .await
}

async fn rotate(customer: &Customer) -> Result<Value> {
    let path = connection_path(customer)?;
    customer
        .rest
        .post(&format!("{path}/rotate-external-id"), &json!({}))
        .await?;
    connection(customer, "limiters to be told", |now| {
        now["rotation"]["limiters_told"] == true
    })
    .await
}

async fn deploy(customer: &Customer, template: &str, parameters: &Value) -> Result<()> {
    customer
        .sim
        .stack(&customer.account, &customer.region, template, parameters)
        .await
        .map(drop)
}

/// Dials on and on until told to stop; every one of these calls is over the limit.
async fn keep_dialling(customer: &Customer, done: &Cell<bool>) -> Result<usize> {
    let mut calls = 0;
    while !done.get() {
        let call = customer.call("ada", NOBODY).await?;
        assert!(call.stopped_before_ringing(), "call {calls}: {call:?}");
        calls += 1;
    }
    Ok(calls)
}

#[tokio::test]
async fn calls_are_stopped_and_agents_told_all_through_a_change_of_the_external_id() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let aliases = ["all-along", "pending", "both", "promoted", "new-alone"];
        let centres = full_centres(town, &rest, &aliases).await?;
        let template = centres[0].template().await?;
        let done = Cell::new(false);
        let change = async {
            let pending = rotate(&centres[1]).await?;
            assert_eq!(pending["rotation"]["state"], "pending");
            let parameters = &pending["onboarding"]["stack_parameters"];
            assert!(
                text(parameters, "/ExternalId")?.contains(','),
                "{parameters}"
            );
            assert_limited(&centres[1], "the stack is as it was").await?;

            deploy(&centres[1], &template, parameters).await?;
            assert_limited(&centres[2], "the roles accept both").await?;
            match centres[2].verify().await {
                // The check that is made by itself was faster.
                Ok(_) | Err(DevError::Refused { status: 409, .. }) => {}
                Err(err) => return Err(err),
            }
            let promoted = connection(&centres[2], "the new one to be used", |now| {
                now["rotation"]["state"] == "promoted" && now["rotation"]["limiters_told"] == true
            })
            .await?;
            assert_limited(&centres[3], "the new one is used").await?;

            let parameters = &promoted["onboarding"]["stack_parameters"];
            assert!(
                !text(parameters, "/ExternalId")?.contains(','),
                "{parameters}"
            );
            deploy(&centres[3], &template, parameters).await?;
            assert_limited(&centres[4], "the roles accept the new one alone").await?;
            let settled = connection(&centres[4], "the change to be over", |now| {
                now["rotation"].is_null() && now["health"] == "healthy"
            })
            .await?;
            assert_eq!(&settled["onboarding"]["stack_parameters"], parameters);
            done.set(true);
            Ok(())
        };
        let (calls, changed) = tokio::join!(keep_dialling(&centres[0], &done), async {
            let changed = change.await;
            done.set(true);
            changed
        });
        changed?;
        assert!(calls? > 0);
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_customer_who_replaces_the_external_id_at_once_is_limited_all_the_same() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let centres = full_centres(town, &rest, &["first", "second"]).await?;
        let template = centres[0].template().await?;
        let pending = rotate(&centres[0]).await?;
        let mut parameters = pending["onboarding"]["stack_parameters"].clone();
        let both = text(&parameters, "/ExternalId")?;
        let (_, new) = both.split_once(',').expect("two external ids");
        parameters["ExternalId"] = json!(new);
        deploy(&centres[0], &template, &parameters).await?;
        assert_limited(&centres[0], "at once").await?;
        // Nobody has to verify: the next check takes it up, and sees that the former one is refused.
        connection(&centres[0], "the change to be over", |now| {
            now["rotation"].is_null() && now["health"] == "healthy"
        })
        .await?;
        assert_limited(&centres[1], "afterwards").await
    })
    .await;
}

#[tokio::test]
async fn other_roles_take_over_without_a_gap_and_the_former_ones_may_then_go() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let centres = full_centres(town, &rest, &["all-along", "first", "second"]).await?;
        let template = centres[0].template().await?;
        let done = Cell::new(false);
        let change = async {
            let others = template
                .replace("RoleName: !Sub ringfence-", "RoleName: !Sub other-");
            let parameters = &centres[1].registered["onboarding"]["stack_parameters"];
            deploy(&centres[1], &others, parameters).await?;
            let id = text(&centres[1].registered, "/connection/id")?;
            let role = |kind: &str| format!("arn:aws:iam::{ACCOUNT}:role/other-{kind}-{id}");
            let given = json!({ "installer_role_arn": role("installer"), "runtime_role_arn": role("runtime") });
            centres[1].rest.post(&centres[1].path("/verify"), &given).await?;
            assert_limited(&centres[1], "both roles work").await?;
            let told = connection(&centres[1], "limiters to be told", |now| {
                now["runtime_role_arn"] == role("runtime").as_str()
            })
            .await?;
            assert_eq!(told["health"], "healthy");
            // The former roles let nobody in any more.
            let mut closed = parameters.clone();
            closed["ExternalId"] = json!("an-external-id-of-nobodys");
            deploy(&centres[1], &template, &closed).await?;
            assert_limited(&centres[2], "the former ones are closed").await?;
            centres[2].rest.post(&centres[2].path("/installation/reconcile"), &json!({})).await?;
            centres[2].installed().await.map(drop)
        };
        let (calls, changed) = tokio::join!(keep_dialling(&centres[0], &done), async {
            let changed = change.await;
            done.set(true);
            changed
        });
        changed?;
        assert!(calls? > 0);
        Ok(())
    })
    .await;
}

fn condition<'a>(installation: &'a Value, kind: &str) -> &'a Value {
    let conditions = list(installation, "/conditions").unwrap_or_default();
    let found = conditions.iter().find(|found| found["type"] == kind);
    found.unwrap_or(&Value::Null)
}

/// Waits until the condition has this status.
async fn told(customer: &Customer, kind: &str, status: &str) -> Result<Value> {
    until(kind, NOTICED_WITHIN, LOOK_EVERY, async || {
        let now = customer.rest.get(&customer.path("/installation")).await?;
        let found = condition(&now, kind);
        match found["status"] == status {
            true => Ok(Seen::Done(found.clone())),
            false => Ok(Seen::not_yet(found)),
        }
    })
    .await
}

#[tokio::test]
async fn a_permission_that_is_taken_away_is_named_within_the_period_and_its_return_noticed() {
    in_town(async |town| {
        let customer = town.limited("Northwind", ACCOUNT).await?;
        let template = customer.template().await?;
        let cases = [
            (
                "connect:StopContact\n",
                "connect:ListInstances\n",
                "connect:StopContact",
            ),
            (
                "connect:CreateContactFlow\n",
                "connect:ListInstances\n",
                "connect:CreateContactFlow",
            ),
            (
                "connect:TagResource\n",
                "connect:ListInstances\n",
                "connect:TagResource",
            ),
            // What permits trying it on a flow that nobody has is still there.
            (
                "\"aws:ResourceTag/managed-by\": ringfence",
                "\"aws:ResourceTag/managed-by\": nobody",
                "connect:UpdateContactFlowContent",
            ),
        ];
        for (part, instead, action) in cases {
            assert!(template.contains(part), "{part}");
            customer.deploy(&template.replace(part, instead)).await?;
            let found = told(&customer, "ConnectionHealthy", "false").await?;
            let message = text(&found, "/message")?;
            assert!(message.contains(action), "{message}");
            told(&customer, "Ready", "false").await?;
            let instance = customer.rest.get(&customer.path("")).await?;
            assert_eq!(instance["connection"]["health"], "unhealthy");
            customer.deploy(&template).await?;
            told(&customer, "ConnectionHealthy", "true").await?;
            told(&customer, "Ready", "true").await?;
        }
        let log = customer.rest.get("/v1/audit-log?limit=100").await?;
        let changes: Vec<&Value> = list(&log, "/data")?
            .iter()
            .filter(|entry| entry["action"] == "connection.health")
            .collect();
        assert_eq!(changes.len(), 2 * cases.len(), "{changes:?}");
        assert!(changes.iter().all(|entry| entry["actor"] == "worker"));
        Ok(())
    })
    .await;
}

#[tokio::test]
async fn a_role_whose_external_id_was_changed_by_others_is_told_and_taken_up_again_when_it_is_back()
{
    in_town(async |town| {
        let customer = town.limited("Northwind", ACCOUNT).await?;
        let template = customer.template().await?;
        let mut parameters = customer.registered["onboarding"]["stack_parameters"].clone();
        let issued = parameters["ExternalId"].clone();
        parameters["ExternalId"] = json!("an-external-id-of-nobodys");
        deploy(&customer, &template, &parameters).await?;
        let found = told(&customer, "ConnectionHealthy", "false").await?;
        assert!(text(&found, "/message")?.contains("template"), "{found}");
        parameters["ExternalId"] = issued;
        deploy(&customer, &template, &parameters).await?;
        told(&customer, "ConnectionHealthy", "true").await?;
        told(&customer, "Ready", "true").await.map(drop)
    })
    .await;
}
