//! Which process changes the policy of a function: one at a time, over all of them.
//!
//! The service is asked meanwhile, so this is a lease with an end and no lock of the database, which would keep a transaction and
//! its connection for as long. Its holder is named by the statement that it changes: no two processes work on one at a time, and
//! the one that takes a dead one's work over goes on at once. On the database's clock, as the processes' may differ.

use std::time::Duration;

use super::{Store, StoreError};

const WHY: &str = "a limiter function serves many tenants";

impl Store {
    /// Takes the lease, or prolongs it. False: somebody else has it.
    pub async fn function_policy_lease(
        &self,
        function_arn: &str,
        statement_id: &str,
        lease: Duration,
    ) -> Result<bool, StoreError> {
        let mut tx = self.system(WHY).await?;
        let taken = sqlx::query!(
            "insert into function_policy_leases as l (function_arn, statement_id, expires_at)
             values ($1, $2, clock_timestamp() + $3::float8 * interval '1 second')
             on conflict on constraint function_policy_leases_pkey do update
             set statement_id = $2, expires_at = clock_timestamp() + $3::float8 * interval '1 second'
             where l.statement_id = $2 or l.expires_at <= clock_timestamp()",
            function_arn,
            statement_id,
            lease.as_secs_f64(),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(taken.rows_affected() == 1)
    }

    pub async fn function_policy_release(
        &self,
        function_arn: &str,
        statement_id: &str,
    ) -> Result<(), StoreError> {
        let mut tx = self.system(WHY).await?;
        sqlx::query!(
            "delete from function_policy_leases where function_arn = $1 and statement_id = $2",
            function_arn,
            statement_id,
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(())
    }
}
