//! Open invitations: only a hash of the token in the link is kept.

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, to_db};
use super::{StoreError, SystemTx, TenantTx};
use crate::domain::ids::{InvitationId, TenantId, TokenIssuerId};
use crate::domain::role::Role;

#[derive(Debug, Clone)]
pub struct Invitation {
    pub id: InvitationId,
    pub tenant_id: TenantId,
    pub role: Role,
    /// Whoever accepts must have this address, verified by the identity provider.
    pub email: Option<String>,
    /// As the audit log names them.
    pub invited_by: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

struct Row {
    tenant_id: Uuid,
    id: Uuid,
    role: String,
    email: Option<String>,
    invited_by: String,
    created_at: OffsetDateTime,
    expires_at: OffsetDateTime,
}

impl TryFrom<Row> for Invitation {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = InvitationId(row.id);
        let role = row.role.parse().map_err(|_| StoreError::Corrupt {
            what: "invitations.role",
            detail: id.to_string(),
        })?;
        Ok(Self {
            id,
            tenant_id: TenantId(row.tenant_id),
            role,
            email: row.email,
            invited_by: row.invited_by,
            created_at: from_db(row.created_at)?,
            expires_at: from_db(row.expires_at)?,
        })
    }
}

impl TenantTx {
    /// `invitation.tenant_id` is this transaction's.
    pub async fn invitation_insert(
        &mut self,
        invitation: &Invitation,
        secret_sha256: &[u8],
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into invitations (tenant_id, id, role, email, secret_sha256, invited_by, created_at, expires_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8)",
            tenant_id,
            invitation.id.0,
            invitation.role.as_str(),
            invitation.email,
            secret_sha256,
            invitation.invited_by,
            to_db(invitation.created_at),
            to_db(invitation.expires_at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Those that can still be accepted, oldest first.
    pub async fn invitation_list(
        &mut self,
        now: Timestamp,
        after: Option<InvitationId>,
        limit: i64,
    ) -> Result<Vec<Invitation>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select tenant_id, id, role, email, invited_by, created_at, expires_at from invitations
             where tenant_id = $1 and expires_at > $2 and ($3::uuid is null or id > $3) order by id limit $4",
            tenant_id,
            to_db(now),
            after.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Invitation::try_from).collect()
    }

    /// The one that was taken out.
    pub async fn invitation_withdraw(
        &mut self,
        id: InvitationId,
    ) -> Result<Option<Invitation>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "delete from invitations where tenant_id = $1 and id = $2
             returning tenant_id, id, role, email, invited_by, created_at, expires_at",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Invitation::try_from).transpose()
    }

    /// Takes out all that somebody who lost rights had invited.
    pub async fn invitation_withdraw_of(
        &mut self,
        invited_by: &str,
    ) -> Result<Vec<Invitation>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "delete from invitations where tenant_id = $1 and invited_by = $2
             returning tenant_id, id, role, email, invited_by, created_at, expires_at",
            tenant_id,
            invited_by,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Invitation::try_from).collect()
    }

    /// Takes out all that bearers of this issuer's tokens had invited.
    pub async fn invitation_withdraw_of_issuer(
        &mut self,
        issuer: TokenIssuerId,
    ) -> Result<Vec<Invitation>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "delete from invitations where tenant_id = $1 and starts_with(invited_by, $2)
             returning tenant_id, id, role, email, invited_by, created_at, expires_at",
            tenant_id,
            format!("token:{issuer}:"),
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Invitation::try_from).collect()
    }

    /// Takes out those whose time has passed.
    pub async fn invitation_sweep(&mut self, now: Timestamp) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from invitations where tenant_id = $1 and expires_at <= $2",
            tenant_id,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

impl SystemTx {
    /// Whose invitation has this hash.
    pub async fn invitation_tenant(
        &mut self,
        secret_sha256: &[u8],
    ) -> Result<Option<TenantId>, StoreError> {
        let id = sqlx::query_scalar!(
            "select tenant_id from invitations where secret_sha256 = $1",
            secret_sha256,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(id.map(TenantId))
    }

    /// The invitation with this hash, locked: of two who accept it at once, one finds nothing.
    pub async fn invitation_take(
        &mut self,
        secret_sha256: &[u8],
        now: Timestamp,
    ) -> Result<Option<Invitation>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "delete from invitations where secret_sha256 = $1 and expires_at > $2
             returning tenant_id, id, role, email, invited_by, created_at, expires_at",
            secret_sha256,
            to_db(now),
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Invitation::try_from).transpose()
    }
}
