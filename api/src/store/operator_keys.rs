//! The operator's keys.

use jiff::Timestamp;

use super::time::{from_db_opt, to_db};
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

    /// The key with this hash, and when it was last used.
    pub async fn operator_key_find(
        &mut self,
        secret_sha256: &[u8],
    ) -> Result<Option<(OperatorKeyId, Option<Timestamp>)>, StoreError> {
        let row = sqlx::query!(
            "select id, last_used_at from operator_keys where secret_sha256 = $1",
            secret_sha256,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| Ok((OperatorKeyId(row.id), from_db_opt(row.last_used_at)?)))
            .transpose()
    }

    /// Never backwards: processes write in any order.
    pub async fn operator_key_used(
        &mut self,
        id: OperatorKeyId,
        at: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "update operator_keys set last_used_at = $2 where id = $1 and (last_used_at is null or last_used_at < $2)",
            id.0,
            to_db(at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
