//! What somebody else changed of an installation: since when, and until when.

use jiff::Timestamp;
use time::OffsetDateTime;

use super::time::{from_db, from_db_opt, to_db};
use super::{StoreError, TenantTx};
use crate::domain::drift::{Difference, DriftKind};
use crate::domain::ids::InstanceId;

/// Those that an installation shows.
const SHOWN_MAX: i64 = 100;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SeenDrift {
    pub difference: Difference,
    pub since: Timestamp,
    /// It is as it should be again.
    pub ended_at: Option<Timestamp>,
}

struct Row {
    kind: String,
    target: String,
    name: String,
    mended: bool,
    since: OffsetDateTime,
    ended_at: Option<OffsetDateTime>,
}

impl SeenDrift {
    /// Somebody changed this flow of ours, by key, and it was not put right.
    #[must_use]
    pub fn is_open_of_flow(&self, key: &str) -> bool {
        let Difference { kind, target, .. } = &self.difference;
        let is_of_flow = matches!(kind, DriftKind::FlowEdited | DriftKind::FlowDeleted);
        self.ended_at.is_none() && is_of_flow && target == key
    }
}

impl TryFrom<Row> for SeenDrift {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let (kind, target) =
            from_stored(&row.kind, row.target).ok_or_else(|| StoreError::Corrupt {
                what: "installation_drift.kind",
                detail: row.kind.clone(),
            })?;
        Ok(Self {
            difference: Difference {
                kind,
                target,
                name: row.name,
                mended: row.mended,
            },
            since: from_db(row.since)?,
            ended_at: from_db_opt(row.ended_at)?,
        })
    }
}

impl TenantTx {
    /// Of these kinds there is what was seen now, and nothing else any more but what `lasts`, by kind and target. Answers
    /// what is new.
    pub async fn drift_seen(
        &mut self,
        instance: InstanceId,
        kinds: &[DriftKind],
        seen: &[Difference],
        lasts: &[(DriftKind, String)],
        now: Timestamp,
    ) -> Result<Vec<SeenDrift>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let kinds: Vec<String> = kinds.iter().map(|kind| stored(*kind, "").0).collect();
        let seen_keys: Vec<(DriftKind, String)> = seen.iter().map(Difference::key).collect();
        let (open_kinds, open_targets) = columns(seen_keys.iter().chain(lasts));
        let (seen_kinds, targets) = columns(&seen_keys);
        sqlx::query!(
            "update installation_drift set ended_at = $4
             where tenant_id = $1 and instance_id = $2 and ended_at is null and kind = any($3)
                 and (kind, target) not in (select kind, target from unnest($5::text[], $6::text[]) as seen (kind, target))",
            tenant_id,
            instance.0,
            &kinds,
            to_db(now),
            &open_kinds,
            &open_targets,
        )
        .execute(self.connection())
        .await?;
        let names: Vec<String> = seen.iter().map(|seen| seen.name.clone()).collect();
        let mended: Vec<bool> = seen.iter().map(|seen| seen.mended).collect();
        let new = sqlx::query_as!(
            Row,
            "insert into installation_drift (tenant_id, instance_id, kind, target, name, mended, since)
             select $1, $2, kind, target, name, mended, $3
             from unnest($4::text[], $5::text[], $6::text[], $7::boolean[]) as seen (kind, target, name, mended)
             on conflict on constraint installation_drift_pkey do update
             set name = excluded.name, mended = excluded.mended, since = excluded.since, ended_at = null
             where installation_drift.ended_at is not null
             returning kind, target, name, mended, since, ended_at",
            tenant_id,
            instance.0,
            to_db(now),
            &seen_kinds,
            &targets,
            &names,
            &mended,
        )
        .fetch_all(self.connection())
        .await?;
        new.into_iter().map(SeenDrift::try_from).collect()
    }

    /// These are as they should be again, by kind and target.
    pub async fn drift_end(
        &mut self,
        instance: InstanceId,
        ended: &[(DriftKind, String)],
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        let (kinds, targets) = columns(ended);
        sqlx::query!(
            "update installation_drift set ended_at = $3
             where tenant_id = $1 and instance_id = $2 and ended_at is null
                 and (kind, target) in (select kind, target from unnest($4::text[], $5::text[]) as ended (kind, target))",
            tenant_id,
            instance.0,
            to_db(now),
            &kinds,
            &targets,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// What is open first, then the newest.
    pub async fn drift_list(&mut self, instance: InstanceId) -> Result<Vec<SeenDrift>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select kind, target, name, mended, since, ended_at from installation_drift
             where tenant_id = $1 and instance_id = $2
             order by ended_at desc nulls first, since desc, kind, target limit $3",
            tenant_id,
            instance.0,
            SHOWN_MAX,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(SeenDrift::try_from).collect()
    }
}

fn columns<'a>(
    keys: impl IntoIterator<Item = &'a (DriftKind, String)>,
) -> (Vec<String>, Vec<String>) {
    keys.into_iter()
        .map(|(kind, target)| stored(*kind, target))
        .unzip()
}

/// Kind and target as they stand in the table. What keeps the roles from serving stands under one word, which the previous
/// version knows as well, with the finer one in the place of the target that it does not have.
fn stored(kind: DriftKind, target: &str) -> (String, String) {
    if kind.is_of_access() && kind != DriftKind::AccessLost {
        let one = DriftKind::AccessLost.as_str();
        return (one.to_owned(), kind.as_str().to_owned());
    }
    (kind.as_str().to_owned(), target.to_owned())
}

fn from_stored(kind: &str, target: String) -> Option<(DriftKind, String)> {
    let kind = DriftKind::parse(kind)?;
    if kind == DriftKind::AccessLost {
        let finer = DriftKind::parse(&target).filter(|finer| finer.is_of_access());
        return Some((finer.unwrap_or(kind), String::new()));
    }
    Some((kind, target))
}
