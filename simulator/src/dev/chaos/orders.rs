//! What goes wrong on order: faults for one instance's requests, and requests that are held in the middle.

use serde_json::{Value, json};

use super::super::rest::list;
use super::super::{DevError, Result};
use super::script::Moment;
use super::site::Site;

impl Site {
    /// The text by which rules know this run's requests to a service.
    fn about(&self, service: &str) -> &str {
        match service {
            "lambda" => &self.customer.id,
            _ => self.customer.connect_id(),
        }
    }

    pub async fn order_faults(&self) -> Result<()> {
        let rules = [
            ("connect", None, "throttle", 0.03),
            ("connect", None, "error_500", 0.03),
            ("connect", None, "lost_response", 0.03),
            ("connect", Some("DescribeContactFlow"), "error_500", 0.2),
            ("lambda", None, "error_500", 0.1),
            ("lambda", None, "lost_response", 0.1),
            ("dynamodb", None, "error_500", 0.1),
        ];
        for (service, operation, kind, probability) in rules {
            let rule = json!({
                "service": service,
                "operation": operation,
                "containing": self.about(service),
                "kind": kind,
                "probability": probability,
            });
            self.customer.sim.post("faults", &rule).await?;
        }
        Ok(())
    }

    pub async fn order_hold(&self, at: Moment) -> Result<()> {
        let rule = json!({
            "service": at.service,
            "containing": self.about(at.service),
            "kind": hold_kind(at),
            "skip": at.skip,
            "count": 1,
        });
        self.customer.sim.post("faults", &rule).await.map(drop)
    }

    pub async fn cancel_hold(&self, at: Moment) -> Result<()> {
        let path = format!(
            "faults?containing={}&kind={}",
            self.about(at.service),
            hold_kind(at)
        );
        self.customer.sim.delete(&path).await.map(drop)
    }

    pub async fn cancel_faults(&self) -> Result<()> {
        for service in ["connect", "lambda"] {
            let path = format!("faults?containing={}", self.about(service));
            self.customer.sim.delete(&path).await?;
        }
        Ok(())
    }

    /// The request that is held, if the rule has struck: its id, operation and path.
    pub async fn held(&self, at: Moment) -> Result<Option<(u64, String, String)>> {
        let holds = self.customer.sim.get("holds", &[]).await?;
        let mine = list(&holds, "/data")?
            .iter()
            .find(|held| held["about"] == self.about(at.service) && held["service"] == at.service);
        let text = |held: &Value, name: &str| held[name].as_str().unwrap_or_default().to_owned();
        Ok(mine.and_then(|held| {
            Some((
                held["id"].as_u64()?,
                text(held, "operation"),
                text(held, "path"),
            ))
        }))
    }

    /// A request that is let go is dropped; it may have gone by itself.
    pub async fn let_go(&self, id: u64) -> Result<()> {
        match self.customer.sim.delete(&format!("holds/{id}")).await {
            Ok(_) | Err(DevError::Refused { status: 404, .. }) => Ok(()),
            Err(err) => Err(err),
        }
    }
}

fn hold_kind(at: Moment) -> &'static str {
    if at.performed {
        "hold_response"
    } else {
        "hold_request"
    }
}
