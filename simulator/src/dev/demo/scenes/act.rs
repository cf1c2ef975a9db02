//! Dialling with an expectation: what a scene is written in.

use std::time::Duration;

use serde_json::Value;

use super::super::super::sim::{Call, Dial};
use super::super::super::wait::{Seen, until};
use super::super::super::{DevError, Result};
use super::super::ledger::Ledger;
use super::super::stage::{Instance, Stage};

const TOLD_WITHIN: Duration = Duration::from_secs(15);

/// One instance, and the rule under which its calls are counted in the table.
#[derive(Debug, Clone, Copy)]
pub struct Act<'a> {
    pub stage: &'a Stage,
    pub ledger: &'a Ledger,
    pub instance: &'a Instance,
    pub rule: &'static str,
}

impl<'a> Act<'a> {
    pub fn new(
        stage: &'a Stage,
        ledger: &'a Ledger,
        alias: &str,
        rule: &'static str,
    ) -> Result<Self> {
        Ok(Self {
            stage,
            ledger,
            instance: stage.instance(alias)?,
            rule,
        })
    }

    pub async fn dial(&self, agent: &str, queue: Option<&str>, to: &str) -> Result<Call> {
        self.deliver(agent, queue, to, 1).await
    }

    /// Dials once; Connect delivers the event of that one contact several times.
    pub async fn deliver(
        &self,
        agent: &str,
        queue: Option<&str>,
        to: &str,
        deliveries: u32,
    ) -> Result<Call> {
        let queue_id = match queue {
            Some(name) => Some(self.instance.customer.queue(name)?.id.clone()),
            None => None,
        };
        let dial = Dial {
            instance_arn: self.instance.customer.arn().to_owned(),
            agent_id: self.instance.customer.agent(agent)?.id.clone(),
            queue_id,
            to: Some(to.to_owned()),
            deliveries: (deliveries > 1).then_some(deliveries),
            event_overrides: None,
        };
        let call = self.stage.sim.call(&dial).await?;
        self.ledger.call(self.instance, self.rule, &call);
        Ok(call)
    }

    pub async fn rings(
        &self,
        agent: &str,
        queue: Option<&str>,
        to: &str,
        because: &str,
    ) -> Result<Call> {
        let call = self.dial(agent, queue, to).await?;
        self.ledger.expect(call.rang(), || {
            format!(
                "{}: {because}: {agent}'s call should ring, was {}: {}",
                self.rule,
                call.outcome,
                answers(&call)
            )
        });
        Ok(call)
    }

    pub async fn denied(
        &self,
        agent: &str,
        queue: Option<&str>,
        to: &str,
        because: &str,
    ) -> Result<Call> {
        let call = self.dial(agent, queue, to).await?;
        let told =
            call.told("CallAllowed") == Some("false") && call.told("RuleId") == Some(self.rule);
        self.ledger
            .expect(call.stopped_before_ringing() && told, || {
                format!(
                    "{}: {because}: {agent}'s call should be stopped before ringing, was {}: {}",
                    self.rule,
                    call.outcome,
                    answers(&call)
                )
            });
        Ok(call)
    }

    /// The agent has exactly this many tasks about the number, each with number, rule and time to try again.
    pub async fn told(&self, agent: &str, number: &str, times: usize) -> Result<()> {
        let waited = until(
            "the agent's task",
            TOLD_WITHIN,
            Duration::from_millis(200),
            async || {
                let tasks = self.tasks_about(agent, number).await?;
                match tasks.len() >= times {
                    true => Ok(Seen::Done(tasks)),
                    false => Ok(Seen::not_yet(format!("{} tasks", tasks.len()))),
                }
            },
        )
        .await;
        let tasks = match waited {
            Ok(tasks) => tasks,
            Err(DevError::Timeout { .. }) => self.tasks_about(agent, number).await?,
            Err(err) => return Err(err),
        };
        self.ledger.expect(tasks.len() == times, || {
            format!(
                "{}: {agent} should have {times} task(s) about one number, has {}",
                self.rule,
                tasks.len()
            )
        });
        for task in &tasks {
            let complete = says(task, number)
                && !task["attributes"]["RetryAt"]
                    .as_str()
                    .unwrap_or_default()
                    .is_empty();
            self.ledger.expect(complete, || {
                format!(
                    "{}: {agent}'s task should say number, limit and time to try again: {task}",
                    self.rule
                )
            });
        }
        self.close(&tasks).await
    }

    /// The agent closes the tasks, which frees their places in the agent's queue.
    async fn close(&self, tasks: &[Value]) -> Result<()> {
        for task in tasks
            .iter()
            .filter(|task| task["disconnected_at"].is_null())
        {
            if let Some(id) = task["contact_id"].as_str() {
                self.stage.sim.complete_task(id).await?;
            }
        }
        Ok(())
    }

    async fn tasks_about(&self, agent: &str, number: &str) -> Result<Vec<Value>> {
        let agent_arn = &self.instance.customer.agent(agent)?.arn;
        let mut tasks = self.stage.sim.tasks(self.instance.customer.arn()).await?;
        tasks.retain(|task| {
            let attributes = &task["attributes"];
            attributes["AgentARN"] == agent_arn.as_str()
                && attributes["CustomerNumber"] == number
                && attributes["RuleId"] == self.rule
                && task["outcome"] != "in_progress"
        });
        Ok(tasks)
    }
}

fn says(task: &Value, number: &str) -> bool {
    let text = [&task["name"], &task["description"]]
        .map(|text| text.as_str().unwrap_or_default())
        .join(" ");
    text.contains(number) && text.contains("At most")
}

fn answers(call: &Call) -> String {
    let answers: Vec<String> = call
        .lambda
        .iter()
        .map(|entry| match (&entry.response, &entry.error) {
            (Some(response), _) => response.to_string(),
            (None, Some(error)) => error.to_string(),
            (None, None) => "no answer".to_owned(),
        })
        .collect();
    if answers.is_empty() {
        "the limiter was not asked".to_owned()
    } else {
        answers.join(", ")
    }
}
