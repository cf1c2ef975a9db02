//! Putting numbers on a tenant's list, one or many.
//!
//! Invariant: decided and written under the lists' lock, so that two requests at once cannot both list a number.

use jiff::Timestamp;

use crate::clock::IdSource;
use crate::domain::ids::EntryId;
use crate::domain::listed_number::{List, ListChange, ListedNumber, WantedNumber, change};
use crate::domain::phone::PhoneNumber;
use crate::store::{EntryPut, StoreError, TenantTx};

/// Who lists numbers, and when.
#[derive(Debug)]
pub struct Listing<'a> {
    pub list: List,
    pub ids: &'a IdSource,
    pub now: Timestamp,
    pub by: &'a str,
}

impl Listing<'_> {
    /// What it takes to have all of `wanted` on the list. The lists stay locked until the transaction ends.
    pub async fn plan(
        &self,
        tx: &mut TenantTx,
        wanted: &[WantedNumber],
    ) -> Result<ListChange, StoreError> {
        let is_first = tx.listed_numbers_lock(self.now).await?;
        if is_first {
            // From now on limiters have something to look up.
            tx.publication_touch(None, self.now).await?;
        }
        let numbers: Vec<&PhoneNumber> = wanted.iter().map(|row| &row.number).collect();
        let standing: Vec<ListedNumber> = tx.listed_numbers_of(&numbers).await?;
        Ok(change(self.list, wanted, &standing, self.now))
    }

    /// Does what was planned; answers the ids of what was added, in order.
    pub async fn carry_out(
        &self,
        tx: &mut TenantTx,
        wanted: &[WantedNumber],
        change: &ListChange,
    ) -> Result<Vec<EntryId>, StoreError> {
        if !change.remove.is_empty() {
            tx.listed_numbers_remove(&change.remove, self.now).await?;
        }
        let changed: Vec<EntryPut<'_>> = change
            .change
            .iter()
            .filter_map(|(before, position)| put(before.id, wanted.get(*position)))
            .collect();
        if !changed.is_empty() {
            tx.listed_numbers_update(&changed).await?;
        }
        let added: Vec<EntryPut<'_>> = change
            .add
            .iter()
            .filter_map(|position| put(EntryId(self.ids.uuid()), wanted.get(*position)))
            .collect();
        if !added.is_empty() {
            tx.listed_numbers_insert(self.list, &added, self.now, self.by)
                .await?;
        }
        Ok(added.iter().map(|entry| entry.id).collect())
    }
}

fn put(id: EntryId, wanted: Option<&WantedNumber>) -> Option<EntryPut<'_>> {
    wanted.map(|wanted| EntryPut { id, wanted })
}
