//! Onboarding as a customer goes through it: register, deploy the template that was offered, verify, set limits,
//! install, and wait until Ringfence says that it is ready. Nothing here reaches behind the REST API.

use std::time::Duration;

use futures::future::try_join_all;
use reqwest::Method;
use serde_json::{Value, json};

use super::super::aws::Aws;
use super::super::rest::{Rest, client, list, text};
use super::super::sim::{InstanceMade, Sim};
use super::super::stack::Stack;
use super::super::wait::{Seen, until};
use super::super::{DevError, Result};
use super::cast::{CAST, InstancePart, TenantPart};
use super::stage::{Instance, Stage, Tenant};

const INSTALLED_WITHIN: Duration = Duration::from_secs(240);
const IN_FORCE_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(250);

pub async fn all(stack: &Stack) -> Result<Stage> {
    let sim = stack.sim();
    println!(
        "Onboarding {} tenants; installing takes a while, as Ringfence leaves customers their share of Connect's quota …",
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
    let admin = Aws::new(sim.base(), sim.account(part.account).await?);
    let made = sim.instance(&contact_centre(part)).await?;
    let mut instance = Instance {
        tenant,
        part,
        id: String::new(),
        made,
        rest: rest.clone(),
        admin,
        queues_before: Vec::new(),
    };
    if let Some(queue) = part.own_whisper {
        play_own_whisper(&instance, queue).await?;
    }
    instance.queues_before = queue_configs(&instance).await?;

    let body = json!({ "instance_arn": instance.made.instance_arn, "name": part.alias });
    let registered = rest.post("/v1/instances", &body).await?;
    instance.id = text(&registered, "/id")?;
    deploy_roles(sim, part, &registered).await?;
    let path = format!("/v1/instances/{}", instance.id);
    rest.post(&format!("{path}/verify"), &json!({})).await?;
    let policy = match part.policy {
        Some(policy) => {
            rest.put(&format!("{path}/policy"), &policy()).await?;
            format!("{path}/policy")
        }
        None => "/v1/policies/default".to_owned(),
    };
    let wanted = json!({ "queues": "all", "existing_whisper": "merge", "drift": "mend" });
    rest.put(&format!("{path}/installation"), &wanted).await?;
    installed(&instance).await?;
    in_force(rest, &policy, &instance.id).await?;
    println!("  {tenant}: {} in {} is installed", part.alias, part.region);
    Ok(instance)
}

fn contact_centre(part: &InstancePart) -> Value {
    let queues: Vec<Value> = part
        .queues
        .iter()
        .map(|(name, caller_id)| json!({ "name": name, "caller_id": caller_id }))
        .collect();
    let names: Vec<&str> = part.queues.iter().map(|(name, _)| *name).collect();
    let agents: Vec<Value> = part
        .agents
        .iter()
        .map(|username| json!({ "username": username, "queues": names }))
        .collect();
    json!({
        "account_id": part.account, "region": part.region, "alias": part.alias, "queues": queues, "agents": agents,
    })
}

/// The stack that the onboarding offers, deployed with the parameters that it names.
async fn deploy_roles(sim: &Sim, part: &InstancePart, registered: &Value) -> Result<()> {
    let url = text(registered, "/onboarding/template_url")?;
    let unreachable = |source| DevError::Unreachable {
        method: "GET".into(),
        url: url.clone(),
        source,
    };
    let answer = client()
        .get(&url)
        .send()
        .await
        .and_then(reqwest::Response::error_for_status)
        .map_err(unreachable)?;
    let template = answer.text().await.map_err(unreachable)?;
    sim.stack(
        part.account,
        part.region,
        &template,
        &registered["onboarding"]["stack_parameters"],
    )
    .await
    .map(drop)
}

async fn installed(instance: &Instance) -> Result<()> {
    let path = format!("/v1/instances/{}/installation", instance.id);
    let what = format!("the installation at {}", instance.part.alias);
    until(&what, INSTALLED_WITHIN, LOOK_EVERY, async || {
        let now = instance.rest.get(&path).await?;
        let conditions = list(&now, "/conditions")?;
        let ready = conditions
            .iter()
            .any(|found| found["type"] == "Ready" && is_true(&found["status"]));
        if ready && now["state"] == "installed" && now["generation"] == now["observed_generation"] {
            return Ok(Seen::Done(()));
        }
        Ok(Seen::not_yet(format!(
            "state {}, {}",
            now["state"], now["conditions"]
        )))
    })
    .await
}

fn is_true(status: &Value) -> bool {
    status == true || status == "true"
}

/// Waits until the limiter's table has the policy's present version for this instance.
pub async fn in_force(rest: &Rest, path: &str, instance_id: &str) -> Result<()> {
    until(
        "the policy to be in force",
        IN_FORCE_WITHIN,
        LOOK_EVERY,
        async || {
            let policy = rest.get(path).await?;
            let in_force = list(&policy, "/in_force")?;
            let here = in_force
                .iter()
                .find(|entry| entry["instance_id"] == instance_id);
            match here {
                Some(entry) if entry["version"] == policy["version"] => Ok(Seen::Done(())),
                _ => Ok(Seen::not_yet(format!(
                    "version {}, in force {}",
                    policy["version"], policy["in_force"]
                ))),
            }
        },
    )
    .await
}

/// A whisper of the customer's own, so that there is something to be kept.
async fn play_own_whisper(instance: &Instance, queue: &str) -> Result<()> {
    let content = json!({
        "Version": "2019-10-30",
        "StartAction": "consent",
        "Metadata": {},
        "Actions": [
            {
                "Identifier": "consent",
                "Type": "MessageParticipant",
                "Parameters": { "Text": "This call may be recorded." },
                "Transitions": {
                    "NextAction": "done",
                    "Errors": [{ "ErrorType": "NoMatchingError", "NextAction": "done" }],
                },
            },
            { "Identifier": "done", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} },
        ],
    });
    let flow =
        json!({ "Name": "Consent", "Type": "OUTBOUND_WHISPER", "Content": content.to_string() });
    let path = format!("/contact-flows/{}", instance.connect_id());
    let made = instance
        .admin
        .connect(instance.part.region, Method::PUT, &path, Some(&flow))
        .await?;
    let queue = &instance.queue(queue)?.id;
    let mut config = queue_config(instance, queue).await?;
    config["OutboundFlowId"] = made["ContactFlowId"].clone();
    let path = format!(
        "/queues/{}/{queue}/outbound-caller-config",
        instance.connect_id()
    );
    let body = json!({ "OutboundCallerConfig": config });
    instance
        .admin
        .connect(instance.part.region, Method::POST, &path, Some(&body))
        .await
        .map(drop)
}

pub async fn queue_configs(instance: &Instance) -> Result<Vec<(String, Value)>> {
    let InstanceMade { queues, .. } = &instance.made;
    let mut configs = Vec::new();
    for queue in queues {
        configs.push((queue.id.clone(), queue_config(instance, &queue.id).await?));
    }
    Ok(configs)
}

async fn queue_config(instance: &Instance, queue: &str) -> Result<Value> {
    let path = format!("/queues/{}/{queue}", instance.connect_id());
    let found = instance
        .admin
        .connect(instance.part.region, Method::GET, &path, None)
        .await?;
    Ok(found["Queue"]["OutboundCallerConfig"].clone())
}

/// The flow that Connect runs on queues without a whisper of their own.
pub async fn default_outbound(instance: &Instance) -> Result<String> {
    let path = format!(
        "/contact-flows-summary/{}?contactFlowTypes=OUTBOUND_WHISPER",
        instance.connect_id()
    );
    let flows = instance
        .admin
        .connect(instance.part.region, Method::GET, &path, None)
        .await?;
    let found = list(&flows, "/ContactFlowSummaryList")?
        .iter()
        .find(|flow| flow["Name"] == "Default outbound");
    match found {
        Some(flow) => text(flow, "/Id"),
        None => Err(DevError::Unexpected(format!(
            "no Default outbound flow among {flows}"
        ))),
    }
}
