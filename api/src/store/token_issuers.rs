//! Identity providers whose tokens a tenant accepts. A row is never changed.

use jiff::Timestamp;
use serde_json::{Map, Value};
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::TokenIssuerId;
use crate::domain::role::Role;

#[derive(Debug, Clone)]
pub struct TokenIssuer {
    pub id: TokenIssuerId,
    pub issuer: String,
    pub audience: String,
    pub jwks_url: String,
    pub algorithms: Vec<String>,
    pub role_claim: Option<String>,
    pub roles: Vec<(String, Role)>,
    pub default_role: Option<Role>,
    pub created_at: Timestamp,
}

impl TokenIssuer {
    /// The most that any of its tokens gives.
    #[must_use]
    pub fn highest_role(&self) -> Option<Role> {
        let given = self.roles.iter().map(|(_, role)| *role);
        given.chain(self.default_role).max()
    }
}

struct Row {
    id: Uuid,
    issuer: String,
    audience: String,
    jwks_url: String,
    algorithms: Vec<String>,
    role_claim: Option<String>,
    roles: Value,
    default_role: Option<String>,
    created_at: OffsetDateTime,
}

impl TryFrom<Row> for TokenIssuer {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = TokenIssuerId(row.id);
        let corrupt = || StoreError::Corrupt {
            what: "token_issuers.roles",
            detail: id.to_string(),
        };
        let role = |text: &str| text.parse::<Role>().map_err(|_| corrupt());
        let Value::Object(roles) = row.roles else {
            return Err(corrupt());
        };
        let roles = roles
            .into_iter()
            .map(|(value, named)| Ok((value, role(named.as_str().unwrap_or_default())?)))
            .collect::<Result<_, StoreError>>()?;
        Ok(Self {
            id,
            issuer: row.issuer,
            audience: row.audience,
            jwks_url: row.jwks_url,
            algorithms: row.algorithms,
            role_claim: row.role_claim,
            roles,
            default_role: row.default_role.as_deref().map(role).transpose()?,
            created_at: from_db(row.created_at)?,
        })
    }
}

impl TenantTx {
    /// False where the tenant accepts this issuer already.
    pub async fn token_issuer_insert(&mut self, new: &TokenIssuer) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let roles: Map<String, Value> = new
            .roles
            .iter()
            .map(|(value, role)| (value.clone(), role.as_str().into()))
            .collect();
        let done = sqlx::query!(
            "insert into token_issuers
                 (tenant_id, id, issuer, audience, jwks_url, algorithms, role_claim, roles, default_role, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) on conflict on constraint token_issuers_once do nothing",
            tenant_id,
            new.id.0,
            new.issuer,
            new.audience,
            new.jwks_url,
            &new.algorithms,
            new.role_claim,
            Value::Object(roles),
            new.default_role.map(Role::as_str),
            to_db(new.created_at),
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Oldest first.
    pub async fn token_issuer_list(
        &mut self,
        after: Option<TokenIssuerId>,
        limit: i64,
    ) -> Result<Vec<TokenIssuer>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select id, issuer, audience, jwks_url, algorithms, role_claim, roles, default_role, created_at
             from token_issuers where tenant_id = $1 and ($2::uuid is null or id > $2) order by id limit $3",
            tenant_id,
            after.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(TokenIssuer::try_from).collect()
    }

    pub async fn token_issuer_named(
        &mut self,
        issuer: &str,
    ) -> Result<Option<TokenIssuer>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, issuer, audience, jwks_url, algorithms, role_claim, roles, default_role, created_at
             from token_issuers where tenant_id = $1 and issuer = $2",
            tenant_id,
            issuer,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(TokenIssuer::try_from).transpose()
    }

    pub async fn token_issuer_is_known(&mut self, id: TokenIssuerId) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let known = sqlx::query_scalar!(
            r#"select exists (select from token_issuers where tenant_id = $1 and id = $2) as "known!""#,
            tenant_id,
            id.0,
        )
        .fetch_one(self.connection())
        .await?;
        Ok(known)
    }

    /// As [`Self::token_issuer_is_known`], until the transaction ends.
    pub async fn token_issuer_hold(&mut self, id: TokenIssuerId) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let held = sqlx::query_scalar!(
            "select id from token_issuers where tenant_id = $1 and id = $2 for share",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(held.is_some())
    }

    /// The one that was taken out.
    pub async fn token_issuer_remove(
        &mut self,
        id: TokenIssuerId,
    ) -> Result<Option<TokenIssuer>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "delete from token_issuers where tenant_id = $1 and id = $2
             returning id, issuer, audience, jwks_url, algorithms, role_claim, roles, default_role, created_at",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(TokenIssuer::try_from).transpose()
    }
}
