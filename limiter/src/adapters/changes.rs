//! Changes of what stands in a meter: entries are marked, dead ones removed and old ones folded.
//!
//! Places in a log shift when somebody compacts it, so every change of a place is conditional on what stands there.

use aws_sdk_dynamodb::config::http::HttpResponse;
use aws_sdk_dynamodb::error::SdkError;
use aws_sdk_dynamodb::operation::update_item::UpdateItemError;
use aws_sdk_dynamodb::operation::update_item::builders::UpdateItemFluentBuilder;
use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::{AttributeValue, ReturnValuesOnConditionCheckFailure};
use ringfence_policy::{Compaction, ContactKey, Entry, EntryStatus, Log};

use super::failure::{Class, Failure};
use super::meters::{AsStored, Meter, PAST, StoredLog, stored};

/// How often a mark is tried again because the places had shifted.
const MARK_ATTEMPTS: usize = 6;
/// Keeps the expression well under DynamoDB's 4 KB and 300 operators.
pub(crate) const COMPACTED_AT_ONCE: usize = 64;

/// Which of the places that a contact holds are given another status.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Places {
    All,
    /// One's own, if no other delivery of the contact was seen in any line; one that came later has places of its own.
    OwnIfAlone,
}

impl Meter {
    /// Gives the places that a contact holds another status. Repeated deliveries and repeated requests may have left several.
    pub(crate) async fn mark(
        &self,
        contact: ContactKey,
        status: EntryStatus,
        seen: &Log,
        places: Places,
    ) -> Result<(), Failure> {
        let mut request = self.mark_request(contact, status, seen, places);
        for _ in 0..MARK_ATTEMPTS {
            let Some(mark) = request else {
                return Ok(());
            };
            match mark.send().await {
                Ok(_) => return Ok(()),
                Err(err) => {
                    let seen = shifted("marking", err)?;
                    request = self.mark_request(contact, status, &seen.log, places);
                }
            }
        }
        Err(Failure::new("marking", "contended", Class::Condition))
    }

    fn mark_request(
        &self,
        contact: ContactKey,
        status: EntryStatus,
        seen: &Log,
        places: Places,
    ) -> Option<UpdateItemFluentBuilder> {
        let mut request = self
            .update()
            .return_values_on_condition_check_failure(ReturnValuesOnConditionCheckFailure::AllOld);
        let (mut sets, mut conditions) = (Vec::new(), Vec::new());
        for place in to_mark(seen, contact, places) {
            let entry = (*seen.places().get(place)?)?;
            sets.push(format!("#log[{place}] = :new{place}"));
            conditions.push(format!("#log[{place}] = :old{place}"));
            request = request
                .expression_attribute_values(
                    format!(":new{place}"),
                    stored(&Entry { status, ..entry }),
                )
                .expression_attribute_values(format!(":old{place}"), stored(&entry));
        }
        if sets.is_empty() {
            return None;
        }
        Some(
            request
                .update_expression(format!("SET {}", sets.join(", ")))
                .condition_expression(conditions.join(" AND ")),
        )
    }

    /// The request that removes places and writes what is remembered of them.
    pub(crate) fn compact(
        &self,
        seen: &Log,
        as_stored: &AsStored,
        compaction: &Compaction,
    ) -> Option<Compacting> {
        let mut request = self.update();
        let (mut removed, mut conditions) = (Vec::new(), Vec::new());
        for place in compaction.remove.iter().rev() {
            let value = match seen.places().get(*place)? {
                Some(entry) => stored(entry),
                None => as_stored
                    .unreadable
                    .iter()
                    .find(|(odd, _)| odd == place)?
                    .1
                    .clone(),
            };
            removed.push(format!("#log[{place}]"));
            conditions.push(format!("#log[{place}] = :old{place}"));
            request = request.expression_attribute_values(format!(":old{place}"), value);
        }
        // The last first: a server that shifts the list after each removal takes the same places.
        let mut update = format!("REMOVE {}", removed.join(", "));
        if let Some(past) = &compaction.past {
            update.push_str(" SET #past = :past");
            let past = AttributeValue::B(Blob::new(past.as_slice()));
            request = request
                .expression_attribute_names("#past", PAST)
                .expression_attribute_values(":past", past);
            match &as_stored.past {
                Some(before) => {
                    conditions.push("#past = :before".to_owned());
                    request = request.expression_attribute_values(":before", before.clone());
                }
                None => conditions.push("attribute_not_exists(#past)".to_owned()),
            }
        }
        Some(Compacting(
            request
                .update_expression(update)
                .condition_expression(conditions.join(" AND ")),
        ))
    }
}

/// Whoever was alone when it looked stands first, so its own place is the first; once that is marked, what follows is not
/// its own.
fn to_mark(seen: &Log, contact: ContactKey, places: Places) -> Vec<usize> {
    let mut held = seen.held_by(contact);
    if places == Places::OwnIfAlone {
        let own = |entry: &&Entry| entry.contact == contact;
        let first = seen.places().iter().flatten().find(own);
        let marked = first.is_none_or(|entry| !entry.status.is_held());
        held.truncate(usize::from(!marked));
    }
    held
}

/// A compaction that is ready to be sent. It may wait: it is refused where a place, or the past, has changed since.
pub(crate) struct Compacting(UpdateItemFluentBuilder);

impl Compacting {
    /// Where the log has shifted meanwhile somebody else has just compacted it, which is as good.
    pub(crate) async fn send(self) -> Result<(), Failure> {
        match self.0.send().await {
            Ok(_) => Ok(()),
            Err(err) => shifted("compacting", err).map(|_| ()),
        }
    }
}

/// The log as it stands where a condition failed; any other error stays one.
fn shifted(
    operation: &'static str,
    err: SdkError<UpdateItemError, HttpResponse>,
) -> Result<StoredLog, Failure> {
    let failure = Failure::of(operation, &err);
    match err.into_service_error() {
        UpdateItemError::ConditionalCheckFailedException(refused) => {
            Ok(StoredLog::of(refused.item))
        }
        _ => Err(failure),
    }
}
