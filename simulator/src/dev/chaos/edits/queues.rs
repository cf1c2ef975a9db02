//! Edits of the customer's queues.

use serde_json::{Value, json};

use super::super::super::Result;
use super::super::super::rest::{list, text};
use super::super::script::Whisper;
use super::super::site::{SeenFlow, Site};
use super::insist;

impl Site {
    /// False: nobody can choose that whisper any more.
    pub(super) async fn repoint(
        &mut self,
        queue: usize,
        to: Whisper,
        held_path: &str,
    ) -> Result<bool> {
        match self.flow_of(to).filter(|flow| self.is_choosable(flow)) {
            Some(flow) => self.edit_queue(queue, Some(flow), held_path).await,
            None => Ok(false),
        }
    }

    /// What the queue is to get back stays what it was. False where Ringfence does not know that, or has no whisper there.
    pub(super) async fn point_at_ours(
        &mut self,
        queue: usize,
        place: usize,
        held_path: &str,
    ) -> Result<bool> {
        let Some((id, wanted)) = self.queue_at(queue) else {
            return Ok(false);
        };
        if held_path.contains(&id) || !self.is_remembered(&id, wanted.flow_id.as_deref()).await? {
            return Ok(false);
        }
        let seen = self.look().await?;
        let can_run = |flow: &&SeenFlow| flow.is_whisper_of_ours() && flow.is_published;
        let ours: Vec<&SeenFlow> = seen.flows.iter().filter(can_run).collect();
        let Some(flow) = ours.get(place % ours.len().max(1)) else {
            return Ok(false);
        };
        let set = insist(|| async { self.set_once(&id, Some(&flow.id)).await }).await?;
        // Ringfence may have deleted it meanwhile.
        let is_set = set.is_some();
        if is_set {
            self.pointed.insert((id, flow.id.clone()));
        }
        Ok(is_set)
    }

    /// Ringfence's memory of the queue holds what the customer last set.
    async fn is_remembered(&self, queue: &str, flow_id: Option<&str>) -> Result<bool> {
        let installation = self.installation().await?;
        let is_it = |known: &&Value| known["queue_id"] == queue;
        let Some(known) = list(&installation, "/queues")?.iter().find(is_it) else {
            return Ok(false);
        };
        let own = |id: Option<&str>| {
            id.filter(|id| *id != self.default_outbound())
                .map(str::to_owned)
        };
        Ok(own(known["previous_flow_id"].as_str()) == own(flow_id))
    }

    /// Another whisper or, without one, another caller id name.
    pub(super) async fn edit_queue(
        &mut self,
        queue: usize,
        flow: Option<String>,
        held_path: &str,
    ) -> Result<bool> {
        let Some((id, _)) = self.queue_at(queue) else {
            return Ok(false);
        };
        // The service has no lock: between our reading of a queue and our change of it, nobody could tell.
        if held_path.contains(&id) {
            return Ok(false);
        }
        let set = insist(|| async { self.set_once(&id, flow.as_deref()).await }).await?;
        let Some(name) = set else { return Ok(false) };
        if let Some((_, wanted)) = self.wanted.get_mut(queue) {
            match flow {
                Some(flow) => wanted.flow_id = Some(flow),
                None => wanted.name = Some(name),
            }
        }
        Ok(true)
    }

    /// Answers the queue's caller id name after it.
    async fn set_once(&self, queue: &str, flow: Option<&str>) -> Result<String> {
        let mut config = self.customer.queue_config(queue).await?;
        match flow {
            Some(flow) => config["OutboundFlowId"] = json!(flow),
            None => config["OutboundCallerIdName"] = json!("Renamed by the customer"),
        }
        self.customer.set_queue_config(queue, &config).await?;
        Ok(config["OutboundCallerIdName"]
            .as_str()
            .unwrap_or_default()
            .to_owned())
    }

    /// The whisper is chosen a moment after, as in the console.
    pub(super) async fn open_queue(&mut self, whisper: Whisper) -> Result<bool> {
        let number = self.wanted.len();
        let new = json!({
            "instance_arn": self.customer.arn(),
            "name": format!("Overflow {number}"),
            "caller_id": format!("+120655501{number:02}"),
        });
        let made = self.customer.sim.post("queues", &new).await?;
        let id = text(&made, "/id")?;
        let flow = self.flow_of(whisper).filter(|flow| self.is_choosable(flow));
        if let Some(flow) = flow {
            insist(|| async { self.set_once(&id, Some(&flow)).await }).await?;
        }
        let mut seen = self.look().await?;
        if let Some(outbound) = seen.queues.remove(&id) {
            self.wanted.push((id, outbound));
        }
        Ok(true)
    }

    /// False for the one that agents dial from by default, which the service keeps.
    pub(super) async fn close_queue(&mut self, queue: usize) -> Result<bool> {
        let Some((id, _)) = self.queue_at(queue).filter(|_| queue > 0) else {
            return Ok(false);
        };
        self.customer.sim.delete(&format!("queues/{id}")).await?;
        self.closed.insert(id);
        Ok(true)
    }
}
