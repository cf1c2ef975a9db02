//! Connections: a tenant's AWS accounts and the two roles in each.

use std::fmt;

use jiff::Timestamp;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db_opt, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::ConnectionId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectionHealth {
    Unknown,
    Healthy,
    Unhealthy,
}

impl ConnectionHealth {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Healthy => "healthy",
            Self::Unhealthy => "unhealthy",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Unknown, Self::Healthy, Self::Unhealthy]
            .into_iter()
            .find(|health| health.as_str() == text)
    }
}

#[derive(Clone)]
pub struct Connection {
    pub id: ConnectionId,
    pub account_id: String,
    pub external_id: String,
    pub installer_role_arn: String,
    pub runtime_role_arn: String,
    pub health: ConnectionHealth,
    /// What the last verification found, as the API shows it.
    pub checks: Value,
    pub checked_at: Option<Timestamp>,
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection")
            .field("id", &self.id)
            .field("account_id", &self.account_id)
            .finish_non_exhaustive()
    }
}

struct Row {
    id: Uuid,
    account_id: String,
    external_id: String,
    installer_role_arn: String,
    runtime_role_arn: String,
    health: String,
    checks: Value,
    checked_at: Option<OffsetDateTime>,
}

impl TryFrom<Row> for Connection {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let health = ConnectionHealth::parse(&row.health).ok_or(StoreError::Corrupt {
            what: "connections.health",
            detail: ConnectionId(row.id).to_string(),
        })?;
        Ok(Self {
            id: ConnectionId(row.id),
            account_id: row.account_id,
            external_id: row.external_id,
            installer_role_arn: row.installer_role_arn,
            runtime_role_arn: row.runtime_role_arn,
            health,
            checks: row.checks,
            checked_at: from_db_opt(row.checked_at)?,
        })
    }
}

impl TenantTx {
    /// Makes the connection unless the tenant has one to that account, and answers with the one there is.
    pub async fn connection_find_or_insert(
        &mut self,
        new: &Connection,
        now: Timestamp,
    ) -> Result<Connection, StoreError> {
        let tenant_id = self.tenant_id().0;
        // The update that changes nothing makes the row that was there come back, locked.
        let row = sqlx::query_as!(
            Row,
            "insert into connections
                 (tenant_id, id, account_id, external_id, installer_role_arn, runtime_role_arn, health, checks, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             on conflict on constraint connections_account_unique do update set account_id = excluded.account_id
             returning id, account_id, external_id, installer_role_arn, runtime_role_arn, health, checks, checked_at",
            tenant_id,
            new.id.0,
            new.account_id,
            new.external_id,
            new.installer_role_arn,
            new.runtime_role_arn,
            new.health.as_str(),
            new.checks,
            to_db(now),
        )
        .fetch_one(self.connection())
        .await?;
        row.try_into()
    }

    pub async fn connection_get(
        &mut self,
        id: ConnectionId,
    ) -> Result<Option<Connection>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, account_id, external_id, installer_role_arn, runtime_role_arn, health, checks, checked_at
             from connections where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Connection::try_from).transpose()
    }

    /// What a verification found, and the roles that it tried.
    pub async fn connection_record_check(
        &mut self,
        connection: &Connection,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update connections set installer_role_arn = $3, runtime_role_arn = $4, health = $5, checks = $6, checked_at = $7
             where tenant_id = $1 and id = $2",
            tenant_id,
            connection.id.0,
            connection.installer_role_arn,
            connection.runtime_role_arn,
            connection.health.as_str(),
            connection.checks,
            connection.checked_at.map(to_db),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
