//! Edits of Ringfence's flows, and of names that it needs.

use reqwest::Method;
use serde_json::{Value, json};

use super::super::super::{DevError, Result};
use super::super::script::Squatter;
use super::super::site::{SeenFlow, Site};
use super::insist;

impl Site {
    /// Of Ringfence's flows that are so, the one of this place.
    async fn ours_at(
        &self,
        place: usize,
        is_so: impl Fn(&SeenFlow) -> bool,
    ) -> Result<Option<SeenFlow>> {
        let seen = self.look().await?;
        let is_it = |flow: &SeenFlow| flow.ours.is_some() && is_so(flow);
        let mut ours: Vec<SeenFlow> = seen.flows.into_iter().filter(is_it).collect();
        let place = place % ours.len().max(1);
        Ok((place < ours.len()).then(|| ours.swap_remove(place)))
    }

    pub(super) async fn delete_ours(&mut self, place: usize) -> Result<bool> {
        let Some(flow) = self.ours_at(place, |_| true).await? else {
            return Ok(false);
        };
        self.delete_flow(&flow.id).await?;
        self.deleted.insert(flow.id);
        Ok(true)
    }

    /// What is rewritten gets a whisper's content.
    pub(super) async fn rewrite_ours(&mut self, place: usize) -> Result<bool> {
        let Some(flow) = self.ours_at(place, SeenFlow::is_whisper_of_ours).await? else {
            return Ok(false);
        };
        let text = "Something else.";
        let is_made = insist(|| async { self.customer.edit_whisper(&flow.id, text).await }).await?;
        self.edited.extend(is_made.map(|()| flow.id));
        Ok(is_made.is_some())
    }

    /// From then on it is the customer's, and nobody else changes it.
    pub(super) async fn untag_ours(&mut self, place: usize) -> Result<bool> {
        let renamed = self.renamed.clone();
        let is_known_by_name = |flow: &SeenFlow| !renamed.contains(&flow.id);
        let Some(flow) = self.ours_at(place, is_known_by_name).await? else {
            return Ok(false);
        };
        let keys: Vec<String> = flow
            .tags
            .keys()
            .map(|key| format!("tagKeys={key}"))
            .collect();
        let path = format!("{}?{}", self.tags_path(&flow.id), keys.join("&"));
        let is_made = insist(|| async { self.connect(Method::DELETE, &path, None).await }).await?;
        if is_made.is_none() {
            return Ok(false);
        }
        let now = self.flow_seen(&flow.id).await?;
        self.theirs.extend(now);
        self.untagged.insert(flow.id, json!(flow.tags));
        Ok(true)
    }

    pub(super) async fn archive_ours(&mut self, place: usize) -> Result<bool> {
        let Some(flow) = self.ours_at(place, |flow| flow.is_published).await? else {
            return Ok(false);
        };
        let is_made = self.set_archived(&flow.id, true).await?;
        if is_made {
            self.archived.insert(flow.id);
        }
        Ok(is_made)
    }

    /// One that Ringfence knows to be there: by its name, nobody could tell it afterwards.
    pub(super) async fn rename_ours(&mut self, place: usize) -> Result<bool> {
        let installation = self.installation().await?.to_string();
        let is_known = |flow: &SeenFlow| installation.contains(&flow.id);
        let Some(flow) = self.ours_at(place, is_known).await? else {
            return Ok(false);
        };
        let is_made = self
            .rename_flow(&flow.id, &format!("Old {}", flow.id))
            .await?;
        if is_made {
            self.renamed.insert(flow.id);
        }
        Ok(is_made)
    }

    /// Of any flow of the instance. Nobody publishes it.
    pub(super) async fn draft(&mut self, place: usize) -> Result<bool> {
        let seen = self.look().await?;
        let Some(flow) = seen.flows.get(place % seen.flows.len().max(1)) else {
            return Ok(false);
        };
        let draft = "{ \"half\": \"done\" }";
        let path = self.flow_path(&flow.id, "%3A%24SAVED/content");
        let body = json!({ "Content": draft });
        let is_made =
            insist(|| async { self.connect(Method::POST, &path, Some(&body)).await }).await?;
        if let Some(theirs) = self.theirs.iter_mut().find(|theirs| theirs.id == flow.id) {
            draft.clone_into(&mut theirs.draft);
        }
        Ok(is_made.is_some())
    }

    /// False: somebody has the name already.
    pub(super) async fn squat(&mut self, squatter: Squatter) -> Result<bool> {
        if self.squatter.is_some() {
            return Ok(false);
        }
        let (name, flow_type) = squatter.flow();
        let made = insist(|| async { self.customer.own_flow(name, flow_type).await }).await;
        match made {
            // Perhaps by a try of ours whose answer was lost.
            Ok(_) | Err(DevError::Refused { status: 409, .. }) => {}
            Err(err) => return Err(err),
        }
        let seen = self.look().await?;
        let is_new = |flow: &&SeenFlow| {
            flow.name == name && flow.ours.is_none() && !self.untagged.contains_key(&flow.id)
        };
        let Some(flow) = seen.flows.iter().find(is_new) else {
            return Ok(false);
        };
        self.squatter = Some(flow.id.clone());
        self.theirs.push(flow.clone());
        Ok(true)
    }

    /// Names that Ringfence needs are freed, and its flows come out of the archive; what is in the way is deleted, or is
    /// Ringfence's again.
    pub(super) async fn make_way(&mut self) -> Result<()> {
        if let Some(id) = self.squatter.take() {
            self.theirs.retain(|flow| flow.id != id);
            self.delete_flow(&id).await?;
        }
        for (id, tags) in std::mem::take(&mut self.untagged) {
            self.theirs.retain(|flow| flow.id != id);
            if heads(&id) {
                let (path, body) = (self.tags_path(&id), json!({ "tags": tags }));
                insist(|| async { self.connect(Method::POST, &path, Some(&body)).await }).await?;
            } else {
                self.delete_flow(&id).await?;
                self.deleted.insert(id);
            }
        }
        for id in std::mem::take(&mut self.archived) {
            self.deleted.insert(id.clone());
            if heads(&id) {
                self.set_archived(&id, false).await?;
            } else {
                self.delete_flow(&id).await?;
            }
        }
        Ok(())
    }

    pub(super) async fn delete_flow(&self, id: &str) -> Result<()> {
        insist(|| async { self.customer.delete_flow(id).await })
            .await
            .map(drop)
    }

    /// False: it is gone.
    pub(super) async fn set_archived(&self, id: &str, archived: bool) -> Result<bool> {
        let state = if archived { "ARCHIVED" } else { "ACTIVE" };
        let (path, body) = (
            self.flow_path(id, "/metadata"),
            json!({ "ContactFlowState": state }),
        );
        let made =
            insist(|| async { self.connect(Method::POST, &path, Some(&body)).await }).await?;
        Ok(made.is_some())
    }

    pub(super) async fn rename_flow(&self, id: &str, name: &str) -> Result<bool> {
        let (path, body) = (self.flow_path(id, "/name"), json!({ "Name": name }));
        let made =
            insist(|| async { self.connect(Method::POST, &path, Some(&body)).await }).await?;
        Ok(made.is_some())
    }

    pub(super) async fn flow_seen(&self, id: &str) -> Result<Option<SeenFlow>> {
        let seen = self.look().await?;
        Ok(seen.flows.into_iter().find(|flow| flow.id == id))
    }

    pub(super) async fn publish(&self, id: &str, content: &Value) -> Result<()> {
        let (path, body) = (
            self.flow_path(id, "/content"),
            json!({ "Content": content.to_string() }),
        );
        insist(|| async { self.connect(Method::POST, &path, Some(&body)).await })
            .await
            .map(drop)
    }

    fn flow_path(&self, id: &str, below: &str) -> String {
        format!("/contact-flows/{}/{id}{below}", self.customer.connect_id())
    }

    fn tags_path(&self, id: &str) -> String {
        let arn = format!("{}/contact-flow/{id}", self.customer.arn());
        format!("/tags/{}", arn.replace(':', "%3A").replace('/', "%2F"))
    }

    async fn connect(&self, method: Method, path: &str, body: Option<&Value>) -> Result<Value> {
        let region = &self.customer.region;
        self.customer
            .admin
            .connect(region, method, path, body)
            .await
    }
}

/// One of two ways of putting something right, by a flow's id.
fn heads(id: &str) -> bool {
    id.starts_with(|first: char| first.is_ascii_digit())
}
