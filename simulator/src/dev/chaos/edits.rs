//! What the customer's people change by hand while Ringfence works.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::sleep;

use super::super::rest::list;
use super::super::{DevError, Result};
use super::script::Edit;
use super::site::{SeenFlow, Site};

/// A name of Ringfence's that the customer may take.
const SQUATTED: &str = "Ringfence outbound whisper";
/// The customer's own requests meet the ordered faults as well.
const TRIES_MAX: u32 = 30;
const PAUSE: Duration = Duration::from_millis(50);

impl Site {
    /// The customer changes something by hand; false where the moment forbids it.
    pub async fn edit(&mut self, edit: Edit, held_path: &str) -> Result<bool> {
        match edit {
            Edit::Repoint { queue, to } => {
                let flow = self.flow_of(to);
                self.edit_queue(queue, flow, held_path).await
            }
            Edit::PointAtOurs { queue, place } => self.point_at_ours(queue, place, held_path).await,
            Edit::Rename { queue } => self.edit_queue(queue, None, held_path).await,
            Edit::DeleteOurs(place) => self.edit_flow(place, true).await,
            Edit::RewriteOurs(place) => self.edit_flow(place, false).await,
            Edit::Squat => self.squat().await,
        }
    }

    /// What the queue is to get back stays what it was. False where Ringfence does not know that, or has no whisper there.
    async fn point_at_ours(&mut self, queue: usize, place: usize, held_path: &str) -> Result<bool> {
        let Some((id, wanted)) = self.wanted.get(queue).cloned() else {
            return Ok(false);
        };
        if held_path.contains(&id) || !self.is_remembered(&id, wanted.flow_id.as_deref()).await? {
            return Ok(false);
        }
        let seen = self.look().await?;
        let is_whisper =
            |flow: &&SeenFlow| matches!(&flow.ours, Some((kind, _)) if kind == "whisper");
        let ours: Vec<&SeenFlow> = seen.flows.iter().filter(is_whisper).collect();
        let Some(flow) = ours.get(place % ours.len().max(1)) else {
            return Ok(false);
        };
        let mut tries = 0;
        loop {
            tries += 1;
            match self.edit_once(&id, Some(&flow.id)).await {
                // Ringfence has deleted it meanwhile.
                Err(DevError::Refused { status: 404, .. }) => return Ok(false),
                Err(err) if tries < TRIES_MAX && is_passing(&err) => sleep(PAUSE).await,
                done => {
                    done?;
                    break;
                }
            }
        }
        self.pointed.insert((id, flow.id.clone()));
        Ok(true)
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

    /// False: Ringfence's own flow is there already.
    async fn squat(&mut self) -> Result<bool> {
        let mut tries = 0;
        loop {
            tries += 1;
            match self.customer.own_whisper(SQUATTED).await {
                Err(err) if tries < TRIES_MAX && is_passing(&err) => sleep(PAUSE).await,
                // Perhaps by a try of ours whose answer was lost.
                Ok(_) | Err(DevError::Refused { status: 409, .. }) => break,
                Err(err) => return Err(err),
            }
        }
        let seen = self.look().await?;
        let is_squatter = |flow: &&SeenFlow| flow.name == SQUATTED && flow.ours.is_none();
        let Some(flow) = seen.flows.iter().find(is_squatter) else {
            return Ok(false);
        };
        let is_new = self.squatter.is_none();
        if is_new {
            self.squatter = Some(flow.id.clone());
            self.theirs.push(flow.clone());
        }
        Ok(is_new)
    }

    /// The customer does what the conditions ask for, and deletes it.
    pub async fn make_way(&mut self) -> Result<()> {
        let Some(id) = self.squatter.take() else {
            return Ok(());
        };
        self.theirs.retain(|flow| flow.id != id);
        let mut tries = 0;
        loop {
            tries += 1;
            match self.customer.delete_flow(&id).await {
                Err(err) if tries < TRIES_MAX && is_passing(&err) => sleep(PAUSE).await,
                done => return done,
            }
        }
    }

    /// False: there is none of Ringfence's yet.
    async fn edit_flow(&mut self, place: usize, delete: bool) -> Result<bool> {
        let seen = self.look().await?;
        let ours: Vec<&SeenFlow> = seen
            .flows
            .iter()
            .filter(|flow| match &flow.ours {
                // What is edited gets a whisper's content.
                Some((kind, _)) => delete || kind == "whisper",
                None => false,
            })
            .collect();
        let Some(flow) = ours.get(place % ours.len().max(1)) else {
            return Ok(false);
        };
        let mut tries = 0;
        loop {
            let made = if delete {
                self.customer.delete_flow(&flow.id).await
            } else {
                let text = "Something else.";
                self.customer.edit_whisper(&flow.id, text).await
            };
            tries += 1;
            match made {
                // Ringfence has deleted it meanwhile.
                Err(DevError::Refused { status: 404, .. }) => return Ok(false),
                Err(err) if tries < TRIES_MAX && is_passing(&err) => sleep(PAUSE).await,
                done => break done?,
            }
        }
        let changed = if delete {
            &mut self.deleted
        } else {
            &mut self.edited
        };
        changed.insert(flow.id.clone());
        Ok(true)
    }

    /// Another whisper or, without one, another name.
    async fn edit_queue(
        &mut self,
        queue: usize,
        flow: Option<String>,
        held_path: &str,
    ) -> Result<bool> {
        let Some((id, _)) = self.wanted.get(queue).cloned() else {
            return Ok(false);
        };
        // The service has no lock: between our reading of a queue and our change of it, nobody could tell.
        if held_path.contains(&id) {
            return Ok(false);
        }
        let mut tries = 0;
        let set = loop {
            let made = self.edit_once(&id, flow.as_deref()).await;
            tries += 1;
            match made {
                Err(err) if tries < TRIES_MAX && is_passing(&err) => sleep(PAUSE).await,
                done => break done?,
            }
        };
        if let Some((_, wanted)) = self.wanted.get_mut(queue) {
            match flow {
                Some(flow) => wanted.flow_id = Some(flow),
                None => wanted.name = Some(set),
            }
        }
        Ok(true)
    }

    /// Answers the queue's caller id name after it.
    async fn edit_once(&self, queue: &str, flow: Option<&str>) -> Result<String> {
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
}

fn is_passing(err: &DevError) -> bool {
    match err {
        DevError::Refused { status, .. } => *status == 429 || *status >= 500,
        DevError::Unreachable { .. } => true,
        _ => false,
    }
}
