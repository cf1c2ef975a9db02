//! Edits of the customer's own whispers, and of the one that Connect runs without any.

use serde_json::{Value, json};

use super::super::super::Result;
use super::super::site::Site;
use super::insist;

const DEFAULT_NAME: &str = "Default outbound";
/// Connect takes so many actions, and none more in front of them.
const ACTIONS: usize = 249;

impl Site {
    /// False: it is gone, or in the archive.
    pub(super) async fn edit_own(&mut self, number: usize) -> Result<bool> {
        let Some(id) = self.own_at(number) else {
            return Ok(false);
        };
        self.edits += 1;
        let text = format!("Edited {} times.", self.edits);
        insist(|| async { self.customer.edit_whisper(&id, &text).await }).await?;
        self.bloated.remove(&id);
        self.take_down(&id).await
    }

    pub(super) async fn bloat_own(&mut self, number: usize) -> Result<bool> {
        let Some(id) = self.own_at(number) else {
            return Ok(false);
        };
        self.publish(&id, &bloated()).await?;
        self.bloated.insert(id.clone());
        self.take_down(&id).await
    }

    pub(super) async fn delete_own(&mut self, number: usize) -> Result<bool> {
        let Some(id) = self.own_at(number) else {
            return Ok(false);
        };
        self.delete_flow(&id).await?;
        self.theirs.retain(|flow| flow.id != id);
        self.gone.insert(id);
        Ok(true)
    }

    pub(super) async fn archive_own(&mut self, number: usize) -> Result<bool> {
        let Some(id) = self.own_at(number) else {
            return Ok(false);
        };
        self.set_archived(&id, true).await?;
        self.shelved.insert(id.clone());
        self.take_down(&id).await
    }

    pub(super) async fn rename_default(&mut self) -> Result<bool> {
        if std::mem::replace(&mut self.default_renamed, true) {
            return Ok(false);
        }
        self.name_default("Company outbound").await.map(|()| true)
    }

    pub(super) async fn return_default_name(&mut self) -> Result<()> {
        if std::mem::take(&mut self.default_renamed) {
            self.name_default(DEFAULT_NAME).await?;
        }
        Ok(())
    }

    async fn name_default(&mut self, name: &str) -> Result<()> {
        let id = self.default_outbound().to_owned();
        self.rename_flow(&id, name).await?;
        self.take_down(&id).await.map(drop)
    }

    fn own_at(&self, number: usize) -> Option<String> {
        let id = self.own.get(number)?;
        self.is_choosable(id).then(|| id.clone())
    }

    /// Notes a flow of the customer's as it is now.
    async fn take_down(&mut self, id: &str) -> Result<bool> {
        let now = self.flow_seen(id).await?;
        self.theirs.retain(|flow| flow.id != id);
        self.theirs.extend(now);
        Ok(true)
    }
}

fn bloated() -> Value {
    let name = |number: usize| format!("say-{number}");
    let said = |number: usize| {
        let next = if number + 2 < ACTIONS {
            name(number + 1)
        } else {
            "done".to_owned()
        };
        json!({
            "Identifier": name(number),
            "Type": "MessageParticipant",
            "Parameters": { "Text": "And another thing." },
            "Transitions": {
                "NextAction": next,
                "Errors": [{ "ErrorType": "NoMatchingError", "NextAction": next }],
            },
        })
    };
    let mut actions: Vec<Value> = (0..ACTIONS - 1).map(said).collect();
    actions.push(json!({ "Identifier": "done", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} }));
    json!({ "Version": "2019-10-30", "StartAction": name(0), "Metadata": {}, "Actions": actions })
}
