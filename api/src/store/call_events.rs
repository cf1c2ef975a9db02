//! What webhooks are told of a decision, in the transaction that stores it.
//!
//! Invariant: each is told of once, however often its record comes: an event is kept once per subject, and one that nobody
//! wanted when its record first came is told to nobody later.

use jiff::Timestamp;
use serde_json::Value;
use sqlx::PgConnection;

use super::webhook_events::event_put;
use super::{NewEvent, StoreError};
use crate::domain::ids::{DecisionId, EventId, TenantId};
use crate::domain::webhook::EventKind;

/// Something about an attempt that can be told.
#[derive(Debug, Clone)]
pub struct CallEvent {
    pub id: EventId,
    pub what: CallTold,
    /// Without the decision's id, which is known only when it is stored.
    pub data: Value,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CallTold {
    /// It was not let out.
    Denied,
    /// It came near to this rule's limit.
    Near { rule_id: String },
}

impl CallEvent {
    fn kind(&self) -> EventKind {
        match self.what {
            CallTold::Denied => EventKind::CallDenied,
            CallTold::Near { .. } => EventKind::LimitNear,
        }
    }

    fn near(&self) -> Option<&str> {
        match &self.what {
            CallTold::Denied => None,
            CallTold::Near { rule_id } => Some(rule_id),
        }
    }
}

/// By which what is told of a decision is known: that it denied, or that it came near to a rule's limit.
pub(super) fn subject(decision: DecisionId, near: Option<&str>) -> String {
    match near {
        None => decision.to_string(),
        Some(rule_id) => format!("{decision}/{rule_id}"),
    }
}

pub(super) async fn call_event_put(
    connection: &mut PgConnection,
    tenant: TenantId,
    decision: DecisionId,
    event: &CallEvent,
    now: Timestamp,
) -> Result<(), StoreError> {
    let mut data = event.data.clone();
    if let Some(members) = data.as_object_mut() {
        members.insert("decision_id".to_owned(), decision.to_string().into());
    }
    let event = NewEvent {
        id: event.id,
        kind: event.kind(),
        subject: &subject(decision, event.near()),
        at: now,
        data,
    };
    event_put(connection, tenant, &event, None).await?;
    Ok(())
}
