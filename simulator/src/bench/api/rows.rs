//! What stands in the database, put there and looked at by its owner.

use sqlx::postgres::PgPoolOptions;
use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;
use sqlx::{PgPool, Row as _};

use super::super::{Result, failed};
use super::statements::Place;

pub(super) const DECISIONS: i64 = 1_000_000;
pub(super) const RARE_OUTCOME: &str = "failed_open";

pub(super) struct Rows(PgPool);

/// Whose decisions they are, as the database and as the API name it.
pub(super) struct Whose<'a> {
    pub(super) tenant: Uuid,
    pub(super) instance: Uuid,
    pub(super) instance_arn: &'a str,
    pub(super) tenant_id: &'a str,
    pub(super) instance_id: &'a str,
}

impl Rows {
    pub(super) async fn open(owner_url: &str) -> Result<Self> {
        let pool = PgPoolOptions::new().max_connections(1).connect(owner_url);
        Ok(Self(pool.await.map_err(failed)?))
    }

    pub(super) async fn fill(&self, whose: &Whose<'_>) -> Result<()> {
        let policy = format!("pol_{}", self.policy_of(whose.tenant).await?.simple());
        sqlx::query(include_str!("fill.sql"))
            .bind(whose.tenant)
            .bind(whose.instance)
            .bind(whose.instance_arn)
            .bind(whose.tenant_id)
            .bind(whose.instance_id)
            .bind(policy)
            .bind(DECISIONS)
            .execute(&self.0)
            .await
            .map_err(failed)?;
        sqlx::query("vacuum analyze decisions")
            .execute(&self.0)
            .await
            .map(drop)
            .map_err(failed)
    }

    pub(super) async fn policy_of(&self, tenant: Uuid) -> Result<Uuid> {
        sqlx::query("select id from policies where tenant_id = $1")
            .bind(tenant)
            .fetch_one(&self.0)
            .await
            .and_then(|row| row.try_get("id"))
            .map_err(failed)
    }

    pub(super) async fn newest(&self) -> Result<OffsetDateTime> {
        Ok(self.place(0).await?.at)
    }

    /// The decision below which so many newer ones stand.
    pub(super) async fn place(&self, newer: i64) -> Result<Place> {
        let row =
            sqlx::query("select at, id from decisions order by at desc, id desc offset $1 limit 1")
                .bind(newer)
                .fetch_one(&self.0)
                .await
                .map_err(failed)?;
        Ok(Place {
            at: row.try_get("at").map_err(failed)?,
            id: row.try_get("id").map_err(failed)?,
        })
    }
}
