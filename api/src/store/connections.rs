//! Connections: a tenant's AWS accounts and the two roles in each.
//!
//! Whoever gets into an account is told every way that may be open while an external id or a role is being changed, the
//! present one first.

use std::fmt;

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, from_db_opt, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::ConnectionId;

#[derive(Clone, PartialEq, Eq)]
pub struct Connection {
    pub id: ConnectionId,
    pub account_id: String,
    pub external_id: String,
    /// Takes the external id's place once the roles are seen to accept it.
    pub pending_external_id: Option<String>,
    /// Until the roles are seen to refuse it.
    pub former_external_id: Option<String>,
    pub installer_role_arn: String,
    pub runtime_role_arn: String,
    /// For as long as a limiter may not know the present one.
    pub former_runtime_role_arn: Option<String>,
    /// When an external id or a role last took another's place.
    pub access_changed_at: Option<Timestamp>,
    pub created_at: Timestamp,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id)
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}

impl Connection {
    /// Those that the roles may accept, the present one first.
    #[must_use]
    pub fn external_ids(&self) -> Vec<String> {
        let others = [&self.pending_external_id, &self.former_external_id];
        std::iter::once(&self.external_id)
            .chain(others.into_iter().flatten())
            .cloned()
            .collect()
    }
}

pub(super) struct Row {
    pub id: Uuid,
    pub account_id: String,
    pub external_id: String,
    pub pending_external_id: Option<String>,
    pub former_external_id: Option<String>,
    pub installer_role_arn: String,
    pub runtime_role_arn: String,
    pub former_runtime_role_arn: Option<String>,
    pub access_changed_at: Option<OffsetDateTime>,
    pub created_at: OffsetDateTime,
}

impl TryFrom<Row> for Connection {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: ConnectionId(row.id),
            account_id: row.account_id,
            external_id: row.external_id,
            pending_external_id: row.pending_external_id,
            former_external_id: row.former_external_id,
            installer_role_arn: row.installer_role_arn,
            runtime_role_arn: row.runtime_role_arn,
            former_runtime_role_arn: row.former_runtime_role_arn,
            access_changed_at: from_db_opt(row.access_changed_at)?,
            created_at: from_db(row.created_at)?,
        })
    }
}

impl TenantTx {
    /// Makes the connection unless the tenant has one to that account, and answers with the one there is.
    pub async fn connection_find_or_insert(
        &mut self,
        new: &Connection,
    ) -> Result<Connection, StoreError> {
        let tenant_id = self.tenant_id().0;
        // The update that changes nothing makes the row that was there come back, locked.
        let row = sqlx::query_as!(
            Row,
            "insert into connections
                 (tenant_id, id, account_id, external_id, installer_role_arn, runtime_role_arn, created_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict on constraint connections_account_unique do update set account_id = excluded.account_id
             returning id, account_id, external_id, pending_external_id, former_external_id, installer_role_arn,
                 runtime_role_arn, former_runtime_role_arn, access_changed_at, created_at",
            tenant_id,
            new.id.0,
            new.account_id,
            new.external_id,
            new.installer_role_arn,
            new.runtime_role_arn,
            to_db(new.created_at),
        )
        .fetch_one(self.connection())
        .await?;
        row.try_into()
    }

    /// In the order in which they were made, those after `after`.
    pub async fn connection_list(
        &mut self,
        after: Option<ConnectionId>,
        limit: i64,
    ) -> Result<Vec<Connection>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select id, account_id, external_id, pending_external_id, former_external_id, installer_role_arn,
                 runtime_role_arn, former_runtime_role_arn, access_changed_at, created_at
             from connections where tenant_id = $1 and ($2::uuid is null or id > $2) order by id limit $3",
            tenant_id,
            after.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Connection::try_from).collect()
    }

    pub async fn connection_get(
        &mut self,
        id: ConnectionId,
    ) -> Result<Option<Connection>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, account_id, external_id, pending_external_id, former_external_id, installer_role_arn,
                 runtime_role_arn, former_runtime_role_arn, access_changed_at, created_at
             from connections where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Connection::try_from).transpose()
    }

    /// As [`Self::connection_get`], and nobody else changes it before this transaction ends.
    pub async fn connection_get_locked(
        &mut self,
        id: ConnectionId,
    ) -> Result<Option<Connection>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, account_id, external_id, pending_external_id, former_external_id, installer_role_arn,
                 runtime_role_arn, former_runtime_role_arn, access_changed_at, created_at
             from connections where tenant_id = $1 and id = $2 for update",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Connection::try_from).transpose()
    }

    /// Writes external ids and roles as given.
    pub async fn connection_set_access(
        &mut self,
        connection: &Connection,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update connections set external_id = $3, pending_external_id = $4, former_external_id = $5,
                 installer_role_arn = $6, runtime_role_arn = $7, former_runtime_role_arn = $8, access_changed_at = $9
             where tenant_id = $1 and id = $2",
            tenant_id,
            connection.id.0,
            connection.external_id,
            connection.pending_external_id,
            connection.former_external_id,
            connection.installer_role_arn,
            connection.runtime_role_arn,
            connection.former_runtime_role_arn,
            connection.access_changed_at.map(to_db),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
