//! What lets Ringfence in, and its functions be invoked: taken away, and given back.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::super::{DevError, Result};
use super::super::script::Loss;
use super::super::site::{FUNCTIONS, REGION, Site};
use super::insist;

impl Site {
    /// False: no function lets the instance in.
    pub(super) async fn take_permission(&mut self) -> Result<bool> {
        for function in FUNCTIONS {
            let Some(statement_id) = self.statement_of(function).await? else {
                continue;
            };
            let path = format!("{function}/policy/{statement_id}");
            insist(|| async {
                self.operator
                    .lambda(REGION, Method::DELETE, &path, None)
                    .await
            })
            .await?;
            self.unpermitted = true;
            return Ok(true);
        }
        Ok(false)
    }

    /// The statement by which a limiter function lets this instance in.
    async fn statement_of(&self, function: &str) -> Result<Option<String>> {
        let path = format!("{function}/policy");
        let policy =
            insist(|| async { self.operator.lambda(REGION, Method::GET, &path, None).await })
                .await?;
        let text = policy.unwrap_or_default()["Policy"]
            .as_str()
            .unwrap_or("{}")
            .to_owned();
        let policy: Value = serde_json::from_str(&text).unwrap_or_default();
        let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
        let of_this = statements
            .iter()
            .find(|statement| statement.to_string().contains(self.customer.arn()));
        Ok(of_this.and_then(|statement| statement["Sid"].as_str().map(str::to_owned)))
    }

    pub async fn lose_access(&self, loss: Loss) -> Result<()> {
        let template = self.customer.template().await?;
        let mut parameters = self.customer.registered["onboarding"]["stack_parameters"].clone();
        let template = match loss {
            Loss::ExternalId => {
                parameters["ExternalId"] = json!("an-external-id-of-nobodys");
                template
            }
            Loss::Permission => template.replace(
                "Action: connect:UpdateQueueOutboundCallerConfig\n",
                "Action: connect:ListInstances\n",
            ),
        };
        let (account, region) = (&self.customer.account, &self.customer.region);
        let sim = &self.customer.sim;
        sim.stack(account, region, &template, &parameters)
            .await
            .map(drop)
    }

    /// The roles are as they were, and Ringfence is told to look.
    pub async fn regain_access(&self) -> Result<()> {
        self.customer
            .deploy(&self.customer.template().await?)
            .await?;
        self.look_now().await
    }

    /// Whatever is there to be looked at.
    pub async fn look_now(&self) -> Result<()> {
        let path = self.customer.path("/installation/reconcile");
        match self.customer.rest.post(&path, &json!({})).await {
            Ok(_) | Err(DevError::Refused { status: 409, .. }) => Ok(()),
            Err(err) => Err(err),
        }
    }
}
