//! Decisions as they come from the limiters' stream, and how far each shard has been read.

use std::collections::BTreeMap;

use jiff::Timestamp;
use ringfence_policy::wire::v1::Outcome;
use serde_json::Value;
use sqlx::{Connection as _, PgConnection};
use time::OffsetDateTime;

use super::call_events::call_event_put;
use super::notice_agents::notice_agent_ask;
use super::notices::{NewNotice, notice_put};
use super::time::to_db;
use super::usage::UsageTally;
use super::{CallEvent, CallTold, Store, StoreError};
use crate::domain::ids::{DecisionId, InstanceId, TenantId};

/// One shard of one stream of one region.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ShardName {
    pub region: String,
    pub stream_arn: String,
    pub shard_id: String,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// The last record that was stored; none: nothing yet.
    pub sequence_number: Option<String>,
    /// Read to the end of a closed shard.
    pub finished: bool,
}

#[derive(Debug, Clone)]
pub struct NewDecision {
    /// Used only when the attempt is new here.
    pub id: DecisionId,
    /// Where in the stream it stands: what the log names when it cannot be stored.
    pub sequence_number: String,
    /// Whom the limiter took the attempt for; none where it could read no policy. Whose it is then, the ARN alone says.
    pub owner: Option<(TenantId, InstanceId)>,
    pub instance_arn: String,
    pub contact_id: String,
    pub at: Timestamp,
    pub outcome: &'static str,
    pub rule_id: Option<String>,
    pub record: Value,
    /// What the limiter left to be told.
    pub notice: Option<NewNotice>,
    /// The agent who was told, or is to be.
    pub told_agent: Option<String>,
    /// What webhooks are told of it.
    pub events: Vec<CallEvent>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stored {
    Now {
        /// Sequence numbers of what the database refused, where that was asked to be passed over.
        refused: Vec<String>,
        /// How many were of instances that nobody has proved.
        unowned: usize,
    },
    /// The checkpoint no longer stood where the batch began; nothing was stored.
    Overtaken,
}

impl Store {
    pub async fn checkpoint_list(
        &self,
        region: &str,
        stream_arn: &str,
    ) -> Result<BTreeMap<String, Checkpoint>, StoreError> {
        let mut tx = self
            .system("the stream holds every tenant's decisions")
            .await?;
        let rows = sqlx::query!(
            "select shard_id, sequence_number, finished from stream_checkpoints where region = $1 and stream_arn = $2",
            region,
            stream_arn,
        )
        .fetch_all(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(rows
            .into_iter()
            .map(|row| {
                let checkpoint = Checkpoint {
                    sequence_number: row.sequence_number,
                    finished: row.finished,
                };
                (row.shard_id, checkpoint)
            })
            .collect())
    }

    /// Stores the decisions, with the notices that are still to be sent, and moves the shard's checkpoint, all or
    /// nothing. Decisions on instances that their tenant
    /// has not proved are left out: nobody may see them. With `pass_over`, a decision that the database refuses keeps
    /// no other back.
    pub async fn decisions_ingest(
        &self,
        shard: &ShardName,
        from: &Checkpoint,
        to: &Checkpoint,
        decisions: &[NewDecision],
        pass_over: bool,
        now: Timestamp,
    ) -> Result<Stored, StoreError> {
        let mut tx = self
            .system("the stream holds every tenant's decisions")
            .await?;
        let moved = sqlx::query!(
            "insert into stream_checkpoints (region, stream_arn, shard_id, sequence_number, finished, updated_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict on constraint stream_checkpoints_pkey do update
             set sequence_number = excluded.sequence_number, finished = excluded.finished, updated_at = excluded.updated_at
             where stream_checkpoints.sequence_number is not distinct from $7
                 and stream_checkpoints.finished = $8",
            shard.region,
            shard.stream_arn,
            shard.shard_id,
            to.sequence_number,
            to.finished,
            to_db(now),
            from.sequence_number,
            from.finished,
        )
        .execute(tx.connection())
        .await?;
        if moved.rows_affected() == 0 {
            return Ok(Stored::Overtaken);
        }
        let mut refused = Vec::new();
        let mut unowned = 0;
        let mut usage = UsageTally::default();
        for decision in decisions {
            if !pass_over {
                let stored = decision_put(tx.connection(), decision, now).await?;
                unowned += usize::from(stored.is_none());
                count(&mut usage, decision, stored);
                continue;
            }
            let mut savepoint = tx.connection().begin().await?;
            match decision_put(&mut savepoint, decision, now).await {
                Ok(stored) => {
                    savepoint.commit().await?;
                    unowned += usize::from(stored.is_none());
                    count(&mut usage, decision, stored);
                }
                Err(StoreError::Database(_)) => {
                    savepoint.rollback().await?;
                    refused.push(decision.sequence_number.clone());
                }
                Err(err) => return Err(err),
            }
        }
        usage.write(tx.connection()).await?;
        tx.commit().await?;
        Ok(Stored::Now { refused, unowned })
    }
}

/// A decision as it stands now, and what stood of the same attempt before.
struct StoredNow {
    tenant: TenantId,
    id: DecisionId,
    before: Option<Before>,
}

struct Before {
    at: OffsetDateTime,
    outcome: String,
    /// The ids of the rules whose limits it had come near to: a list.
    near: Value,
}

impl Before {
    fn said(&self, what: &CallTold) -> bool {
        match what {
            CallTold::Denied => {
                let denied = [Outcome::Denied, Outcome::FailedClosed].map(Outcome::as_str);
                denied.contains(&self.outcome.as_str())
            }
            CallTold::Near { rule_id } => {
                let mut near = self.near.as_array().into_iter().flatten();
                near.any(|rule| rule == rule_id.as_str())
            }
        }
    }
}

/// Once for each attempt, however many records of it come.
fn count(usage: &mut UsageTally, decision: &NewDecision, stored: Option<StoredNow>) {
    let Some(stored) = stored else { return };
    if let Some(before) = stored.before {
        usage.add(stored.tenant, before.at, &before.outcome, -1);
    }
    usage.add(stored.tenant, to_db(decision.at), decision.outcome, 1);
}

/// None: no tenant has proved the instance, or another one than the limiter took it for.
async fn decision_put(
    connection: &mut PgConnection,
    decision: &NewDecision,
    now: Timestamp,
) -> Result<Option<StoredNow>, StoreError> {
    let stored = sqlx::query!(
        r#"with owner as (
             select tenant_id, id from instances
             where instance_arn = $3 and verified_at is not null
                 and ($1::uuid is null or tenant_id = $1) and ($2::uuid is null or id = $2)
         ), before as (
             select d.at, d.outcome,
                 jsonb_path_query_array(d.record, '$.rules[*] ? (@.near == true).rule_id') as near
             from decisions d
             join owner on owner.tenant_id = d.tenant_id and owner.id = d.instance_id
             where d.contact_id = $5
         ), put as (
             insert into decisions (tenant_id, id, instance_id, contact_id, at, outcome, rule_id, record)
             select owner.tenant_id, $4, owner.id, $5, $6, $7, $8, $9 from owner
             on conflict on constraint decisions_contact_once do update
             set at = excluded.at, outcome = excluded.outcome, rule_id = excluded.rule_id,
                 record = case when decisions.erased then decisions.record else excluded.record end
             returning tenant_id, id, erased
         )
         select put.tenant_id, put.id, put.erased, before.at as "at?", before.outcome as "outcome?",
             before.near as "near?"
         from put left join before on true"#,
        decision.owner.map(|(tenant, _)| tenant.0),
        decision.owner.map(|(_, instance)| instance.0),
        decision.instance_arn,
        decision.id.0,
        decision.contact_id,
        to_db(decision.at),
        decision.outcome,
        decision.rule_id,
        decision.record,
    )
    .fetch_optional(&mut *connection)
    .await?;
    let Some(row) = stored else { return Ok(None) };
    let stored = StoredNow {
        tenant: TenantId(row.tenant_id),
        id: DecisionId(row.id),
        before: match (row.at, row.outcome, row.near) {
            (Some(at), Some(outcome), Some(near)) => Some(Before { at, outcome, near }),
            _ => None,
        },
    };
    // Whatever else this record leads to would name the number again.
    if row.erased {
        return Ok(Some(stored));
    }
    if let Some(notice) = &decision.notice {
        notice_put(&mut *connection, decision, notice, now).await?;
    }
    if let Some(agent_arn) = &decision.told_agent {
        notice_agent_ask(&mut *connection, decision, agent_arn, now).await?;
    }
    for event in &decision.events {
        let told = stored.before.as_ref();
        if !told.is_some_and(|before| before.said(&event.what)) {
            call_event_put(connection, stored.tenant, stored.id, event, now).await?;
        }
    }
    Ok(Some(stored))
}
