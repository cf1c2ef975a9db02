//! Decisions as they came back from the limiters: reading. How they get here is in `ingest`.

use jiff::Timestamp;
use ringfence_policy::wire::v1::DecisionRecord;
use serde_json::Value;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, to_db};
use super::{StoreError, TenantTx};
use crate::domain::ids::{DecisionId, InstanceId};

#[derive(Debug, Clone)]
pub struct StoredDecision {
    pub id: DecisionId,
    pub instance_id: InstanceId,
    pub at: Timestamp,
    pub record: DecisionRecord,
}

/// All that are given must hold.
#[derive(Debug, Clone, Default)]
pub struct DecisionFilter {
    pub instance: Option<InstanceId>,
    pub outcome: Option<String>,
    pub rule_id: Option<String>,
}

/// Where a list goes on: after this decision.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub at: Timestamp,
    pub id: DecisionId,
}

struct Row {
    id: Uuid,
    instance_id: Uuid,
    at: OffsetDateTime,
    record: Value,
}

impl TryFrom<Row> for StoredDecision {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = DecisionId(row.id);
        let record = serde_json::from_value(row.record).map_err(|err| StoreError::Corrupt {
            what: "decisions.record",
            // Without the error's text, which may quote a number.
            detail: format!("{id}: line {}, column {}", err.line(), err.column()),
        })?;
        Ok(Self {
            id,
            instance_id: InstanceId(row.instance_id),
            at: from_db(row.at)?,
            record,
        })
    }
}

impl TenantTx {
    pub async fn decision_get(
        &mut self,
        id: DecisionId,
    ) -> Result<Option<StoredDecision>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, instance_id, at, record from decisions where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(StoredDecision::try_from).transpose()
    }

    /// Newest first, those after `cursor`.
    pub async fn decision_list(
        &mut self,
        filter: &DecisionFilter,
        cursor: Option<Cursor>,
        limit: i64,
    ) -> Result<Vec<StoredDecision>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select id, instance_id, at, record from decisions
             where tenant_id = $1
                 and ($2::uuid is null or instance_id = $2)
                 and ($3::text is null or outcome = $3)
                 and ($4::text is null or rule_id = $4)
                 and ($5::timestamptz is null or (at, id) < ($5, $6::uuid))
             order by at desc, id desc limit $7",
            tenant_id,
            filter.instance.map(|id| id.0),
            filter.outcome,
            filter.rule_id,
            cursor.map(|cursor| to_db(cursor.at)),
            cursor.map(|cursor| cursor.id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(StoredDecision::try_from).collect()
    }
}
