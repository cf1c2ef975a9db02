//! Everybody is onboarded, tenants and instances side by side, purely through the REST API.

use futures::future::try_join_all;
use serde_json::json;

use super::super::Result;
use super::super::customer::{ContactCentre, Customer};
use super::super::rest::{Rest, text};
use super::super::sim::Sim;
use super::super::stack::Stack;
use super::cast::{CAST, InstancePart, TenantPart};
use super::stage::{Instance, Stage, Tenant};

pub async fn all(stack: &Stack) -> Result<Stage> {
    let sim = stack.sim();
    println!(
        "Onboarding {} tenants; this takes a while, as Ringfence leaves customers their share of Connect's quota …",
        CAST.len()
    );
    let tenants = try_join_all(CAST.iter().map(|part| tenant(stack.rest(), &sim, part))).await?;
    Ok(Stage { sim, tenants })
}

async fn tenant(operator: Rest, sim: &Sim, part: &'static TenantPart) -> Result<Tenant> {
    let made = operator
        .post("/v1/tenants", &json!({ "name": part.name }))
        .await?;
    let path = format!("/v1/tenants/{}/api-keys", text(&made, "/id")?);
    let key = operator
        .post(&path, &json!({ "name": "demo", "role": "owner" }))
        .await?;
    let api_key = text(&key, "/key")?;
    let rest = operator.with_token(&api_key);
    rest.put("/v1/policies/default", &(part.policy)()).await?;
    let instances = part
        .instances
        .iter()
        .map(|instance| onboard(part.name, &rest, sim, instance));
    let instances = try_join_all(instances).await?;
    Ok(Tenant {
        name: part.name,
        api_key,
        instances,
    })
}

async fn onboard(
    tenant: &'static str,
    rest: &Rest,
    sim: &Sim,
    part: &'static InstancePart,
) -> Result<Instance> {
    let centre = ContactCentre {
        account: part.account,
        region: part.region,
        alias: part.alias,
        queues: part.queues,
        agents: part.agents,
        without_tasks: &[],
    };
    let mut customer = Customer::open(sim, rest, &centre).await?;
    if let Some(queue) = part.own_whisper {
        customer.play_own_whisper(queue).await?;
    }
    let queues_before = customer.queue_configs().await?;
    customer.join(part.alias).await?;
    let policy = match part.policy {
        Some(policy) => {
            rest.put(&customer.path("/policy"), &policy()).await?;
            customer.path("/policy")
        }
        None => "/v1/policies/default".to_owned(),
    };
    customer.install("merge").await?;
    customer.installed().await?;
    customer.in_force(&policy).await?;
    println!("  {tenant}: {} in {} is installed", part.alias, part.region);
    Ok(Instance {
        tenant,
        part,
        customer,
        queues_before,
    })
}
