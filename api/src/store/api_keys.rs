//! API keys of tenants: only a hash of the secret is kept.

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, from_db_opt, to_db};
use super::{StoreError, SystemTx, TenantTx};
use crate::domain::ids::{ApiKeyId, TenantId};
use crate::domain::role::Role;

#[derive(Debug, Clone)]
pub struct ApiKey {
    pub id: ApiKeyId,
    pub tenant_id: TenantId,
    pub name: String,
    pub role: Role,
    /// The permissions out of the role that it is narrowed to; none: all of them.
    pub scopes: Option<Vec<String>>,
    /// How the key begins, to tell keys apart.
    pub prefix: String,
    /// Until when the secret before the last rotation works.
    pub previous_until: Option<Timestamp>,
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
    pub last_used_at: Option<Timestamp>,
}

#[derive(Debug)]
pub struct NewApiKey<'a> {
    pub id: ApiKeyId,
    pub name: &'a str,
    pub role: Role,
    pub scopes: Option<&'a [String]>,
    pub prefix: &'a str,
    pub secret_sha256: &'a [u8],
    pub created_at: Timestamp,
    pub expires_at: Option<Timestamp>,
}

/// What a rotation puts in the place of a key's secret.
#[derive(Debug)]
pub struct NewSecret<'a> {
    pub sha256: &'a [u8],
    pub prefix: &'a str,
    /// How long the secret before goes on working; none: it ends at once.
    pub previous_until: Option<Timestamp>,
    pub now: Timestamp,
}

struct Row {
    tenant_id: Uuid,
    id: Uuid,
    name: String,
    role: String,
    scopes: Option<Vec<String>>,
    prefix: String,
    previous_until: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    expires_at: Option<OffsetDateTime>,
    last_used_at: Option<OffsetDateTime>,
}

impl TryFrom<Row> for ApiKey {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let role = row.role.parse().map_err(|_| StoreError::Corrupt {
            what: "api_keys.role",
            detail: ApiKeyId(row.id).to_string(),
        })?;
        Ok(Self {
            id: ApiKeyId(row.id),
            tenant_id: TenantId(row.tenant_id),
            name: row.name,
            role,
            scopes: row.scopes,
            prefix: row.prefix,
            previous_until: from_db_opt(row.previous_until)?,
            created_at: from_db(row.created_at)?,
            expires_at: from_db_opt(row.expires_at)?,
            last_used_at: from_db_opt(row.last_used_at)?,
        })
    }
}

impl TenantTx {
    pub async fn api_key_insert(&mut self, key: &NewApiKey<'_>) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into api_keys (tenant_id, id, name, role, prefix, secret_sha256, created_at, expires_at, scopes)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            tenant_id,
            key.id.0,
            key.name,
            key.role.as_str(),
            key.prefix,
            key.secret_sha256,
            to_db(key.created_at),
            key.expires_at.map(to_db),
            key.scopes,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Keys that have not been revoked, in the order of their making.
    pub async fn api_key_list(
        &mut self,
        after: Option<ApiKeyId>,
        limit: i64,
    ) -> Result<Vec<ApiKey>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select tenant_id, id, name, role, scopes, prefix, previous_until, created_at, expires_at, last_used_at
             from api_keys
             where tenant_id = $1 and revoked_at is null and ($2::uuid is null or id > $2) order by id limit $3",
            tenant_id,
            after.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(ApiKey::try_from).collect()
    }

    /// Whether the key is neither revoked nor expired.
    pub async fn api_key_works(
        &mut self,
        id: ApiKeyId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let works = sqlx::query_scalar!(
            r#"select exists (
                   select from api_keys where tenant_id = $1 and id = $2
                       and revoked_at is null and (expires_at is null or expires_at > $3)
               ) as "works!""#,
            tenant_id,
            id.0,
            to_db(now),
        )
        .fetch_one(self.connection())
        .await?;
        Ok(works)
    }

    /// As [`Self::api_key_works`], until the transaction ends.
    pub async fn api_key_hold(&mut self, id: ApiKeyId, now: Timestamp) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let held = sqlx::query_scalar!(
            "select id from api_keys where tenant_id = $1 and id = $2
                 and revoked_at is null and (expires_at is null or expires_at > $3)
             for share",
            tenant_id,
            id.0,
            to_db(now),
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(held.is_some())
    }

    /// A key that has not been revoked; it stays so until the transaction ends.
    pub async fn api_key_lock(&mut self, id: ApiKeyId) -> Result<Option<ApiKey>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select tenant_id, id, name, role, scopes, prefix, previous_until, created_at, expires_at, last_used_at
             from api_keys where tenant_id = $1 and id = $2 and revoked_at is null for update",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(ApiKey::try_from).transpose()
    }

    /// The secret before is kept for as long as it works; one before that is forgotten.
    pub async fn api_key_rotate(
        &mut self,
        id: ApiKeyId,
        new: &NewSecret<'_>,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update api_keys set secret_sha256 = $3, prefix = $4, rotated_at = $6, previous_until = $5,
                 previous_sha256 = case when $5::timestamptz is null then null else secret_sha256 end
             where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
            new.sha256,
            new.prefix,
            new.previous_until.map(to_db),
            to_db(new.now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn api_key_revoke(&mut self, id: ApiKeyId, now: Timestamp) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update api_keys set revoked_at = $3 where tenant_id = $1 and id = $2 and revoked_at is null",
            tenant_id,
            id.0,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// The key that has this secret, or had it before a rotation that is still within its overlap, if it may be used now.
    pub async fn api_key_find(
        &mut self,
        secret_sha256: &[u8],
        now: Timestamp,
    ) -> Result<Option<ApiKey>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select tenant_id, id, name, role, scopes, prefix, previous_until, created_at, expires_at, last_used_at
             from api_keys
             where (secret_sha256 = $1 or (previous_sha256 = $1 and previous_until > $2))
                 and revoked_at is null and (expires_at is null or expires_at > $2)",
            secret_sha256,
            to_db(now),
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(ApiKey::try_from).transpose()
    }

    /// Never backwards: processes write in any order.
    pub async fn api_key_used(
        &mut self,
        tenant: TenantId,
        id: ApiKeyId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update api_keys set last_used_at = $3
             where tenant_id = $1 and id = $2 and (last_used_at is null or last_used_at < $3)",
            tenant.0,
            id.0,
            to_db(at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
