//! The operator's keys.

use jiff::Timestamp;

use super::api_keys::USE_PRECISION;
use super::time::to_db;
use super::{StoreError, SystemTx};
use crate::domain::ids::OperatorKeyId;

impl SystemTx {
    pub async fn operator_key_insert(
        &mut self,
        id: OperatorKeyId,
        secret_sha256: &[u8],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into operator_keys (id, secret_sha256, created_at) values ($1, $2, $3)",
            id.0,
            secret_sha256,
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The key with this hash, marked as used now.
    pub async fn operator_key_use(
        &mut self,
        secret_sha256: &[u8],
        now: Timestamp,
    ) -> Result<Option<OperatorKeyId>, StoreError> {
        let row = sqlx::query!(
            "with used as (
                 update operator_keys set last_used_at = $2
                 where secret_sha256 = $1 and (last_used_at is null or last_used_at <= $3)
             )
             select id from operator_keys where secret_sha256 = $1",
            secret_sha256,
            to_db(now),
            to_db(now.checked_sub(USE_PRECISION).unwrap_or(now)),
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(row.map(|row| OperatorKeyId(row.id)))
    }
}
