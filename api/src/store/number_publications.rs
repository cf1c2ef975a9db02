//! How far limiters can read each tenant's lists of numbers, region by region.

use jiff::{SignedDuration, Timestamp};
use time::OffsetDateTime;
use uuid::Uuid;

use super::listed_numbers::list;
use super::publications::{REVISION_MAX, signed, unsigned};
use super::time::{from_db_opt, to_db};
use super::{Store, StoreError};
use crate::domain::ids::{EntryId, TenantId};
use crate::domain::listed_number::List;
use crate::domain::phone::PhoneNumber;

/// Longer than the 35 days by which DynamoDB sets a table back: such a table is told of every removal since.
const GONE_KEPT: SignedDuration = SignedDuration::from_hours(40 * 24);

const SERVES_ALL: &str = "the publisher serves every tenant";

/// One tenant's lists in one region, leased.
#[derive(Debug, Clone)]
pub struct LeasedNumbers {
    pub tenant: TenantId,
    pub region: String,
    pub token: Uuid,
    /// Every change up to this one is where limiters read.
    pub published: u64,
}

/// The changes of a tenant's lists after some revision.
#[derive(Debug)]
pub struct NumberChanges {
    /// The last change there was when these were read.
    pub latest: u64,
    pub entries: Vec<ChangedNumber>,
}

/// How a change left an entry.
#[derive(Debug, Clone)]
pub struct ChangedNumber {
    pub id: EntryId,
    pub number: PhoneNumber,
    /// None: it was removed.
    pub list: Option<List>,
    pub expires_at: Option<Timestamp>,
    pub revision: u64,
}

struct Row {
    id: Uuid,
    list: String,
    number: String,
    expires_at: Option<OffsetDateTime>,
    removed: bool,
    revision: i64,
}

impl TryFrom<Row> for ChangedNumber {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = EntryId(row.id);
        let list = list(&row.list, id)?;
        Ok(Self {
            id,
            number: PhoneNumber::stored(row.number),
            list: (!row.removed).then_some(list),
            expires_at: from_db_opt(row.expires_at)?,
            revision: unsigned(row.revision, "listed_numbers.revision")?,
        })
    }
}

impl Store {
    /// Every tenant's lists are wanted in every region with limiters; true where some had not been wanted yet.
    pub async fn number_publications_complete(&self, now: Timestamp) -> Result<bool, StoreError> {
        let mut tx = self.system(SERVES_ALL).await?;
        let added = sqlx::query!(
            "insert into number_publications (tenant_id, region, published, attempts, next_due_at)
             select l.tenant_id, r.region, 0, 0, $1
             from number_lists l
             cross join (
                 select distinct s.region from shards s
                 where s.in_service
                     or exists (select 1 from shard_assignments a where a.function_arn = s.function_arn)
             ) r
             where not exists (
                 select 1 from number_publications p where p.tenant_id = l.tenant_id and p.region = r.region
             )
             on conflict on constraint number_publications_pkey do nothing",
            to_db(now),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(added.rows_affected() > 0)
    }

    /// Leases what is behind, or was last compared with limiters' table before `checked_before`.
    pub async fn number_publication_lease(
        &self,
        token: Uuid,
        now: Timestamp,
        until: Timestamp,
        checked_before: Timestamp,
    ) -> Result<Option<LeasedNumbers>, StoreError> {
        let mut tx = self.system(SERVES_ALL).await?;
        let row = sqlx::query!(
            "update number_publications set lease_token = $1, lease_expires_at = $3
             where (tenant_id, region) = (
                 select p.tenant_id, p.region
                 from number_publications p
                 join number_lists l on l.tenant_id = p.tenant_id
                 where p.next_due_at <= $2 and (p.lease_expires_at is null or p.lease_expires_at <= $2)
                     and (p.published <> l.revision or p.checked_at is null or p.checked_at <= $4)
                 order by p.next_due_at, p.checked_at nulls first limit 1 for update of p skip locked
             )
             returning tenant_id, region, published",
            token,
            to_db(now),
            to_db(until),
            to_db(checked_before),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        row.map(|row| {
            Ok(LeasedNumbers {
                tenant: TenantId(row.tenant_id),
                region: row.region,
                token,
                published: unsigned(row.published, "number_publications.published")?,
            })
        })
        .transpose()
    }

    /// In the order of their revisions.
    pub async fn listed_numbers_changed(
        &self,
        tenant: TenantId,
        after: u64,
        limit: i64,
    ) -> Result<NumberChanges, StoreError> {
        let mut tx = self.tenant(tenant).await?;
        // First: whatever is visible then is visible to the next statement too.
        let latest = sqlx::query_scalar!(
            "select revision from number_lists where tenant_id = $1",
            tenant.0
        )
        .fetch_optional(tx.connection())
        .await?;
        let rows = sqlx::query_as!(
            Row,
            "select id, list, number, expires_at, removed_at is not null as \"removed!\", revision
             from listed_numbers where tenant_id = $1 and revision > $2 order by revision limit $3",
            tenant.0,
            signed(after),
            limit,
        )
        .fetch_all(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(NumberChanges {
            latest: unsigned(latest.unwrap_or_default(), "number_lists.revision")?,
            entries: rows
                .into_iter()
                .map(ChangedNumber::try_from)
                .collect::<Result<_, _>>()?,
        })
    }

    /// Limiters of the region read every change up to `published` and none after it. False: the lease is another's.
    pub async fn number_publication_move(
        &self,
        leased: &LeasedNumbers,
        published: u64,
        until: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.tenant(leased.tenant).await?;
        let moved = sqlx::query!(
            "update number_publications set published = $4, lease_expires_at = $5
             where tenant_id = $1 and region = $2 and lease_token = $3",
            leased.tenant.0,
            leased.region,
            leased.token,
            signed(published),
            to_db(until),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(moved.rows_affected() == 1)
    }

    /// Gives the lease back: limiters' table was found, or brought, to be what it should be.
    pub async fn number_publication_done(
        &self,
        leased: &LeasedNumbers,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(leased.tenant).await?;
        sqlx::query!(
            "update number_publications
             set lease_token = null, lease_expires_at = null, checked_at = $4, attempts = 0, error = null
             where tenant_id = $1 and region = $2 and lease_token = $3",
            leased.tenant.0,
            leased.region,
            leased.token,
            to_db(now),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Counts the failure; answers how many there were in a row. The lease is kept.
    pub async fn number_publication_failed(
        &self,
        leased: &LeasedNumbers,
        error: &str,
    ) -> Result<u32, StoreError> {
        let mut tx = self.tenant(leased.tenant).await?;
        let attempts = sqlx::query_scalar!(
            "update number_publications set attempts = attempts + 1, error = $4
             where tenant_id = $1 and region = $2 and lease_token = $3 returning attempts",
            leased.tenant.0,
            leased.region,
            leased.token,
            error,
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(attempts.map_or(1, |attempts| u32::try_from(attempts).unwrap_or(u32::MAX)))
    }

    /// Gives the lease back until it is worth another try.
    pub async fn number_publication_put_off(
        &self,
        leased: &LeasedNumbers,
        to: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(leased.tenant).await?;
        sqlx::query!(
            "update number_publications set lease_token = null, lease_expires_at = null, next_due_at = $4
             where tenant_id = $1 and region = $2 and lease_token = $3",
            leased.tenant.0,
            leased.region,
            leased.token,
            to_db(to),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Limiters' table stands at a revision that there is not yet: this database was set back. Every entry gets a
    /// revision above it, so that what is listed here wins.
    pub async fn listed_numbers_raise(
        &self,
        tenant: TenantId,
        standing: u64,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(tenant).await?;
        let base = sqlx::query_scalar!(
            "update number_lists set revision = greatest(revision, $2) where tenant_id = $1 returning revision",
            tenant.0,
            signed(standing.min(REVISION_MAX)),
        )
        .fetch_optional(tx.connection())
        .await?;
        let Some(base) = base else { return Ok(()) };
        let raised = sqlx::query!(
            "update listed_numbers l set revision = $2::bigint + row.position
             from (
                 select id, row_number() over (order by revision) as position
                 from listed_numbers where tenant_id = $1
             ) row
             where l.tenant_id = $1 and l.id = row.id",
            tenant.0,
            base,
        )
        .execute(tx.connection())
        .await?;
        sqlx::query!(
            "update number_lists set revision = revision + $2::bigint + 1 where tenant_id = $1",
            tenant.0,
            i64::try_from(raised.rows_affected()).unwrap_or_default(),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Forgets entries that were removed or expired long ago, as far as limiters everywhere know.
    pub async fn listed_numbers_purge(
        &self,
        tenant: TenantId,
        now: Timestamp,
    ) -> Result<u64, StoreError> {
        let mut tx = self.tenant(tenant).await?;
        let purged = sqlx::query!(
            "delete from listed_numbers
             where tenant_id = $1 and least(removed_at, expires_at) < $2
                 and revision <= (select min(published) from number_publications where tenant_id = $1)",
            tenant.0,
            to_db(now.checked_sub(GONE_KEPT).unwrap_or(Timestamp::MIN)),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(purged.rows_affected())
    }
}
