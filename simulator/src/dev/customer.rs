//! A customer: a contact centre in an AWS account of its own, and what its people do with Ringfence. Every step is one
//! that a real customer takes, through the REST API or as administrator of their own account.

use std::time::Duration;

use serde_json::{Value, json};

use super::aws::{Aws, Keys};
use super::rest::{Rest, client, list, text};
use super::sim::{AgentMade, Call, Dial, InstanceMade, QueueMade, Sim};
use super::wait::{Seen, until};
use super::{DevError, Result};

const INSTALLED_WITHIN: Duration = Duration::from_secs(240);
const IN_FORCE_WITHIN: Duration = Duration::from_secs(30);
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What the customer has before Ringfence comes.
#[derive(Debug, Clone)]
pub struct ContactCentre<'a> {
    pub account: &'a str,
    pub region: &'a str,
    pub alias: &'a str,
    /// Name and caller id.
    pub queues: &'a [(&'a str, &'a str)],
    pub agents: &'a [&'a str],
    /// Those of them whose routing profile takes no tasks.
    pub without_tasks: &'a [&'a str],
}

#[derive(Debug)]
pub struct Customer {
    /// With the tenant's own key.
    pub rest: Rest,
    pub sim: Sim,
    pub account: String,
    pub region: String,
    pub keys: Keys,
    /// As the account's administrator.
    pub admin: Aws,
    pub made: InstanceMade,
    /// Ringfence's id of the instance, once registered.
    pub id: String,
    /// What registering answered.
    pub registered: Value,
}

impl Customer {
    pub async fn open(sim: &Sim, rest: &Rest, centre: &ContactCentre<'_>) -> Result<Self> {
        let keys = sim.account(centre.account).await?;
        let admin = Aws::new(sim.base(), keys.clone());
        let queue =
            |(name, caller_id): &(&str, &str)| json!({ "name": name, "caller_id": caller_id });
        let queues: Vec<Value> = centre.queues.iter().map(queue).collect();
        let names: Vec<&str> = centre.queues.iter().map(|(name, _)| *name).collect();
        let agent = |username: &&str| {
            let tasks = !centre.without_tasks.contains(username);
            json!({ "username": username, "queues": names, "tasks": tasks })
        };
        let agents: Vec<Value> = centre.agents.iter().map(agent).collect();
        let body = json!({
            "account_id": centre.account,
            "region": centre.region,
            "alias": centre.alias,
            "queues": queues,
            "agents": agents,
        });
        Ok(Self {
            rest: rest.clone(),
            sim: sim.clone(),
            account: centre.account.to_owned(),
            region: centre.region.to_owned(),
            keys,
            admin,
            made: sim.instance(&body).await?,
            id: String::new(),
            registered: Value::Null,
        })
    }

    pub fn arn(&self) -> &str {
        &self.made.instance_arn
    }

    /// The id inside the ARN, by which Amazon Connect's operations name the instance.
    pub fn connect_id(&self) -> &str {
        self.arn().rsplit('/').next().unwrap_or_default()
    }

    pub fn agent(&self, username: &str) -> Result<&AgentMade> {
        let found = self
            .made
            .agents
            .iter()
            .find(|agent| agent.username == username);
        found.ok_or_else(|| DevError::Unexpected(format!("no agent {username} at {}", self.arn())))
    }

    pub fn queue(&self, name: &str) -> Result<&QueueMade> {
        let found = self.made.queues.iter().find(|queue| queue.name == name);
        found.ok_or_else(|| DevError::Unexpected(format!("no queue {name} at {}", self.arn())))
    }

    /// The path of the instance, or of something below it.
    pub fn path(&self, below: &str) -> String {
        format!("/v1/instances/{}{below}", self.id)
    }

    pub async fn register(&mut self, name: &str) -> Result<()> {
        let body = json!({ "instance_arn": self.arn(), "name": name });
        self.registered = self.rest.post("/v1/instances", &body).await?;
        self.id = text(&self.registered, "/id")?;
        Ok(())
    }

    /// The template that the onboarding offers.
    pub async fn template(&self) -> Result<String> {
        let url = text(&self.registered, "/onboarding/template_url")?;
        self.offered(&url).await
    }

    /// What the onboarding names by its address.
    pub async fn offered(&self, url: &str) -> Result<String> {
        let unreachable = |source| DevError::Unreachable {
            method: "GET".into(),
            url: url.to_owned(),
            source,
        };
        let answer = client()
            .get(url)
            .send()
            .await
            .and_then(reqwest::Response::error_for_status);
        answer
            .map_err(unreachable)?
            .text()
            .await
            .map_err(unreachable)
    }

    /// Deploys a template with the parameters that the onboarding names.
    pub async fn deploy(&self, template: &str) -> Result<Value> {
        let parameters = &self.registered["onboarding"]["stack_parameters"];
        self.sim
            .stack(&self.account, &self.region, template, parameters)
            .await
    }

    pub async fn verify(&self) -> Result<Value> {
        self.rest.post(&self.path("/verify"), &json!({})).await
    }

    /// Registers, deploys the offered template and verifies.
    pub async fn join(&mut self, name: &str) -> Result<()> {
        self.register(name).await?;
        self.deploy(&self.template().await?).await?;
        self.verify().await.map(drop)
    }

    pub async fn install(&self, existing_whisper: &str) -> Result<()> {
        let wanted =
            json!({ "queues": "all", "existing_whisper": existing_whisper, "drift": "mend" });
        self.ask(&wanted).await
    }

    /// Asks for any installation.
    pub async fn ask(&self, wanted: &Value) -> Result<()> {
        self.rest
            .put(&self.path("/installation"), wanted)
            .await
            .map(drop)
    }

    /// Waits until Ringfence says that calls are limited.
    pub async fn installed(&self) -> Result<Value> {
        self.installation("the installation", |now| {
            let ready = list(now, "/conditions")?
                .iter()
                .any(|found| found["type"] == "Ready" && is_true(found));
            Ok(ready
                && now["state"] == "installed"
                && now["generation"] == now["observed_generation"])
        })
        .await
    }

    pub async fn uninstall(&self) -> Result<Value> {
        self.rest.delete(&self.path("/installation")).await?;
        self.installation("the removal", |now| Ok(now["state"] == "uninstalled"))
            .await
    }

    /// Waits until the installation is as `done` wants it.
    pub async fn installation(
        &self,
        what: &str,
        done: impl Fn(&Value) -> Result<bool>,
    ) -> Result<Value> {
        let path = self.path("/installation");
        until(what, INSTALLED_WITHIN, LOOK_EVERY, async || {
            let now = self.rest.get(&path).await?;
            match done(&now)? {
                true => Ok(Seen::Done(now)),
                false => Ok(Seen::not_yet(format!(
                    "state {}, {}",
                    now["state"], now["conditions"]
                ))),
            }
        })
        .await
    }

    /// Waits until the limiter's table has the present version of the policy at `path` for this instance.
    pub async fn in_force(&self, path: &str) -> Result<()> {
        until(
            "the policy to be in force",
            IN_FORCE_WITHIN,
            LOOK_EVERY,
            async || {
                let policy = self.rest.get(path).await?;
                let here = list(&policy, "/in_force")?
                    .iter()
                    .find(|entry| entry["instance_id"] == self.id.as_str());
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

    /// One agent dials once.
    pub fn dial(&self, agent: &str, to: &str) -> Result<Dial> {
        Ok(Dial {
            instance_arn: self.arn().to_owned(),
            agent_id: self.agent(agent)?.id.clone(),
            queue_id: None,
            to: Some(to.to_owned()),
            deliveries: None,
            event_overrides: None,
        })
    }

    pub async fn call(&self, agent: &str, to: &str) -> Result<Call> {
        self.sim.call(&self.dial(agent, to)?).await
    }
}

fn is_true(condition: &Value) -> bool {
    condition["status"] == true || condition["status"] == "true"
}
