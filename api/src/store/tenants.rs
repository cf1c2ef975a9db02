//! Tenants.

use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, to_db};
use super::{Membership, StoreError, SystemTx, TenantTx};
use crate::domain::ids::TenantId;
use crate::domain::tenant::{Tenant, TenantStatus};

struct Row {
    id: Uuid,
    name: String,
    home_region: String,
    status: String,
    created_at: OffsetDateTime,
}

impl TryFrom<Row> for Tenant {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let status = TenantStatus::parse(&row.status).ok_or(StoreError::Corrupt {
            what: "tenants.status",
            detail: TenantId(row.id).to_string(),
        })?;
        Ok(Self {
            id: TenantId(row.id),
            name: row.name,
            home_region: row.home_region,
            status,
            created_at: from_db(row.created_at)?,
        })
    }
}

impl SystemTx {
    pub async fn tenant_insert(&mut self, tenant: &Tenant) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into tenants (id, name, home_region, status, created_at) values ($1, $2, $3, $4, $5)",
            tenant.id.0,
            tenant.name,
            tenant.home_region,
            tenant.status.as_str(),
            to_db(tenant.created_at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn tenant_get(&mut self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select id, name, home_region, status, created_at from tenants where id = $1",
            id.0
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Tenant::try_from).transpose()
    }

    /// As [`TenantTx::tenant_hold`].
    pub async fn tenant_hold(&mut self, id: TenantId) -> Result<Option<Tenant>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select id, name, home_region, status, created_at from tenants where id = $1 for key share",
            id.0
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Tenant::try_from).transpose()
    }

    /// Before anything of these memberships is locked: whoever changes a tenant alone holds it first, and may wait for a member
    /// or a session of it.
    pub async fn tenants_hold(&mut self, memberships: &[Membership]) -> Result<(), StoreError> {
        let ids: Vec<Uuid> = memberships.iter().map(|one| one.tenant.id.0).collect();
        sqlx::query!(
            "select id from tenants where id = any($1) order by id for key share",
            &ids,
        )
        .fetch_all(self.connection())
        .await?;
        Ok(())
    }

    /// In the order of their making, those after `after`.
    pub async fn tenant_list(
        &mut self,
        after: Option<TenantId>,
        limit: i64,
    ) -> Result<Vec<Tenant>, StoreError> {
        let rows = sqlx::query_as!(
            Row,
            "select id, name, home_region, status, created_at from tenants
             where $1::uuid is null or id > $1 order by id limit $2",
            after.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Tenant::try_from).collect()
    }
}

impl TenantTx {
    /// The tenant itself; none when the operator named one that is not there.
    pub async fn tenant_self(&mut self) -> Result<Option<Tenant>, StoreError> {
        let id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, name, home_region, status, created_at from tenants where id = $1",
            id
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Tenant::try_from).transpose()
    }

    /// It stays as it is until this transaction ends, for as many as hold it at the same time.
    pub async fn tenant_hold(&mut self) -> Result<Option<Tenant>, StoreError> {
        let id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, name, home_region, status, created_at from tenants where id = $1 for key share",
            id
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Tenant::try_from).transpose()
    }

    /// For a change: nobody else changes or holds it before this transaction ends.
    pub async fn tenant_lock(&mut self) -> Result<Option<Tenant>, StoreError> {
        let id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, name, home_region, status, created_at from tenants where id = $1 for update",
            id
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Tenant::try_from).transpose()
    }

    /// Whoever counts what the tenant has before taking more of it does so one after the other. Whoever holds the tenant may.
    pub async fn tenant_turn(&mut self) -> Result<(), StoreError> {
        let id = self.tenant_id().0;
        sqlx::query!("select id from tenants where id = $1 for no key update", id)
            .fetch_optional(self.connection())
            .await?;
        Ok(())
    }

    pub async fn tenant_update(&mut self, tenant: &Tenant) -> Result<(), StoreError> {
        let id = self.tenant_id().0;
        sqlx::query!(
            "update tenants set name = $2, status = $3, home_region = $4 where id = $1",
            id,
            tenant.name,
            tenant.status.as_str(),
            tenant.home_region,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
