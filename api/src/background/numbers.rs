//! Tells limiters which numbers are exempt and which are blocked, in every region that has limiters.
//!
//! Invariants: what is written carries the revision of the change that made it, so that an earlier state never replaces
//! a later one, whichever process writes it; the mark in limiters' table and then the position in the database move
//! only after all that they stand for is written, so that a crash anywhere means writing something again. The mark is
//! compared with the position at each pass and now and then without cause: so a new or restored table is noticed, and
//! so is a restored database. Failure: the region stays behind and is tried again after a growing pause; limiters go on
//! with what they have.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use ringfence_policy::wire::v1::{self, Listed};
use tokio_util::sync::CancellationToken;

use crate::aws::{Aws, AwsError, NumberItem, NumberTable};
use crate::clock::{Clock, IdSource};
use crate::domain::ids::TenantId;
use crate::domain::listed_number::List;
use crate::store::{ChangedNumber, LeasedNumbers, Store, StoreError};

use super::backoff::backoff;
use super::driver::Found;

/// Renewed after each batch; a batch takes seconds at most.
const LEASED_FOR: SignedDuration = SignedDuration::from_secs(120);
const BATCH: i64 = 500;
/// About as many writes a second as a table without reserved capacity takes from the start.
const WRITES_AT_ONCE: usize = 16;
/// Longer than any writer of an older state may linger.
const REMOVED_KEPT: SignedDuration = SignedDuration::from_hours(7 * 24);
/// Limiters go by the expiry itself; the table may forget later.
const EXPIRED_KEPT: SignedDuration = SignedDuration::from_hours(24);

#[derive(Debug, thiserror::Error)]
pub enum NumbersError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("an entry cannot be written down")]
    Entry(#[from] serde_json::Error),
}

#[derive(Debug)]
pub struct NumberPublisher {
    pub store: Store,
    pub aws: Arc<Aws>,
    pub clock: Clock,
    pub ids: IdSource,
    /// How often a table that seems current is looked at.
    pub check_period: SignedDuration,
    pub stop: CancellationToken,
}

/// Where a pass begins.
#[derive(Debug, PartialEq, Eq)]
enum Beginning {
    After(u64),
    /// The table knows changes that the database does not: it was set back.
    RaiseAbove(u64),
}

impl NumberPublisher {
    /// Brings one region of one tenant up to date.
    pub async fn look(&self) -> Result<Found, NumbersError> {
        let now = self.clock.now();
        let leased = self
            .store
            .number_publication_lease(
                self.ids.uuid(),
                now,
                after(now, LEASED_FOR),
                after(now, -self.check_period),
            )
            .await?;
        let Some(leased) = leased else {
            let completed = self.store.number_publications_complete(now).await?;
            return Ok(if completed {
                Found::Work
            } else {
                Found::Nothing
            });
        };
        if let Err(err) = self.pass(leased.clone()).await {
            tracing::warn!(
                tenant.id = %leased.tenant, region = leased.region, error = %err,
                "listed numbers could not be published; it is tried again"
            );
            let failures = self
                .store
                .number_publication_failed(&leased, &err.to_string())
                .await?;
            let pause = backoff(failures, self.aws.jitter());
            let pause = SignedDuration::try_from(pause).unwrap_or(LEASED_FOR);
            self.store
                .number_publication_put_off(&leased, after(self.clock.now(), pause))
                .await?;
        }
        Ok(Found::Work)
    }

    async fn pass(&self, mut leased: LeasedNumbers) -> Result<(), NumbersError> {
        let table = self.aws.numbers(&leased.region, &leased.tenant.to_string());
        let mut marked = table.marked().await?;
        leased.published = self.beginning(&leased, marked).await?;
        loop {
            let changes = self
                .store
                .listed_numbers_changed(leased.tenant, leased.published, BATCH)
                .await?;
            self.write(&table, leased.tenant, &changes.entries).await?;
            let last = changes.entries.last().map(|entry| entry.revision);
            let is_all = i64::try_from(changes.entries.len()).is_ok_and(|count| count < BATCH);
            let reached = match last {
                Some(last) if is_all => last.max(changes.latest),
                Some(last) => last,
                None => changes.latest,
            };
            if marked != Some(reached) {
                table.mark(reached).await?;
                marked = Some(reached);
            }
            let now = self.clock.now();
            let is_ours = self
                .store
                .number_publication_move(&leased, reached, after(now, LEASED_FOR))
                .await?;
            leased.published = reached;
            if !is_ours {
                return Ok(());
            }
            if is_all {
                break;
            }
            if self.stop.is_cancelled() {
                return Ok(self.store.number_publication_put_off(&leased, now).await?);
            }
        }
        let now = self.clock.now();
        self.store.number_publication_done(&leased, now).await?;
        self.store.listed_numbers_purge(leased.tenant, now).await?;
        Ok(())
    }

    /// The change after which the table has to be told.
    async fn beginning(
        &self,
        leased: &LeasedNumbers,
        marked: Option<u64>,
    ) -> Result<u64, StoreError> {
        let latest = self
            .store
            .listed_numbers_changed(leased.tenant, leased.published, 0)
            .await?
            .latest;
        match beginning(marked, leased.published, latest) {
            Beginning::After(revision) => Ok(revision),
            Beginning::RaiseAbove(standing) => {
                tracing::warn!(
                    tenant.id = %leased.tenant, region = leased.region,
                    "limiters know later lists than the database; all of them are published anew"
                );
                self.store
                    .listed_numbers_raise(leased.tenant, standing)
                    .await?;
                Ok(standing.min(leased.published))
            }
        }
    }

    async fn write(
        &self,
        table: &NumberTable,
        tenant: TenantId,
        entries: &[ChangedNumber],
    ) -> Result<(), NumbersError> {
        let now = self.clock.now();
        let items = entries
            .iter()
            .map(|changed| item(tenant, changed, now))
            .collect::<Result<Vec<_>, _>>()?;
        stream::iter(items)
            .map(|item| table.put(item))
            .buffer_unordered(WRITES_AT_ONCE)
            .try_collect::<()>()
            .await?;
        Ok(())
    }
}

/// `marked`: how far the table says it is; `published`: how far the database says so; `latest`: how far there is.
fn beginning(marked: Option<u64>, published: u64, latest: u64) -> Beginning {
    match marked {
        Some(marked) if marked > latest => Beginning::RaiseAbove(marked),
        marked => Beginning::After(marked.unwrap_or_default().min(published)),
    }
}

fn item(
    tenant: TenantId,
    changed: &ChangedNumber,
    now: Timestamp,
) -> Result<NumberItem, serde_json::Error> {
    let entry = v1::ListedNumber {
        schema: v1::SCHEMA,
        tenant_id: tenant.to_string(),
        number: changed.number.as_str().to_owned(),
        list: match changed.list {
            Some(List::Exemption) => Listed::Exemption,
            Some(List::Block) => Listed::Block,
            None => Listed::None,
        },
        entry_id: changed.id.to_string(),
        expires_at: changed.expires_at,
    };
    Ok(NumberItem {
        number: changed.number.clone(),
        revision: changed.revision,
        entry: serde_json::to_string(&entry)?,
        droppable_at: droppable_at(changed, now),
    })
}

fn droppable_at(changed: &ChangedNumber, now: Timestamp) -> Option<Timestamp> {
    match changed.list {
        None => Some(after(now, REMOVED_KEPT)),
        Some(_) => changed.expires_at.map(|at| after(at, EXPIRED_KEPT)),
    }
}

fn after(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pass_begins_where_table_and_database_both_are() {
        for (marked, published, latest, expected) in [
            (Some(7), 7, 9, Beginning::After(7)),
            // A crash before the position moved.
            (Some(9), 7, 9, Beginning::After(7)),
            // A table that was set back, or is new.
            (Some(3), 7, 9, Beginning::After(3)),
            (None, 7, 9, Beginning::After(0)),
            // A database that was set back.
            (Some(10), 7, 9, Beginning::RaiseAbove(10)),
        ] {
            assert_eq!(beginning(marked, published, latest), expected, "{marked:?}");
        }
    }
}
