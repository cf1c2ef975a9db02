//! Whether the agents who are sent notices take tasks at all, as far as it is known.
//!
//! A notice to an agent asks for it, unless it was found out lately; a worker finds it out. What was found decides how
//! decisions are shown, and nothing else.

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;

use super::time::to_db;
use super::{NewDecision, Store, StoreError};
use crate::domain::ids::{InstanceId, TenantId};
use crate::domain::instance_arn::InstanceArn;

/// Routing profiles seldom change …
const GOOD_FOR: SignedDuration = SignedDuration::from_hours(24);
/// … but whoever reads that an agent takes no tasks puts it right.
const BAD_FOR: SignedDuration = SignedDuration::from_mins(10);

/// An agent to be looked up through the installer role.
#[derive(Debug, Clone)]
pub struct NoticeAgent {
    pub tenant: TenantId,
    pub instance: InstanceId,
    pub instance_arn: InstanceArn,
    pub installer_role_arn: String,
    /// Those that the role may accept, the present one first.
    pub external_ids: Vec<String>,
    pub agent_arn: String,
}

impl NoticeAgent {
    /// The id at the end of the ARN.
    #[must_use]
    pub fn agent_id(&self) -> &str {
        self.agent_arn.rsplit('/').next().unwrap_or_default()
    }
}

pub(super) async fn notice_agent_ask(
    connection: &mut PgConnection,
    decision: &NewDecision,
    agent_arn: &str,
    now: Timestamp,
) -> Result<(), StoreError> {
    let before = |span| to_db(now.checked_sub(span).unwrap_or(Timestamp::MIN));
    sqlx::query!(
        "insert into notice_agents (tenant_id, instance_id, agent_arn, due_at)
         select i.tenant_id, i.id, $2, $3
         from instances i
         where i.instance_arn = $1 and i.verified_at is not null
         on conflict on constraint notice_agents_pkey do update set due_at = excluded.due_at
         where notice_agents.due_at is null
             and notice_agents.checked_at < case when notice_agents.takes_tasks is false then $5::timestamptz
                                                 else $4::timestamptz end",
        decision.instance_arn,
        agent_arn,
        to_db(now),
        before(GOOD_FOR),
        before(BAD_FOR),
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Takes the agent who is due longest and puts the question off, so that other processes leave it alone for a while.
    pub async fn notice_agent_take_due(
        &self,
        now: Timestamp,
        put_off_to: Timestamp,
    ) -> Result<Option<NoticeAgent>, StoreError> {
        let mut tx = self.system("the notice worker serves every tenant").await?;
        let row = sqlx::query!(
            r#"update notice_agents a set due_at = $2
             from instances i, connections c
             where (a.tenant_id, a.instance_id, a.agent_arn) = (
                     select tenant_id, instance_id, agent_arn from notice_agents
                     where due_at <= $1 order by due_at limit 1 for update skip locked
                 )
                 and i.tenant_id = a.tenant_id and i.id = a.instance_id
                 and c.tenant_id = i.tenant_id and c.id = i.connection_id
             returning a.tenant_id, a.instance_id, a.agent_arn, i.instance_arn, c.installer_role_arn,
                 array_remove(array[c.external_id, c.pending_external_id, c.former_external_id], null) as "external_ids!""#,
            to_db(now),
            to_db(put_off_to),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        let Some(row) = row else { return Ok(None) };
        let instance = InstanceId(row.instance_id);
        Ok(Some(NoticeAgent {
            tenant: TenantId(row.tenant_id),
            instance,
            instance_arn: row.instance_arn.parse().map_err(|_| StoreError::Corrupt {
                what: "instances.instance_arn",
                detail: instance.to_string(),
            })?,
            installer_role_arn: row.installer_role_arn,
            external_ids: row.external_ids,
            agent_arn: row.agent_arn,
        }))
    }

    /// The question is answered, if only by "cannot be known"; the next notice asks again, later on.
    pub async fn notice_agent_answer(
        &self,
        agent: &NoticeAgent,
        takes_tasks: Option<bool>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(agent.tenant).await?;
        sqlx::query!(
            "update notice_agents
             set takes_tasks = $4, checked_at = $5, due_at = null,
                 took_tasks_at = case when $4 then $5 else took_tasks_at end
             where tenant_id = $1 and instance_id = $2 and agent_arn = $3",
            agent.tenant.0,
            agent.instance.0,
            agent.agent_arn,
            takes_tasks,
            to_db(now),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }
}
