//! A tenant's exempt and blocked numbers, read only: one item a number, so that many thousands cost a call one look.

use aws_sdk_dynamodb::Client;
use aws_sdk_dynamodb::types::AttributeValue;
use ringfence_policy::wire::v1::{Listed, ListedNumber};
use ringfence_policy::{List, Listing};

use super::failure::{Class, Failure};

const OPERATION: &str = "looking the number up";

pub(crate) struct ListingTable {
    client: Client,
    table: String,
}

impl ListingTable {
    pub(crate) fn new(client: Client, policies_table: String) -> Self {
        Self {
            client,
            table: policies_table,
        }
    }

    /// An entry that this version cannot read is a failure, not an absence: the number may be blocked.
    pub(crate) async fn find(
        &self,
        tenant_id: &str,
        number: &str,
    ) -> Result<Option<Listing>, Failure> {
        let request = self.client.get_item().table_name(&self.table).key(
            "pk",
            AttributeValue::S(format!("number|{tenant_id}|{number}")),
        );
        let answer = request
            .send()
            .await
            .map_err(|err| Failure::of(OPERATION, &err))?;
        let Some(item) = answer.item else {
            return Ok(None);
        };
        let entry = match item.get("entry") {
            Some(AttributeValue::S(text)) => serde_json::from_str::<ListedNumber>(text).ok(),
            _ => None,
        };
        let entry = entry
            .filter(|entry| entry.tenant_id == tenant_id && entry.number == number)
            .ok_or_else(|| Failure::new(OPERATION, "entry_unreadable", Class::Permanent))?;
        let list = match entry.list {
            Listed::Exemption => List::Exemption,
            Listed::Block => List::Block,
            Listed::None => return Ok(None),
        };
        Ok(Some(Listing {
            list,
            expires_at: entry.expires_at,
        }))
    }
}
