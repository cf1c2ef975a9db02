//! Brings decisions from the limiters' stream into the database.
//!
//! Invariants: the position moves in the transaction that stores what was read, and only from where it stood, so any
//! number of processes lose nothing and take nothing twice; a child shard is read after its parent's end, so that an
//! attempt's later record never loses to its earlier one. Failure: a lost position starts the shard at its oldest
//! record (storing is idempotent); a record that cannot be read is logged and passed over, since it never will be.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use ringfence_policy::wire::v1::DecisionRecord;
use serde::Deserialize;
use serde_json::Value;

use crate::aws::{
    Aws, AwsError, AwsErrorKind, Batch, DecisionStream, Position, StreamEntry, StreamShard,
};
use crate::clock::{Clock, IdSource};
use crate::domain::ids::{DecisionId, InstanceId, TenantId};
use crate::metrics;
use crate::store::{Checkpoint, NewDecision, ShardName, Store, StoreError, Stored};

use super::call_events::call_events;
use super::deferred;
use super::driver::Found;
use super::stream_lag::StreamLag;

#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A shard whose turn it is, and how far it has been read.
type Due = (ShardName, Checkpoint);

/// Reads the decisions of one region.
#[derive(Debug)]
pub struct Ingest {
    store: Store,
    stream: DecisionStream,
    region: String,
    clock: Clock,
    ids: IdSource,
    /// Iterators save a request each and lead through empty stretches; losing them loses nothing. Each holds only for
    /// the checkpoint that it was got at: another process may have read on since.
    iterators: HashMap<ShardName, (Checkpoint, String)>,
    lag: StreamLag,
}

impl Ingest {
    #[must_use]
    pub fn new(store: Store, aws: &Arc<Aws>, region: &str, clock: Clock, ids: IdSource) -> Self {
        let lag = StreamLag::new(clock.now());
        Self {
            store,
            stream: aws.decision_stream(region),
            region: region.to_owned(),
            clock,
            ids,
            iterators: HashMap::new(),
            lag,
        }
    }

    /// Reads one batch of every shard whose turn it is. A shard, or a stream, that fails keeps no other back.
    pub async fn look(&mut self) -> Result<Found, IngestError> {
        let found = self.read_all().await;
        // Most of all where nothing could be read.
        metrics::stream_lag(&self.region, self.lag.at(self.clock.now()));
        found
    }

    async fn read_all(&mut self) -> Result<Found, IngestError> {
        let mut found = Found::Nothing;
        let (due, mut failure) = self.list().await?;
        for (name, checkpoint) in due {
            match self.read_shard(&name, &checkpoint).await {
                Ok(Found::Work) => found = Found::Work,
                Ok(Found::Nothing) => {}
                Err(err) => failure = Some(err),
            }
        }
        failure.map_or(Ok(found), Err)
    }

    /// The shards whose turn it is, of every stream that can be listed, and how far each has been read; why another cannot.
    async fn list(&mut self) -> Result<(Vec<Due>, Option<IngestError>), IngestError> {
        let now = self.clock.now();
        let mut due = Vec::new();
        let mut open = Vec::new();
        let mut failure = None;
        for stream_arn in self.stream.streams().await? {
            match self.list_stream(&stream_arn, &mut open).await {
                Ok(shards) => due.extend(shards),
                Err(err) => failure = Some(err),
            }
        }
        if failure.is_none() {
            self.lag.listed(open, now);
        }
        Ok((due, failure))
    }

    /// The shards whose turn it is; all that are not read to their end are added to `open`.
    async fn list_stream(
        &self,
        stream_arn: &str,
        open: &mut Vec<ShardName>,
    ) -> Result<Vec<Due>, IngestError> {
        let shards = self.stream.shards(stream_arn).await?;
        let mut checkpoints = self.store.checkpoint_list(&self.region, stream_arn).await?;
        let name = |shard: &StreamShard| ShardName {
            region: self.region.clone(),
            stream_arn: stream_arn.to_owned(),
            shard_id: shard.id.clone(),
        };
        let unfinished = shards
            .iter()
            .filter(|shard| !is_finished(&shard.id, &checkpoints));
        open.extend(unfinished.map(name));
        let due = readable(&shards, &checkpoints).into_iter().map(|shard| {
            let checkpoint = checkpoints.remove(&shard.id).unwrap_or_default();
            (name(shard), checkpoint)
        });
        Ok(due.collect())
    }

    async fn read_shard(
        &mut self,
        name: &ShardName,
        checkpoint: &Checkpoint,
    ) -> Result<Found, IngestError> {
        let batch = self.read(name, checkpoint).await?;
        let finished = batch.next_iterator.is_none();
        let moved = !batch.entries.is_empty();
        self.lag.read(name, self.read_to(&batch));
        let to = Checkpoint {
            sequence_number: batch
                .entries
                .last()
                .map(|entry| entry.sequence_number.clone())
                .or_else(|| checkpoint.sequence_number.clone()),
            finished,
        };
        if (moved || finished) && !self.store_batch(name, checkpoint, &to, &batch).await? {
            // Another process was faster; go on from where it stands.
            return Ok(Found::Work);
        }
        if let Some(iterator) = batch.next_iterator {
            self.iterators.insert(name.clone(), (to, iterator));
        }
        Ok(if moved || finished {
            Found::Work
        } else {
            Found::Nothing
        })
    }

    async fn read(&mut self, name: &ShardName, checkpoint: &Checkpoint) -> Result<Batch, AwsError> {
        let after_checkpoint = match &checkpoint.sequence_number {
            Some(number) => Position::After(number.clone()),
            None => Position::Oldest,
        };
        let mut ways = vec![after_checkpoint, Position::Oldest];
        if let Some((at, iterator)) = self.iterators.remove(name)
            && at == *checkpoint
        {
            ways.insert(0, Position::Iterator(iterator));
        }
        let mut lost = None;
        for position in ways {
            match self
                .stream
                .read(&name.stream_arn, &name.shard_id, &position)
                .await
            {
                Err(err) if err.kind == AwsErrorKind::StreamPositionLost => lost = Some(err),
                answer => return answer,
            }
        }
        Err(lost.unwrap_or_else(|| AwsError {
            action: "dynamodb:GetRecords",
            kind: AwsErrorKind::Transient,
            message: String::new(),
        }))
    }

    /// False: the checkpoint stands elsewhere, and nothing was stored.
    async fn store_batch(
        &self,
        name: &ShardName,
        from: &Checkpoint,
        to: &Checkpoint,
        batch: &Batch,
    ) -> Result<bool, StoreError> {
        let decisions = self.decisions(&batch.entries);
        let now = self.clock.now();
        let at_once = self
            .store
            .decisions_ingest(name, from, to, &decisions, false, now)
            .await;
        let stored = match at_once {
            Err(StoreError::Database(_)) => {
                self.store
                    .decisions_ingest(name, from, to, &decisions, true, now)
                    .await?
            }
            answer => answer?,
        };
        match stored {
            Stored::Overtaken => Ok(false),
            Stored::Now { refused, unowned } => {
                if unowned > 0 {
                    tracing::warn!(
                        region = self.region,
                        unowned,
                        "decisions on instances that nobody has proved were left out"
                    );
                }
                for sequence_number in refused {
                    tracing::error!(
                        region = self.region,
                        sequence_number,
                        "a decision was refused by the database; it is passed over"
                    );
                }
                Ok(true)
            }
        }
    }

    /// When the batch's first record was written. An empty batch is the end of what there is, or a stretch without
    /// records that passes in a moment.
    fn read_to(&self, batch: &Batch) -> Timestamp {
        let first = batch.entries.first().and_then(|entry| entry.written_at);
        first.unwrap_or_else(|| self.clock.now())
    }

    /// The last record of each attempt.
    fn decisions(&self, entries: &[StreamEntry]) -> Vec<NewDecision> {
        let mut latest = BTreeMap::new();
        for entry in entries {
            let Some(text) = &entry.record else { continue };
            match self.decision(text, &entry.sequence_number) {
                Ok(decision) => {
                    latest.insert(
                        (decision.instance_arn.clone(), decision.contact_id.clone()),
                        decision,
                    );
                }
                Err(why) => tracing::error!(
                    region = self.region,
                    sequence_number = entry.sequence_number,
                    why,
                    "a decision record is not readable; it is passed over"
                ),
            }
        }
        latest.into_values().collect()
    }

    fn decision(&self, text: &str, sequence_number: &str) -> Result<NewDecision, &'static str> {
        let mut document: Value = serde_json::from_str(text).map_err(|_| "no JSON")?;
        without_nul(&mut document);
        let record = DecisionRecord::deserialize(&document).map_err(|_| "not a decision record")?;
        let notice = deferred::notice(&record);
        let told_agent = deferred::told_agent(&record);
        let events = call_events(&record, &self.ids);
        Ok(NewDecision {
            id: DecisionId(self.ids.uuid()),
            sequence_number: sequence_number.to_owned(),
            owner: owner(&record)?,
            instance_arn: record.instance_arn,
            contact_id: record.contact_id,
            at: record.at,
            outcome: record.outcome.as_str(),
            rule_id: record.rule_id,
            notice,
            told_agent,
            events,
            record: document,
        })
    }
}

/// Whom the limiter took the attempt for. Both ids are empty where it could read no policy.
fn owner(record: &DecisionRecord) -> Result<Option<(TenantId, InstanceId)>, &'static str> {
    if record.tenant_id.is_empty() && record.instance_id.is_empty() {
        return Ok(None);
    }
    let tenant = record.tenant_id.parse().map_err(|_| "no tenant's id")?;
    let instance = record.instance_id.parse().map_err(|_| "no instance's id")?;
    Ok(Some((tenant, instance)))
}

/// Postgres keeps every character but this one, and what an agent dials may hold any.
fn without_nul(value: &mut Value) {
    match value {
        Value::String(text) if text.contains('\0') => *text = text.replace('\0', "\u{fffd}"),
        Value::Array(items) => items.iter_mut().for_each(without_nul),
        Value::Object(members) => members.values_mut().for_each(without_nul),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Shards that still have something to give and whose parent is read to its end or is gone.
fn readable<'a>(
    shards: &'a [StreamShard],
    checkpoints: &BTreeMap<String, Checkpoint>,
) -> Vec<&'a StreamShard> {
    let listed: BTreeSet<&str> = shards.iter().map(|shard| shard.id.as_str()).collect();
    shards
        .iter()
        .filter(|shard| !is_finished(&shard.id, checkpoints))
        .filter(|shard| {
            shard
                .parent_id
                .as_deref()
                .is_none_or(|parent| is_finished(parent, checkpoints) || !listed.contains(parent))
        })
        .collect()
}

fn is_finished(shard_id: &str, checkpoints: &BTreeMap<String, Checkpoint>) -> bool {
    checkpoints
        .get(shard_id)
        .is_some_and(|checkpoint| checkpoint.finished)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(id: &str, parent: Option<&str>) -> StreamShard {
        StreamShard {
            id: id.to_owned(),
            parent_id: parent.map(str::to_owned),
        }
    }

    #[test]
    fn a_child_shard_waits_for_its_parents_end() {
        let shards = [
            shard("child", Some("parent")),
            shard("parent", None),
            shard("orphan", Some("aged-out")),
        ];
        let ids = |checkpoints: &BTreeMap<String, Checkpoint>| -> Vec<String> {
            readable(&shards, checkpoints)
                .iter()
                .map(|shard| shard.id.clone())
                .collect()
        };
        assert_eq!(ids(&BTreeMap::new()), ["parent", "orphan"]);
        let finished = Checkpoint {
            sequence_number: None,
            finished: true,
        };
        assert_eq!(
            ids(&BTreeMap::from([("parent".to_owned(), finished)])),
            ["child", "orphan"]
        );
    }
}
