//! Tenants' quotas, and how much of each is taken.

use jiff::Timestamp;

use super::time::to_db;
use super::{StoreError, TenantTx};
use crate::domain::quota::{Quota, QuotaState};

impl TenantTx {
    /// Where the quota stands. Whoever takes from it asks after having taken, and one after the other, so that two requests
    /// at once cannot both take the last place.
    pub async fn quota_after_taking(
        &mut self,
        quota: Quota,
        now: Timestamp,
    ) -> Result<QuotaState, StoreError> {
        self.tenant_turn().await?;
        self.quota_get(quota, now).await
    }

    /// All of them, in their order.
    pub async fn quota_list(&mut self, now: Timestamp) -> Result<Vec<QuotaState>, StoreError> {
        let mut states = Vec::new();
        for quota in Quota::ALL {
            states.push(self.quota_get(quota, now).await?);
        }
        Ok(states)
    }

    /// Sets the quota; none within: no limit; none without: as the program has it.
    pub async fn quota_set(
        &mut self,
        quota: Quota,
        most: Option<Option<i64>>,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        match most {
            Some(most) => {
                sqlx::query!(
                    "insert into tenant_quotas (tenant_id, quota, most) values ($1, $2, $3)
                     on conflict on constraint tenant_quotas_pkey do update set most = excluded.most",
                    tenant_id,
                    quota.as_str(),
                    most,
                )
                .execute(self.connection())
                .await?;
            }
            None => {
                sqlx::query!(
                    "delete from tenant_quotas where tenant_id = $1 and quota = $2",
                    tenant_id,
                    quota.as_str(),
                )
                .execute(self.connection())
                .await?;
            }
        }
        Ok(())
    }

    pub async fn quota_get(
        &mut self,
        quota: Quota,
        now: Timestamp,
    ) -> Result<QuotaState, StoreError> {
        let tenant_id = self.tenant_id().0;
        let set = sqlx::query!(
            "select most from tenant_quotas where tenant_id = $1 and quota = $2",
            tenant_id,
            quota.as_str(),
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(QuotaState {
            quota,
            is_set: set.is_some(),
            most: set.map_or(quota.usual(), |set| set.most),
            used: self.quota_used(quota, now).await?,
        })
    }

    async fn quota_used(&mut self, quota: Quota, now: Timestamp) -> Result<i64, StoreError> {
        let tenant_id = self.tenant_id().0;
        let connection = self.connection();
        let used = match quota {
            Quota::Instances => {
                sqlx::query_scalar!(
                    r#"select count(*) as "count!" from instances where tenant_id = $1"#,
                    tenant_id
                )
                .fetch_one(connection)
                .await?
            }
            Quota::ApiKeys => {
                sqlx::query_scalar!(
                    r#"select count(*) as "count!" from api_keys where tenant_id = $1 and revoked_at is null
                           and (expires_at is null or expires_at > $2)"#,
                    tenant_id,
                    to_db(now),
                )
                .fetch_one(connection)
                .await?
            }
            Quota::Webhooks => {
                sqlx::query_scalar!(
                    r#"select count(*) as "count!" from webhook_endpoints where tenant_id = $1"#,
                    tenant_id
                )
                .fetch_one(connection)
                .await?
            }
            Quota::ListedNumbers => {
                sqlx::query_scalar!(
                    r#"select count(*) as "count!" from listed_numbers where tenant_id = $1 and removed_at is null"#,
                    tenant_id
                )
                .fetch_one(connection)
                .await?
            }
            Quota::DecisionsPerMonth => {
                sqlx::query_scalar!(
                    r#"select coalesce(sum(decisions), 0)::bigint as "count!" from usage_decisions
                       where tenant_id = $1 and month = date_trunc('month', $2::timestamptz at time zone 'UTC')::date"#,
                    tenant_id,
                    to_db(now),
                )
                .fetch_one(connection)
                .await?
            }
        };
        Ok(used)
    }
}
