//! Exemptions and blocks: a tenant's two lists of numbers.
//!
//! Invariant: each change of an entry takes the next revision of the tenant's lists, under a lock, so that revisions
//! become visible in their order and whoever reads on from the last one seen misses none.

use jiff::{SignedDuration, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use super::publications::{first_revision, unsigned};
use super::time::{from_db, from_db_opt, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::EntryId;
use crate::domain::listed_number::{List, ListedNumber, WantedNumber};
use crate::domain::phone::PhoneNumber;

/// How long an entry that has expired is still shown.
pub const EXPIRED_SHOWN: SignedDuration = SignedDuration::from_hours(7 * 24);

/// New content of an entry, or of a new one.
#[derive(Debug)]
pub struct EntryPut<'a> {
    pub id: EntryId,
    pub wanted: &'a WantedNumber,
}

/// What a list's page shows.
#[derive(Debug)]
pub struct ListQuery<'a> {
    pub list: List,
    pub number: Option<&'a PhoneNumber>,
    /// Those before this one, in the order newest first.
    pub after: Option<EntryId>,
    pub now: Timestamp,
    pub limit: i64,
}

struct Row {
    id: Uuid,
    list: String,
    number: String,
    reason: String,
    expires_at: Option<OffsetDateTime>,
    created_at: OffsetDateTime,
    created_by: String,
}

impl TryFrom<Row> for ListedNumber {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = EntryId(row.id);
        Ok(Self {
            id,
            list: list(&row.list, id)?,
            number: PhoneNumber::stored(row.number),
            reason: row.reason,
            expires_at: from_db_opt(row.expires_at)?,
            created_at: from_db(row.created_at)?,
            created_by: row.created_by,
        })
    }
}

pub(super) fn list(text: &str, id: EntryId) -> Result<List, StoreError> {
    List::parse(text).ok_or_else(|| StoreError::Corrupt {
        what: "listed_numbers.list",
        detail: id.to_string(),
    })
}

impl TenantTx {
    /// Nobody else changes the tenant's lists before this transaction ends. True: nobody ever did.
    pub async fn listed_numbers_lock(&mut self, now: Timestamp) -> Result<bool, StoreError> {
        let tenant_id = self.tenant_id().0;
        let made = sqlx::query!(
            "insert into number_lists (tenant_id, revision) values ($1, $2)
             on conflict on constraint number_lists_pkey do nothing",
            tenant_id,
            first_revision(now),
        )
        .execute(self.connection())
        .await?;
        self.listed_numbers_lock_existing().await?;
        Ok(made.rows_affected() == 1)
    }

    /// As [`Self::listed_numbers_lock`], where nothing is to be begun.
    pub async fn listed_numbers_lock_existing(&mut self) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "select revision from number_lists where tenant_id = $1 for update",
            tenant_id
        )
        .fetch_optional(self.connection())
        .await?;
        Ok(())
    }

    /// The entries that these numbers have, expired ones too.
    pub async fn listed_numbers_of(
        &mut self,
        numbers: &[&PhoneNumber],
    ) -> Result<Vec<ListedNumber>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let numbers: Vec<String> = numbers
            .iter()
            .map(|number| number.as_str().to_owned())
            .collect();
        let rows = sqlx::query_as!(
            Row,
            "select id, list, number, reason, expires_at, created_at, created_by from listed_numbers
             where tenant_id = $1 and number = any($2) and removed_at is null",
            tenant_id,
            &numbers,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(ListedNumber::try_from).collect()
    }

    pub async fn listed_number_get(
        &mut self,
        list: List,
        id: EntryId,
    ) -> Result<Option<ListedNumber>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, list, number, reason, expires_at, created_at, created_by from listed_numbers
             where tenant_id = $1 and id = $2 and list = $3 and removed_at is null",
            tenant_id,
            id.0,
            list.as_str(),
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(ListedNumber::try_from).transpose()
    }

    /// Newest first; what expired long ago is left out.
    pub async fn listed_number_list(
        &mut self,
        query: &ListQuery<'_>,
    ) -> Result<Vec<ListedNumber>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select id, list, number, reason, expires_at, created_at, created_by from listed_numbers
             where tenant_id = $1 and list = $2 and removed_at is null
                 and ($3::text is null or number = $3)
                 and ($4::uuid is null or id < $4)
                 and (expires_at is null or expires_at > $5)
             order by id desc limit $6",
            tenant_id,
            query.list.as_str(),
            query.number.map(PhoneNumber::as_str),
            query.after.map(|id| id.0),
            to_db(query.now.checked_sub(EXPIRED_SHOWN).unwrap_or(query.now)),
            query.limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(ListedNumber::try_from).collect()
    }

    /// Under [`Self::listed_numbers_lock`].
    pub async fn listed_numbers_insert(
        &mut self,
        list: List,
        entries: &[EntryPut<'_>],
        now: Timestamp,
        by: &str,
    ) -> Result<(), StoreError> {
        let base = self.take_revisions(entries.len()).await?;
        let columns = Columns::of(entries);
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "insert into listed_numbers
                 (tenant_id, id, list, number, reason, expires_at, created_at, created_by, revision)
             select $1, row.id, $2, row.number, row.reason, row.expires_at, $3, $4, $5::bigint + row.position
             from unnest($6::uuid[], $7::text[], $8::text[], $9::timestamptz[])
                 with ordinality as row (id, number, reason, expires_at, position)",
            tenant_id,
            list.as_str(),
            to_db(now),
            by,
            base,
            &columns.ids,
            &columns.numbers,
            &columns.reasons,
            &columns.expiries as &[Option<OffsetDateTime>],
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Other reasons and expiries for entries that are there, under [`Self::listed_numbers_lock`].
    pub async fn listed_numbers_update(
        &mut self,
        entries: &[EntryPut<'_>],
    ) -> Result<(), StoreError> {
        let base = self.take_revisions(entries.len()).await?;
        let columns = Columns::of(entries);
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update listed_numbers l
             set reason = row.reason, expires_at = row.expires_at, revision = $2::bigint + row.position
             from unnest($3::uuid[], $4::text[], $5::timestamptz[])
                 with ordinality as row (id, reason, expires_at, position)
             where l.tenant_id = $1 and l.id = row.id",
            tenant_id,
            base,
            &columns.ids,
            &columns.reasons,
            &columns.expiries as &[Option<OffsetDateTime>],
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Takes entries off their list, under [`Self::listed_numbers_lock`]. The rows stay until limiters surely know.
    pub async fn listed_numbers_remove(
        &mut self,
        ids: &[EntryId],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let base = self.take_revisions(ids.len()).await?;
        let ids: Vec<Uuid> = ids.iter().map(|id| id.0).collect();
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update listed_numbers l set removed_at = $2, revision = $3::bigint + row.position
             from unnest($4::uuid[]) with ordinality as row (id, position)
             where l.tenant_id = $1 and l.id = row.id and l.removed_at is null",
            tenant_id,
            to_db(now),
            base,
            &ids,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The revision before the first of so many new ones.
    async fn take_revisions(&mut self, count: usize) -> Result<i64, StoreError> {
        let count = i64::try_from(count).unwrap_or(i64::MAX);
        let tenant_id = self.tenant_id().0;
        let last = sqlx::query_scalar!(
            "update number_lists set revision = revision + $2 where tenant_id = $1 returning revision",
            tenant_id,
            count,
        )
        .fetch_one(self.connection())
        .await?;
        unsigned(last, "number_lists.revision")?;
        Ok(last - count)
    }
}

/// Entries by column, as Postgres takes many rows in one statement.
struct Columns {
    ids: Vec<Uuid>,
    numbers: Vec<String>,
    reasons: Vec<String>,
    expiries: Vec<Option<OffsetDateTime>>,
}

impl Columns {
    fn of(entries: &[EntryPut<'_>]) -> Self {
        Self {
            ids: entries.iter().map(|entry| entry.id.0).collect(),
            numbers: entries
                .iter()
                .map(|entry| entry.wanted.number.as_str().to_owned())
                .collect(),
            reasons: entries
                .iter()
                .map(|entry| entry.wanted.reason.clone())
                .collect(),
            expiries: entries
                .iter()
                .map(|entry| entry.wanted.expires_at.map(to_db))
                .collect(),
        }
    }
}
