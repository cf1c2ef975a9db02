//! A listed number as the API takes and shows it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::app::number_csv::{NOT_A_NUMBER, REASON_MAX};
use crate::domain::listed_number::{ListedNumber, WantedNumber};
use crate::domain::phone::PhoneNumber;
use crate::http::fields::{Fields, FromFields};

#[derive(Debug, ToSchema)]
pub(super) struct NewListedNumber {
    /// In E.164: `+`, country code, number. Spaces and the like are passed over.
    #[schema(value_type = String, example = "+12065550100")]
    number: PhoneNumber,
    #[schema(max_length = 200, example = "Asked not to be called")]
    reason: String,
    /// In the future; if not given, the entry stays until it is removed.
    #[schema(value_type = Option<String>, format = DateTime, example = "2027-01-01T00:00:00Z")]
    expires_at: Option<Timestamp>,
}

impl FromFields for NewListedNumber {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let number = fields.parsed("number", PhoneNumber::read, NOT_A_NUMBER);
        let reason = fields.text("reason", REASON_MAX);
        let expires_at = fields.optional_time("expires_at");
        Some(Self {
            number: number?,
            reason: reason?,
            expires_at,
        })
    }
}

impl From<NewListedNumber> for WantedNumber {
    fn from(new: NewListedNumber) -> Self {
        Self {
            number: new.number,
            reason: new.reason,
            expires_at: new.expires_at,
        }
    }
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ListedNumber)]
pub(super) struct ListedNumberBody {
    #[schema(example = "ent_01890a5d000070008000000000000000")]
    id: String,
    /// As the limiters count it, in E.164.
    #[schema(example = "+12065550100")]
    number: String,
    #[schema(example = "Asked not to be called")]
    reason: String,
    /// From then on the entry has no effect.
    #[schema(value_type = Option<String>, format = DateTime)]
    expires_at: Option<Timestamp>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
    /// Who listed it: `api_key:key_…`, `token:…` or `operator:opk_…`.
    #[schema(example = "api_key:key_01890a5d000070008000000000000000")]
    created_by: String,
}

impl From<ListedNumber> for ListedNumberBody {
    fn from(entry: ListedNumber) -> Self {
        Self {
            id: entry.id.to_string(),
            number: entry.number.as_str().to_owned(),
            reason: entry.reason,
            expires_at: entry.expires_at,
            created_at: entry.created_at,
            created_by: entry.created_by,
        }
    }
}

/// As the audit log keeps it: entries go after a while, who did what with which number must not.
pub(super) fn audited(entry: &ListedNumber) -> Value {
    json!({
        "number": entry.number.as_str(),
        "reason": entry.reason,
        "expires_at": entry.expires_at,
    })
}

/// The same of an entry as it is wanted.
pub(super) fn audited_wanted(wanted: &WantedNumber) -> Value {
    json!({
        "number": wanted.number.as_str(),
        "reason": wanted.reason,
        "expires_at": wanted.expires_at,
    })
}
