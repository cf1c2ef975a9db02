//! The stream of decisions that limiters have written, shard by shard and in order.
//!
//! A position is a sequence number, never an iterator: iterators die after a quarter of an hour, sequence numbers
//! live as long as the data (a day).

use aws_sdk_dynamodbstreams::Client;
use aws_sdk_dynamodbstreams::types::{AttributeValue, OperationType, Record, ShardIteratorType};

use jiff::Timestamp;

use super::error::{AwsError, AwsErrorKind};

const BATCH_MAX: i32 = 500;

/// Streams of the table `ringfence-decisions` of one region.
#[derive(Debug, Clone)]
pub struct DecisionStream {
    client: Client,
    table: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamShard {
    pub id: String,
    pub parent_id: Option<String>,
}

/// Where reading a shard goes on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Position {
    Oldest,
    After(String),
    Iterator(String),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StreamEntry {
    pub sequence_number: String,
    /// The record's JSON text; absent when the item was removed or has no record.
    pub record: Option<String>,
    /// To the second.
    pub written_at: Option<Timestamp>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Batch {
    pub entries: Vec<StreamEntry>,
    /// Absent at the end of a closed shard.
    pub next_iterator: Option<String>,
}

impl DecisionStream {
    pub(super) fn new(client: Client, table: String) -> Self {
        Self { client, table }
    }

    /// ARNs of the table's streams; more than one only after the stream was switched off and on again.
    pub async fn streams(&self) -> Result<Vec<String>, AwsError> {
        let mut found = Vec::new();
        let mut start: Option<String> = None;
        loop {
            let page = self
                .client
                .list_streams()
                .table_name(&self.table)
                .set_exclusive_start_stream_arn(start)
                .send()
                .await
                .map_err(|err| AwsError::from_sdk("dynamodb:ListStreams", &err))?;
            found.extend(
                page.streams()
                    .iter()
                    .filter_map(|stream| stream.stream_arn().map(str::to_owned)),
            );
            start = page.last_evaluated_stream_arn().map(str::to_owned);
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// All shards of a stream that still hold data.
    pub async fn shards(&self, stream_arn: &str) -> Result<Vec<StreamShard>, AwsError> {
        let mut found = Vec::new();
        let mut start: Option<String> = None;
        loop {
            let page = self
                .client
                .describe_stream()
                .stream_arn(stream_arn)
                .set_exclusive_start_shard_id(start)
                .send()
                .await
                .map_err(|err| AwsError::from_sdk("dynamodb:DescribeStream", &err))?;
            let Some(description) = page.stream_description() else {
                return Ok(found);
            };
            found.extend(description.shards().iter().filter_map(|shard| {
                Some(StreamShard {
                    id: shard.shard_id()?.to_owned(),
                    parent_id: shard.parent_shard_id().map(str::to_owned),
                })
            }));
            start = description.last_evaluated_shard_id().map(str::to_owned);
            if start.is_none() {
                return Ok(found);
            }
        }
    }

    /// The next records of a shard. A lost position is an error of its own kind: the caller starts at the oldest.
    pub async fn read(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &Position,
    ) -> Result<Batch, AwsError> {
        let Some(iterator) = self.iterator(stream_arn, shard_id, position).await? else {
            return Ok(Batch {
                entries: Vec::new(),
                next_iterator: None,
            });
        };
        let output = self
            .client
            .get_records()
            .shard_iterator(iterator)
            .limit(BATCH_MAX)
            .send()
            .await
            .map_err(|err| AwsError::from_sdk("dynamodb:GetRecords", &err))?;
        Ok(Batch {
            entries: output.records().iter().filter_map(entry).collect(),
            next_iterator: output.next_shard_iterator().map(str::to_owned),
        })
    }

    async fn iterator(
        &self,
        stream_arn: &str,
        shard_id: &str,
        position: &Position,
    ) -> Result<Option<String>, AwsError> {
        let request = self
            .client
            .get_shard_iterator()
            .stream_arn(stream_arn)
            .shard_id(shard_id);
        let request = match position {
            Position::Iterator(iterator) => return Ok(Some(iterator.clone())),
            Position::Oldest => request.shard_iterator_type(ShardIteratorType::TrimHorizon),
            Position::After(sequence_number) => request
                .shard_iterator_type(ShardIteratorType::AfterSequenceNumber)
                .sequence_number(sequence_number),
        };
        let answer = request
            .send()
            .await
            .map_err(|err| AwsError::from_sdk("dynamodb:GetShardIterator", &err));
        match answer {
            Ok(output) => Ok(output.shard_iterator().map(str::to_owned)),
            // The shard's last record has aged out of the stream; nothing can follow it.
            Err(err) if err.kind == AwsErrorKind::NotFound => Ok(None),
            Err(err) => Err(err),
        }
    }
}

fn entry(record: &Record) -> Option<StreamEntry> {
    let data = record.dynamodb()?;
    let written = matches!(
        record.event_name(),
        Some(OperationType::Insert | OperationType::Modify)
    );
    let text = data
        .new_image()
        .and_then(|image| image.get("record"))
        .and_then(|value| match value {
            AttributeValue::S(text) => Some(text.clone()),
            _ => None,
        });
    Some(StreamEntry {
        sequence_number: data.sequence_number()?.to_owned(),
        record: text.filter(|_| written),
        written_at: data
            .approximate_creation_date_time()
            .and_then(|at| Timestamp::from_second(at.secs()).ok()),
    })
}
