//! Policies: a tenant's default or an instance's own; every version stays as it was put.

use jiff::Timestamp;
use ringfence_policy::Policy;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::{InstanceId, PolicyId};
use crate::domain::precondition::Precondition;

/// One version as it was put.
#[derive(Debug, Clone)]
pub struct PolicyVersion {
    pub policy_id: PolicyId,
    pub version: i64,
    pub policy: Policy,
    pub created_at: Timestamp,
    pub created_by: String,
}

/// A new version; `instance` none means the tenant's default.
#[derive(Debug)]
pub struct PutPolicy<'a> {
    /// Taken when there is no policy yet.
    pub new_id: PolicyId,
    pub instance: Option<InstanceId>,
    pub policy: &'a Policy,
    pub expected: &'a Precondition,
    pub now: Timestamp,
    pub by: &'a str,
}

/// What became of a put.
#[derive(Debug)]
pub enum Put {
    Stored {
        before: Option<Box<PolicyVersion>>,
        after: Box<PolicyVersion>,
    },
    /// What is there is not what the caller expects; zero: nothing is.
    Stale { current: i64 },
}

struct Row {
    policy_id: Uuid,
    version: i64,
    document: Value,
    created_at: OffsetDateTime,
    created_by: String,
}

impl TryFrom<Row> for PolicyVersion {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let policy_id = PolicyId(row.policy_id);
        let policy = serde_json::from_value(row.document).map_err(|err| StoreError::Corrupt {
            what: "policy_versions.document",
            detail: format!("{policy_id} version {}: {err}", row.version),
        })?;
        Ok(Self {
            policy_id,
            version: row.version,
            policy,
            created_at: from_db(row.created_at)?,
            created_by: row.created_by,
        })
    }
}

impl TenantTx {
    /// The version in force; none where there is no such policy, or an instance goes by the tenant's default.
    pub async fn policy_current(
        &mut self,
        instance: Option<InstanceId>,
    ) -> Result<Option<PolicyVersion>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select v.policy_id, v.version, v.document, v.created_at, v.created_by
             from policies p
             join policy_versions v on v.tenant_id = p.tenant_id and v.policy_id = p.id and v.version = p.version
             where p.tenant_id = $1 and p.instance_id is not distinct from $2 and p.removed_at is null",
            tenant_id,
            instance.map(|id| id.0),
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(PolicyVersion::try_from).transpose()
    }

    /// Stores the next version, unless the present one is not what the caller expects.
    pub async fn policy_put(&mut self, put: &PutPolicy<'_>) -> Result<Put, StoreError> {
        let tenant_id = self.tenant_id().0;
        let existing = sqlx::query!(
            "select id, version, removed_at is not null as \"removed!\" from policies
             where tenant_id = $1 and instance_id is not distinct from $2 for update",
            tenant_id,
            put.instance.map(|id| id.0),
        )
        .fetch_optional(self.connection())
        .await?;
        let current = existing
            .as_ref()
            .filter(|row| !row.removed)
            .map_or(0, |row| row.version);
        if !put.expected.holds(current) {
            return Ok(Put::Stale { current });
        }
        let before = self.policy_current(put.instance).await?;
        let (id, version) = match existing {
            Some(row) => (PolicyId(row.id), row.version.saturating_add(1)),
            None => (put.new_id, 1),
        };
        sqlx::query!(
            "insert into policies (tenant_id, id, instance_id, version, created_at) values ($1, $2, $3, $4, $5)
             on conflict (tenant_id, id) do update set version = excluded.version, removed_at = null",
            tenant_id,
            id.0,
            put.instance.map(|id| id.0),
            version,
            to_db(put.now),
        )
        .execute(self.connection())
        .await?;
        let document = serde_json::to_value(put.policy).map_err(|err| StoreError::Corrupt {
            what: "a policy to be stored",
            detail: err.to_string(),
        })?;
        sqlx::query!(
            "insert into policy_versions (tenant_id, policy_id, version, document, created_at, created_by)
             values ($1, $2, $3, $4, $5, $6)",
            tenant_id,
            id.0,
            version,
            document,
            to_db(put.now),
            put.by,
        )
        .execute(self.connection())
        .await?;
        let after = PolicyVersion {
            policy_id: id,
            version,
            policy: put.policy.clone(),
            created_at: put.now,
            created_by: put.by.to_owned(),
        };
        Ok(Put::Stored {
            before: before.map(Box::new),
            after: Box::new(after),
        })
    }

    /// Lets an instance go by the tenant's default again; whether `seen` still was the version of its own policy.
    pub async fn policy_remove(
        &mut self,
        instance: InstanceId,
        seen: i64,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let done = sqlx::query!(
            "update policies set removed_at = $4
             where tenant_id = $1 and instance_id = $2 and version = $3 and removed_at is null",
            tenant_id,
            instance.0,
            seen,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Newest first, those before `before`.
    pub async fn policy_version_list(
        &mut self,
        instance: Option<InstanceId>,
        before: Option<i64>,
        limit: i64,
    ) -> Result<Vec<PolicyVersion>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select v.policy_id, v.version, v.document, v.created_at, v.created_by
             from policies p
             join policy_versions v on v.tenant_id = p.tenant_id and v.policy_id = p.id
             where p.tenant_id = $1 and p.instance_id is not distinct from $2
                 and ($3::bigint is null or v.version < $3)
             order by v.version desc limit $4",
            tenant_id,
            instance.map(|id| id.0),
            before,
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(PolicyVersion::try_from).collect()
    }

    /// One version, whoever's policy it is within the tenant.
    pub async fn policy_version_get(
        &mut self,
        id: PolicyId,
        version: u64,
    ) -> Result<Option<Policy>, StoreError> {
        let Ok(version) = i64::try_from(version) else {
            return Ok(None);
        };
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select policy_id, version, document, created_at, created_by from policy_versions
             where tenant_id = $1 and policy_id = $2 and version = $3",
            tenant_id,
            id.0,
            version,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row
            .map(PolicyVersion::try_from)
            .transpose()?
            .map(|version| version.policy))
    }
}
