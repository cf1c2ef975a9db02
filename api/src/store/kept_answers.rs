//! Answers that are kept for requests that are sent again with the same key. What they say is sealed before it comes here.

use std::future::Future;

use jiff::{SignedDuration, Timestamp};
use sqlx::PgConnection;
use uuid::Uuid;

use super::time::to_db;
use super::{Store, StoreError, SystemTx, TenantTx};

pub const ANSWERS_KEPT_FOR: SignedDuration = SignedDuration::from_hours(24);
/// How many forgotten answers go at a time, so that no transaction gets long.
const PURGED_AT_ONCE: i64 = 1000;

/// A request that wants to be the only one of its key.
#[derive(Debug, Clone)]
pub struct AnswerClaim {
    /// Of the caller and the key.
    pub key_sha256: [u8; 32],
    pub request_sha256: [u8; 32],
    pub now: Timestamp,
    /// What was kept before that counts for nothing.
    pub forgotten_before: Timestamp,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claimed {
    /// The first of its key: until the transaction ends, others of the key wait.
    Now,
    /// The key has an answer, to this request or to another.
    Before {
        request_sha256: Vec<u8>,
        answer: Vec<u8>,
    },
}

/// Transactions that an answer can be kept in.
pub trait AnswerStore: Send {
    fn answer_claim(
        &mut self,
        claim: &AnswerClaim,
    ) -> impl Future<Output = Result<Claimed, StoreError>> + Send;

    fn answer_keep(
        &mut self,
        claim: &AnswerClaim,
        answer: &[u8],
    ) -> impl Future<Output = Result<(), StoreError>> + Send;

    fn commit(self) -> impl Future<Output = Result<(), StoreError>> + Send;
}

impl AnswerStore for TenantTx {
    async fn answer_claim(&mut self, claim: &AnswerClaim) -> Result<Claimed, StoreError> {
        let scope = self.tenant_id().0;
        answer_claim(self.connection(), scope, claim).await
    }

    async fn answer_keep(&mut self, claim: &AnswerClaim, answer: &[u8]) -> Result<(), StoreError> {
        let scope = self.tenant_id().0;
        answer_keep(self.connection(), scope, claim, answer).await
    }

    async fn commit(self) -> Result<(), StoreError> {
        TenantTx::commit(self).await
    }
}

/// What an operator does to no tenant has the nil id.
impl AnswerStore for SystemTx {
    async fn answer_claim(&mut self, claim: &AnswerClaim) -> Result<Claimed, StoreError> {
        answer_claim(self.connection(), Uuid::nil(), claim).await
    }

    async fn answer_keep(&mut self, claim: &AnswerClaim, answer: &[u8]) -> Result<(), StoreError> {
        answer_keep(self.connection(), Uuid::nil(), claim, answer).await
    }

    async fn commit(self) -> Result<(), StoreError> {
        SystemTx::commit(self).await
    }
}

async fn answer_claim(
    connection: &mut PgConnection,
    scope: Uuid,
    claim: &AnswerClaim,
) -> Result<Claimed, StoreError> {
    // Waits while another transaction holds the key. What it finds then, it leaves, unless it is forgotten.
    let claimed = sqlx::query!(
        "insert into kept_answers (scope_id, key_sha256, request_sha256, created_at) values ($1, $2, $3, $4)
         on conflict on constraint kept_answers_pkey do update
             set request_sha256 = excluded.request_sha256, created_at = excluded.created_at, answer = null
             where kept_answers.created_at < $5",
        scope,
        &claim.key_sha256,
        &claim.request_sha256,
        to_db(claim.now),
        to_db(claim.forgotten_before),
    )
    .execute(&mut *connection)
    .await?;
    if claimed.rows_affected() == 1 {
        return Ok(Claimed::Now);
    }
    let kept = sqlx::query!(
        r#"select request_sha256, answer as "answer!" from kept_answers where scope_id = $1 and key_sha256 = $2"#,
        scope,
        &claim.key_sha256,
    )
    .fetch_one(connection)
    .await?;
    Ok(Claimed::Before {
        request_sha256: kept.request_sha256,
        answer: kept.answer,
    })
}

async fn answer_keep(
    connection: &mut PgConnection,
    scope: Uuid,
    claim: &AnswerClaim,
    answer: &[u8],
) -> Result<(), StoreError> {
    sqlx::query!(
        "update kept_answers set answer = $3 where scope_id = $1 and key_sha256 = $2",
        scope,
        &claim.key_sha256,
        answer,
    )
    .execute(connection)
    .await?;
    Ok(())
}

impl Store {
    /// Takes away some of what is older; how much there was.
    pub async fn answers_purge(&self, forgotten_before: Timestamp) -> Result<u64, StoreError> {
        let mut tx = self.system("forgotten answers are everybody's").await?;
        let purged = sqlx::query!(
            "delete from kept_answers where (scope_id, key_sha256) in (
                 select scope_id, key_sha256 from kept_answers where created_at < $1
                 order by created_at limit $2 for update skip locked)",
            to_db(forgotten_before),
            PURGED_AT_ONCE,
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(purged.rows_affected())
    }
}
