//! An audit row as the API shows it.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use crate::store::AuditEntry;

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = AuditEntry)]
pub(super) struct AuditEntryBody {
    /// Counts the log's entries from 1, without a gap.
    #[schema(example = 42)]
    seq: i64,
    #[schema(value_type = String, format = DateTime)]
    at: Timestamp,
    /// Who it was: `member:mem_…`, `api_key:key_…`, the bearer of a token as `token:<subject>` or, of an issuer of the tenant,
    /// `token:iss_…:<subject>`; `person:per_…` who is no member; an operator as `operator:opk_…` (a key), `operator:per_…` (in a
    /// browser) or `operator:<subject>` (a token); `worker` or `console` for Ringfence itself.
    #[schema(example = "api_key:key_01890a5d000070008000000000000000")]
    actor: String,
    #[schema(example = "policy.put")]
    action: String,
    /// The id of what was changed.
    #[schema(example = "pol_01890a5d000070008000000000000000")]
    target: String,
    /// What it was, as far as there was anything.
    #[schema(value_type = Option<BTreeMap<String, Value>>, example = json!({ "version": 2 }))]
    before: Option<Value>,
    /// What it became; absent after a deletion.
    #[schema(value_type = Option<BTreeMap<String, Value>>, example = json!({ "version": 3 }))]
    after: Option<Value>,
    #[schema(example = "req_01890a5d000070008000000000000000")]
    request_id: Option<String>,
    /// Where the request came from.
    #[schema(example = "203.0.113.7")]
    ip: Option<String>,
    /// SHA-256, in hexadecimal, of the hash of the entry before (32 bytes; none before the first) followed by `content`.
    #[schema(
        pattern = "^[0-9a-f]{64}$",
        example = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    )]
    hash: String,
    /// What is hashed: all of the entry, as one line of JSON.
    #[schema(example = "{\"seq\":42,\"action\":\"policy.put\"}")]
    content: String,
}

impl From<AuditEntry> for AuditEntryBody {
    fn from(entry: AuditEntry) -> Self {
        Self {
            seq: entry.seq,
            at: entry.at,
            actor: entry.actor,
            action: entry.action,
            target: entry.target,
            before: entry.before,
            after: entry.after,
            request_id: entry.request_id,
            ip: entry.ip,
            hash: hex::encode(entry.hash),
            content: entry.content,
        }
    }
}
