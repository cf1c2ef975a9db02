//! Instances with all that is shown beside them, in one statement however many there are.

use jiff::Timestamp;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::publications::unsigned;
use super::time::{from_db, from_db_opt};
use super::{Connection, ConnectionHealth, Instance, InstanceCheck, StoreError, TenantTx};
use crate::domain::ids::{ConnectionId, InstanceId, PolicyId};
use crate::domain::installation::InstallationState;

/// A policy at one of its versions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyAt {
    pub id: PolicyId,
    pub version: u64,
}

#[derive(Debug, Clone)]
pub struct InstanceView {
    pub instance: Instance,
    pub connection: Connection,
    pub check: InstanceCheck,
    pub installation: Option<InstallationState>,
    pub own_policy: Option<PolicyAt>,
    pub default_policy: Option<PolicyAt>,
    /// What limiters read now.
    pub in_force: Option<PolicyAt>,
}

struct Row {
    id: Uuid,
    connection_id: Uuid,
    instance_arn: String,
    name: String,
    verified_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    account_id: String,
    external_id: String,
    pending_external_id: Option<String>,
    former_external_id: Option<String>,
    installer_role_arn: String,
    runtime_role_arn: String,
    former_runtime_role_arn: Option<String>,
    access_changed_at: Option<OffsetDateTime>,
    connected_at: OffsetDateTime,
    health: String,
    checks: Value,
    checked_at: Option<OffsetDateTime>,
    installation_state: Option<String>,
    own_id: Option<Uuid>,
    own_version: Option<i64>,
    default_id: Option<Uuid>,
    default_version: Option<i64>,
    in_force_id: Option<Uuid>,
    in_force_version: Option<i64>,
}

fn policy_at(id: Option<Uuid>, version: Option<i64>) -> Result<Option<PolicyAt>, StoreError> {
    let (Some(id), Some(version)) = (id, version) else {
        return Ok(None);
    };
    Ok(Some(PolicyAt {
        id: PolicyId(id),
        version: unsigned(version, "a policy's version")?,
    }))
}

impl TryFrom<Row> for InstanceView {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = InstanceId(row.id);
        let corrupt = |what: &'static str| StoreError::Corrupt {
            what,
            detail: id.to_string(),
        };
        let verified_at: Option<Timestamp> = from_db_opt(row.verified_at)?;
        Ok(Self {
            instance: Instance {
                id,
                connection_id: ConnectionId(row.connection_id),
                arn: row
                    .instance_arn
                    .parse()
                    .map_err(|_| corrupt("instances.instance_arn"))?,
                name: row.name,
                verified_at,
                created_at: from_db(row.created_at)?,
            },
            connection: Connection {
                id: ConnectionId(row.connection_id),
                account_id: row.account_id,
                external_id: row.external_id,
                pending_external_id: row.pending_external_id,
                former_external_id: row.former_external_id,
                installer_role_arn: row.installer_role_arn,
                runtime_role_arn: row.runtime_role_arn,
                former_runtime_role_arn: row.former_runtime_role_arn,
                access_changed_at: from_db_opt(row.access_changed_at)?,
                created_at: from_db(row.connected_at)?,
            },
            check: InstanceCheck {
                health: ConnectionHealth::parse(&row.health, id)?,
                checks: row.checks,
                checked_at: from_db_opt(row.checked_at)?,
            },
            installation: row
                .installation_state
                .map(|state| {
                    InstallationState::parse(&state).ok_or_else(|| corrupt("installations.state"))
                })
                .transpose()?,
            own_policy: policy_at(row.own_id, row.own_version)?,
            default_policy: policy_at(row.default_id, row.default_version)?,
            in_force: policy_at(row.in_force_id, row.in_force_version)?,
        })
    }
}

impl TenantTx {
    /// In the order of their registration, those after `after`.
    pub async fn instance_view_list(
        &mut self,
        after: Option<InstanceId>,
        limit: i64,
    ) -> Result<Vec<InstanceView>, StoreError> {
        self.views(None, after, limit).await
    }

    pub async fn instance_view_get(
        &mut self,
        id: InstanceId,
    ) -> Result<Option<InstanceView>, StoreError> {
        Ok(self.views(Some(id), None, 1).await?.pop())
    }

    async fn views(
        &mut self,
        only: Option<InstanceId>,
        after: Option<InstanceId>,
        limit: i64,
    ) -> Result<Vec<InstanceView>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            r#"select i.id, i.connection_id, i.instance_arn, i.name, i.verified_at, i.created_at,
                    c.account_id, c.external_id, c.pending_external_id, c.former_external_id,
                    c.installer_role_arn, c.runtime_role_arn, c.former_runtime_role_arn, c.access_changed_at,
                    c.created_at as connected_at, i.health, i.checks, i.checked_at,
                    n.state as "installation_state?",
                    own.id as "own_id?", own.version as "own_version?",
                    def.id as "default_id?", def.version as "default_version?",
                    p.policy_id as "in_force_id?", p.policy_version as "in_force_version?"
             from instances i
             join connections c on c.tenant_id = i.tenant_id and c.id = i.connection_id
             left join installations n on n.tenant_id = i.tenant_id and n.instance_id = i.id
             left join policies own
                 on own.tenant_id = i.tenant_id and own.instance_id = i.id and own.removed_at is null
             left join policies def
                 on def.tenant_id = i.tenant_id and def.instance_id is null and def.removed_at is null
             left join publications p
                 on p.tenant_id = i.tenant_id and p.instance_id = i.id and p.active and p.published > 0
             where i.tenant_id = $1 and ($2::uuid is null or i.id = $2) and ($3::uuid is null or i.id > $3)
             order by i.id limit $4"#,
            tenant_id,
            only.map(|id| id.0),
            after.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(InstanceView::try_from).collect()
    }
}
