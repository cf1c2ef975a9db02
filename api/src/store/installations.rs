//! Installations: what a tenant asked for, how far it has come, and which process works on it.
//!
//! A lease is a token with an end. Whatever the worker writes, it writes in a transaction that first holds the lease, so
//! that a process that was overtaken writes nothing.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::publications::unsigned;
use super::time::{from_db, from_db_opt, to_db};
use super::{ConnectionHealth, InstanceCheck, Store, StoreError, TenantTx};
use crate::domain::ids::{ConnectionId, InstanceId, TenantId};
use crate::domain::installation::{
    Condition, ConditionStatus, ConditionType, Drift, ExistingWhisper, InstallationRequest,
    InstallationState, OnLimiterUnavailable, QueueSelection,
};
use crate::domain::instance_arn::InstanceArn;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Installation {
    pub instance: InstanceId,
    /// `None`: it is to be taken away, or is.
    pub request: Option<InstallationRequest>,
    pub generation: u64,
    pub observed_generation: u64,
    pub state: InstallationState,
    pub conditions: Vec<Condition>,
    pub updated_at: Timestamp,
}

/// An installation that this process may work on until the lease ends.
#[derive(Debug, Clone)]
pub struct LeasedInstallation {
    pub tenant: TenantId,
    pub installation: Installation,
    pub attempts: u32,
    pub instance_arn: InstanceArn,
    pub connection: ConnectionId,
    pub installer_role_arn: String,
    /// Those that the role may accept, the present one first.
    pub external_ids: Vec<String>,
    /// What the last check of the connection found in this instance.
    pub check: InstanceCheck,
    /// Wishes to look that were there when the pass began.
    pub looks_asked: i64,
}

/// Where a pass has left an installation.
#[derive(Debug)]
pub struct PassResult<'a> {
    /// The generation that the pass worked for.
    pub generation: u64,
    pub reached: bool,
    pub state: InstallationState,
    pub conditions: &'a [Condition],
    pub attempts: u32,
    pub next_due_at: Timestamp,
    /// As when the pass began; a wish that came later makes the next look due at once.
    pub looks_asked: i64,
}

#[derive(Debug, Serialize, Deserialize)]
struct RequestDocument {
    queues: QueuesDocument,
    existing_whisper: String,
    drift: String,
    // Younger than the table; absent in what was asked before them.
    #[serde(default)]
    prefix_filter: BTreeSet<String>,
    #[serde(default = "allow")]
    on_limiter_unavailable: String,
}

fn allow() -> String {
    OnLimiterUnavailable::Allow.as_str().to_owned()
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum QueuesDocument {
    Only(BTreeSet<String>),
    All(String),
}

#[derive(Debug, Serialize, Deserialize)]
struct ConditionDocument {
    #[serde(rename = "type")]
    kind: String,
    status: String,
    reason: String,
    message: String,
    last_transition_at: Timestamp,
}

struct Row {
    instance_id: Uuid,
    desired: Option<Value>,
    generation: i64,
    observed_generation: i64,
    state: String,
    conditions: Value,
    updated_at: OffsetDateTime,
}

impl TenantTx {
    /// Asks for this installation; answers its generation. Work on it is due at once.
    pub async fn installation_put(
        &mut self,
        instance: InstanceId,
        request: &InstallationRequest,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let tenant_id = self.tenant_id().0;
        let generation = sqlx::query_scalar!(
            "insert into installations
                 (tenant_id, instance_id, desired, generation, observed_generation, state, conditions, attempts,
                  next_due_at, updated_at)
             values ($1, $2, $3, 1, 0, 'pending', '[]', 0, $4, $4)
             on conflict on constraint installations_pkey do update
             set desired = excluded.desired, generation = installations.generation + 1,
                 state = case when installations.state = 'uninstalled' then 'pending' else 'installing' end,
                 attempts = 0, next_due_at = excluded.next_due_at, updated_at = excluded.updated_at
             returning generation",
            tenant_id,
            instance.0,
            write_request(request),
            to_db(now),
        )
        .fetch_one(self.connection())
        .await?;
        unsigned(generation, "installations.generation")
    }

    /// Asks for everything to be taken away, or, once that is given up, for our own side to be cleared; answers the
    /// generation. `None`: there is no installation.
    pub async fn installation_remove(
        &mut self,
        instance: InstanceId,
        abandon: bool,
        now: Timestamp,
    ) -> Result<Option<u64>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let generation = sqlx::query_scalar!(
            "update installations
             set desired = null, abandoned = $4, generation = generation + 1, state = 'uninstalling', attempts = 0,
                 next_due_at = $3, updated_at = $3
             where tenant_id = $1 and instance_id = $2
             returning generation",
            tenant_id,
            instance.0,
            to_db(now),
            abandon,
        )
        .fetch_optional(self.connection())
        .await?;
        generation
            .map(|generation| unsigned(generation, "installations.generation"))
            .transpose()
    }

    /// A look is due at once: for one installation, or for all of the tenant's. What is wanted stays as it was.
    pub async fn installation_look_now(
        &mut self,
        instance: Option<InstanceId>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installations set looks_asked = looks_asked + 1, attempts = 0, next_due_at = $3
             where tenant_id = $1 and ($2::uuid is null or instance_id = $2) and state <> 'uninstalled'",
            tenant_id,
            instance.map(|instance| instance.0),
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Whether the removal was given up.
    pub async fn installation_is_abandoned(
        &mut self,
        instance: InstanceId,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let abandoned = sqlx::query_scalar!(
            "select desired is null and abandoned as \"abandoned!\" from installations
             where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(abandoned.unwrap_or_default())
    }

    pub async fn installation_get(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<Installation>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select instance_id, desired, generation, observed_generation, state, conditions, updated_at
             from installations where tenant_id = $1 and instance_id = $2",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Installation::try_from).transpose()
    }

    /// As [`Self::installation_get`], and nobody else changes it before this transaction ends.
    pub async fn installation_get_locked(
        &mut self,
        instance: InstanceId,
    ) -> Result<Option<Installation>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select instance_id, desired, generation, observed_generation, state, conditions, updated_at
             from installations where tenant_id = $1 and instance_id = $2 for update",
            tenant_id,
            instance.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Installation::try_from).transpose()
    }

    /// Prolongs the lease. False: it is somebody else's.
    pub async fn installation_hold(
        &mut self,
        instance: InstanceId,
        token: Uuid,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let held = sqlx::query!(
            "update installations set lease_expires_at = $4 where tenant_id = $1 and instance_id = $2 and lease_token = $3",
            tenant_id,
            instance.0,
            token,
            to_db(until),
        )
        .execute(self.connection())
        .await?;
        Ok(held.rows_affected() == 1)
    }

    /// Records a pass and gives the lease back. What was asked for meanwhile stays due. False: the lease is somebody else's,
    /// and nothing was recorded.
    pub async fn installation_finish(
        &mut self,
        instance: InstanceId,
        token: Uuid,
        result: &PassResult<'_>,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let generation = i64::try_from(result.generation).unwrap_or(i64::MAX);
        let finished = sqlx::query!(
            "update installations set
                 observed_generation = case when $5 then greatest(observed_generation, $4) else observed_generation end,
                 state = case when generation = $4 then $6 else state end,
                 conditions = $7,
                 attempts = case when generation = $4 then $8 else 0 end,
                 next_due_at = case when generation = $4 and looks_asked = $11 then $9::timestamptz
                                    else $10::timestamptz end,
                 lease_token = null, lease_expires_at = null, updated_at = $10
             where tenant_id = $1 and instance_id = $2 and lease_token = $3",
            tenant_id,
            instance.0,
            token,
            generation,
            result.reached,
            result.state.as_str(),
            write_conditions(result.conditions),
            i32::try_from(result.attempts).unwrap_or(i32::MAX),
            to_db(result.next_due_at),
            to_db(now),
            result.looks_asked,
        )
        .execute(self.connection())
        .await?;
        Ok(finished.rows_affected() == 1)
    }

    /// Gives the lease back without a result; the work stays due.
    pub async fn installation_release(
        &mut self,
        instance: InstanceId,
        token: Uuid,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update installations set lease_token = null, lease_expires_at = null
             where tenant_id = $1 and instance_id = $2 and lease_token = $3",
            tenant_id,
            instance.0,
            token,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl Store {
    /// Takes the lease of the installation that is due longest, that nobody works on, and in whose account and region
    /// nobody works on another: two would only take turns from each other.
    pub async fn installation_lease(
        &self,
        token: Uuid,
        now: Timestamp,
        until: Timestamp,
    ) -> Result<Option<LeasedInstallation>, StoreError> {
        let mut tx = self.system("the reconciler serves every tenant").await?;
        let row = sqlx::query!(
            r#"update installations n set lease_token = $1, lease_expires_at = $3
             from instances i, connections c
             where (n.tenant_id, n.instance_id) = (
                     select due.tenant_id, due.instance_id
                     from installations due
                     join instances at on at.tenant_id = due.tenant_id and at.id = due.instance_id
                     join connections by on by.tenant_id = at.tenant_id and by.id = at.connection_id
                     where due.next_due_at <= $2 and (due.lease_expires_at is null or due.lease_expires_at <= $2)
                         and not exists (
                             select 1 from installations other
                             join instances there on there.tenant_id = other.tenant_id and there.id = other.instance_id
                             join connections of on of.tenant_id = there.tenant_id and of.id = there.connection_id
                             where other.lease_expires_at > $2
                                 and of.account_id = by.account_id and there.region = at.region
                         )
                     order by due.next_due_at limit 1 for update of due skip locked
                 )
                 and i.tenant_id = n.tenant_id and i.id = n.instance_id
                 and c.tenant_id = i.tenant_id and c.id = i.connection_id
             returning n.tenant_id, n.instance_id, n.desired, n.generation, n.observed_generation, n.state, n.conditions,
                 n.updated_at, n.attempts, n.looks_asked, i.instance_arn, i.health, i.checks, i.checked_at,
                 c.id as connection_id, c.installer_role_arn,
                 array_remove(array[c.external_id, c.pending_external_id, c.former_external_id], null) as "external_ids!""#,
            token,
            to_db(now),
            to_db(until),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let instance_arn = row
            .instance_arn
            .parse()
            .map_err(|err| StoreError::Corrupt {
                what: "instances.instance_arn",
                detail: format!("{}: {err}", InstanceId(row.instance_id)),
            })?;
        Ok(Some(LeasedInstallation {
            tenant: TenantId(row.tenant_id),
            attempts: u32::try_from(row.attempts).unwrap_or_default(),
            instance_arn,
            connection: ConnectionId(row.connection_id),
            installer_role_arn: row.installer_role_arn,
            external_ids: row.external_ids,
            looks_asked: row.looks_asked,
            check: InstanceCheck {
                health: ConnectionHealth::parse(&row.health, InstanceId(row.instance_id))?,
                checks: row.checks,
                checked_at: from_db_opt(row.checked_at)?,
            },
            installation: Installation::try_from(Row {
                instance_id: row.instance_id,
                desired: row.desired,
                generation: row.generation,
                observed_generation: row.observed_generation,
                state: row.state,
                conditions: row.conditions,
                updated_at: row.updated_at,
            })?,
        }))
    }
}

impl TryFrom<Row> for Installation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let instance = InstanceId(row.instance_id);
        let corrupt = |what: &'static str| StoreError::Corrupt {
            what,
            detail: instance.to_string(),
        };
        Ok(Self {
            instance,
            request: row
                .desired
                .map(|document| {
                    read_request(document).ok_or_else(|| corrupt("installations.desired"))
                })
                .transpose()?,
            generation: unsigned(row.generation, "installations.generation")?,
            observed_generation: unsigned(
                row.observed_generation,
                "installations.observed_generation",
            )?,
            state: InstallationState::parse(&row.state)
                .ok_or_else(|| corrupt("installations.state"))?,
            conditions: read_conditions(row.conditions)
                .ok_or_else(|| corrupt("installations.conditions"))?,
            updated_at: from_db(row.updated_at)?,
        })
    }
}

fn write_request(request: &InstallationRequest) -> Value {
    let document = RequestDocument {
        queues: match &request.queues {
            QueueSelection::All => QueuesDocument::All("all".to_owned()),
            QueueSelection::Only(ids) => QueuesDocument::Only(ids.clone()),
        },
        existing_whisper: request.existing_whisper.as_str().to_owned(),
        drift: request.drift.as_str().to_owned(),
        prefix_filter: request.prefix_filter.clone(),
        on_limiter_unavailable: request.on_limiter_unavailable.as_str().to_owned(),
    };
    serde_json::to_value(document).unwrap_or_default()
}

fn read_request(document: Value) -> Option<InstallationRequest> {
    let document: RequestDocument = serde_json::from_value(document).ok()?;
    Some(InstallationRequest {
        queues: match document.queues {
            QueuesDocument::All(word) if word == "all" => QueueSelection::All,
            QueuesDocument::All(_) => return None,
            QueuesDocument::Only(ids) => QueueSelection::Only(ids),
        },
        existing_whisper: ExistingWhisper::parse(&document.existing_whisper)?,
        drift: Drift::parse(&document.drift)?,
        prefix_filter: document.prefix_filter,
        on_limiter_unavailable: OnLimiterUnavailable::parse(&document.on_limiter_unavailable)?,
    })
}

fn write_conditions(conditions: &[Condition]) -> Value {
    let documents: Vec<ConditionDocument> = conditions
        .iter()
        .map(|condition| ConditionDocument {
            kind: condition.kind.as_str().to_owned(),
            status: condition.status.as_str().to_owned(),
            reason: condition.reason.clone(),
            message: condition.message.clone(),
            last_transition_at: condition.last_transition_at,
        })
        .collect();
    serde_json::to_value(documents).unwrap_or_default()
}

fn read_conditions(documents: Value) -> Option<Vec<Condition>> {
    let documents: Vec<ConditionDocument> = serde_json::from_value(documents).ok()?;
    documents
        .into_iter()
        .map(|document| {
            Some(Condition {
                kind: ConditionType::parse(&document.kind)?,
                status: ConditionStatus::parse(&document.status)?,
                reason: document.reason,
                message: document.message,
                last_transition_at: document.last_transition_at,
            })
        })
        .collect()
}
