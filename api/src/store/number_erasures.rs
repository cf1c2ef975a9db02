//! Erasures of numbers that were asked for: who works on one, and what came of it.
//!
//! The number stands in the row only while a worker still needs it; what stays is masked.

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, from_db_opt, to_db};
use super::{ErasedData, Store, StoreError, TenantTx};
use crate::domain::ids::{NumberErasureId, TenantId};
use crate::domain::number_erasure::Kept;
use crate::domain::phone::PhoneNumber;

/// What is asked for.
#[derive(Debug)]
pub struct NewNumberErasure<'a> {
    pub id: NumberErasureId,
    pub number: &'a PhoneNumber,
    pub masked: &'a str,
    pub kept: &'a [Kept],
    pub asked_at: Timestamp,
}

#[derive(Debug, Clone)]
pub struct NumberErasure {
    pub tenant: TenantId,
    pub id: NumberErasureId,
    /// None: everything is erased.
    pub number: Option<PhoneNumber>,
    pub masked: String,
    pub asked_at: Timestamp,
    pub erased_at: Option<Timestamp>,
    pub kept: Vec<Kept>,
    pub decisions: i64,
    pub meters: i64,
    /// Tries in a row that failed.
    pub attempts: u32,
    pub error: Option<String>,
}

struct Row {
    tenant_id: Uuid,
    id: Uuid,
    number: Option<String>,
    masked: String,
    asked_at: OffsetDateTime,
    erased_at: Option<OffsetDateTime>,
    kept: Vec<String>,
    decisions: i64,
    meters: i64,
    attempts: i32,
    error: Option<String>,
}

impl TryFrom<Row> for NumberErasure {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = NumberErasureId(row.id);
        let kept = row.kept.iter().map(|word| Kept::parse(word));
        let kept = kept.collect::<Option<_>>();
        Ok(Self {
            tenant: TenantId(row.tenant_id),
            id,
            number: row.number.map(PhoneNumber::stored),
            masked: row.masked,
            asked_at: from_db(row.asked_at)?,
            erased_at: from_db_opt(row.erased_at)?,
            kept: kept.ok_or_else(|| StoreError::Corrupt {
                what: "number_erasures.kept",
                detail: id.to_string(),
            })?,
            decisions: row.decisions,
            meters: row.meters,
            attempts: u32::try_from(row.attempts).unwrap_or(u32::MAX),
            error: row.error,
        })
    }
}

impl TenantTx {
    /// The erasure of a number, begun or under way already: asked for again it takes in what has come since.
    pub async fn number_erasure_ask(
        &mut self,
        new: &NewNumberErasure<'_>,
    ) -> Result<NumberErasure, StoreError> {
        let tenant_id = self.tenant_id().0;
        let kept: Vec<String> = new
            .kept
            .iter()
            .map(|kept| kept.as_str().to_owned())
            .collect();
        let row = sqlx::query_as!(
            Row,
            "insert into number_erasures
                 (tenant_id, id, number, masked, asked_at, kept, decisions, meters, next_due_at, attempts)
             values ($1, $2, $3, $4, $5, $6, 0, 0, $5, 0)
             on conflict on constraint number_erasures_once do update
             set asked_at = excluded.asked_at, kept = excluded.kept, next_due_at = excluded.next_due_at
             returning tenant_id, id, number, masked, asked_at, erased_at, kept, decisions, meters, attempts, error",
            tenant_id,
            new.id.0,
            new.number.as_str(),
            new.masked,
            to_db(new.asked_at),
            &kept,
        )
        .fetch_one(self.connection())
        .await?;
        row.try_into()
    }

    pub async fn number_erasure_get(
        &mut self,
        id: NumberErasureId,
    ) -> Result<Option<NumberErasure>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select tenant_id, id, number, masked, asked_at, erased_at, kept, decisions, meters, attempts, error
             from number_erasures where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(NumberErasure::try_from).transpose()
    }

    /// A step is done, the next one due at `due_at`. What was erased is added.
    pub async fn number_erasure_go_on(
        &mut self,
        id: NumberErasureId,
        erased: ErasedData,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update number_erasures
             set decisions = decisions + $3, meters = meters + $4, next_due_at = $5, attempts = 0, error = null
             where tenant_id = $1 and id = $2 and erased_at is null",
            tenant_id,
            id.0,
            i64::try_from(erased.decisions).unwrap_or(i64::MAX),
            i64::try_from(erased.meters).unwrap_or(i64::MAX),
            to_db(due_at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    pub async fn number_erasure_failed(
        &mut self,
        id: NumberErasureId,
        error: &str,
        due_at: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update number_erasures set attempts = attempts + 1, error = $3, next_due_at = $4
             where tenant_id = $1 and id = $2 and erased_at is null",
            tenant_id,
            id.0,
            error,
            to_db(due_at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The end, unless it was asked for again since `asked_at`, or ended by another process. The number goes here too.
    pub async fn number_erasure_end(
        &mut self,
        id: NumberErasureId,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Result<Option<NumberErasure>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "update number_erasures set number = null, erased_at = $4
             where tenant_id = $1 and id = $2 and asked_at = $3 and erased_at is null
             returning tenant_id, id, number, masked, asked_at, erased_at, kept, decisions, meters, attempts, error",
            tenant_id,
            id.0,
            to_db(asked_at),
            to_db(now),
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(NumberErasure::try_from).transpose()
    }
}

impl Store {
    /// Takes the erasure that is due longest and puts it off, so that other processes leave it alone for a while.
    pub async fn number_erasure_take_due(
        &self,
        now: Timestamp,
        put_off_to: Timestamp,
    ) -> Result<Option<NumberErasure>, StoreError> {
        let mut tx = self
            .system("the worker erases numbers of every tenant")
            .await?;
        let row = sqlx::query_as!(
            Row,
            "update number_erasures set next_due_at = $2
             where (tenant_id, id) = (
                 select tenant_id, id from number_erasures
                 where next_due_at <= $1 and erased_at is null order by next_due_at limit 1 for update skip locked
             )
             returning tenant_id, id, number, masked, asked_at, erased_at, kept, decisions, meters, attempts, error",
            to_db(now),
            to_db(put_off_to),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        row.map(NumberErasure::try_from).transpose()
    }
}
