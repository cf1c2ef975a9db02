//! Meters, in the limiters' table of a region. Limiters alone write into them; here they are read, and begun anew.

use std::collections::{BTreeSet, HashMap};

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ringfence_policy::{Log, MeterKey};

use super::error::{AwsError, AwsErrorKind};

const LOG: &str = "log";
const PAST: &str = "past";
const DELETE: &str = "dynamodb:DeleteItem";
/// How often a meter is read again because limiters changed its beginning meanwhile.
const ATTEMPTS: usize = 6;

type Item = HashMap<String, AttributeValue>;

/// The table `ringfence-meters` of one region.
#[derive(Debug, Clone)]
pub struct MeterTable {
    client: Client,
    table: String,
}

impl MeterTable {
    pub(super) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// What stands in the meter's line now; nothing in that of one that nobody has used.
    pub async fn read(&self, key: &MeterKey) -> Result<Log, AwsError> {
        let item = self.item(key).await?.unwrap_or_default();
        Ok(Log::decode(
            item.get(PAST).map(bytes),
            places(&item).iter().map(bytes),
        ))
    }

    /// Forgets all that stands in the meter; whether anything did. An attempt that comes meanwhile is forgotten with the
    /// rest or is the first of the new line; what limiters still want to change in the old one is conditional on what stands
    /// there, and goes nowhere.
    ///
    /// So is this: the line must begin as it was read. A request that the store carries out late, after it was given up and
    /// made again, finds another beginning and takes nothing of what has been counted since.
    pub async fn begin_anew(&self, key: &MeterKey) -> Result<bool, AwsError> {
        let Some(mut seen) = self.item(key).await? else {
            return Ok(false);
        };
        for _ in 0..ATTEMPTS {
            match self.delete(key, &seen).await {
                Err(err) if err.kind == AwsErrorKind::ConditionFailed => {}
                answer => return answer.map(|()| true),
            }
            match self.item(key).await? {
                Some(now) if !began_anew(&seen, &now) => seen = now,
                _ => return Ok(true),
            }
        }
        Err(AwsError::transient(
            DELETE,
            "the meter's beginning is changed again and again",
        ))
    }

    async fn item(&self, key: &MeterKey) -> Result<Option<Item>, AwsError> {
        let answer = self
            .client
            .get_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.stored()))
            .consistent_read(true)
            .send()
            .await
            .map_err(|err| AwsError::from_sdk("dynamodb:GetItem", &err))?;
        Ok(answer.item)
    }

    async fn delete(&self, key: &MeterKey, seen: &Item) -> Result<(), AwsError> {
        let request = self
            .client
            .delete_item()
            .table_name(&self.table)
            .key("pk", AttributeValue::S(key.stored()))
            .expression_attribute_names("#log", LOG);
        let request = match places(seen).first() {
            Some(first) => request
                .condition_expression("#log[0] = :first")
                .expression_attribute_values(":first", first.clone()),
            None => request.condition_expression("attribute_not_exists(#log[0])"),
        };
        request
            .send()
            .await
            .map(drop)
            .map_err(|err| AwsError::from_sdk(DELETE, &err))
    }
}

/// Whether what stands there now is another line than the one seen: none of its attempts, and nothing folded out of it.
/// Then the meter was begun anew in between, by a request of ours whose answer was lost or by somebody else.
fn began_anew(seen: &Item, now: &Item) -> bool {
    let before: BTreeSet<&[u8]> = places(seen).iter().map(attempt).collect();
    let shared = places(now)
        .iter()
        .any(|place| before.contains(attempt(place)));
    !shared && !now.contains_key(PAST)
}

fn places(item: &Item) -> &[AttributeValue] {
    match item.get(LOG) {
        Some(AttributeValue::L(places)) => places,
        _ => &[],
    }
}

/// Time and contact of an entry; what stands before them is its status, which changes.
fn attempt(place: &AttributeValue) -> &[u8] {
    bytes(place).get(1..).unwrap_or_default()
}

fn bytes(value: &AttributeValue) -> &[u8] {
    match value {
        AttributeValue::B(blob) => blob.as_ref(),
        _ => &[],
    }
}

#[cfg(test)]
mod tests {
    use aws_sdk_dynamodb::primitives::Blob;

    use super::*;

    fn item(places: &[&[u8]], past: bool) -> Item {
        let places = places
            .iter()
            .map(|place| AttributeValue::B(Blob::new(*place)));
        let mut item = Item::from([(LOG.to_owned(), AttributeValue::L(places.collect()))]);
        if past {
            item.insert(PAST.to_owned(), AttributeValue::B(Blob::new(*b"past")));
        }
        item
    }

    #[test]
    fn a_line_is_another_one_only_if_nothing_of_the_old_one_is_left() {
        let seen = item(&[b"\0one", b"\0two"], false);
        for (now, is_another) in [
            (item(&[b"\0three"], false), true),
            (item(&[], false), true),
            // Marked, the first place removed, all of them folded into the past.
            (item(&[b"\x01one", b"\0two", b"\0three"], false), false),
            (item(&[b"\0two", b"\0three"], false), false),
            (item(&[b"\0three"], true), false),
        ] {
            assert_eq!(began_anew(&seen, &now), is_another, "{now:?}");
        }
    }
}
