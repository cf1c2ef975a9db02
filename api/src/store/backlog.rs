//! How much waits to be done in the whole service, for its operator.

use jiff::Timestamp;

use super::time::to_db;
use super::{StoreError, SystemTx};

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Backlog {
    /// How many installations are in each state.
    pub installations: Vec<(String, i64)>,
    /// How long the installation that waits longest for a worker has been due.
    pub reconcile_lag_seconds: f64,
    pub publications_waiting: i64,
    /// How long the publication that waits longest for the publisher has been due.
    pub publication_lag_seconds: f64,
    pub notices_waiting: i64,
    /// How long ago the oldest waiting notice's call was denied.
    pub notice_lag_seconds: f64,
    pub shards: Vec<ShardUse>,
}

/// How full a limiter function is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ShardUse {
    pub function_arn: String,
    pub region: String,
    /// Those that are leaving included.
    pub instances: i64,
    pub capacity: i64,
    pub takes_instances: bool,
}

impl SystemTx {
    pub async fn backlog(&mut self, now: Timestamp) -> Result<Backlog, StoreError> {
        let now = to_db(now);
        let installations = sqlx::query!(
            r#"select known.state as "state!", count(i.state) as "count!"
               from unnest(array['pending', 'installing', 'installed', 'blocked', 'uninstalling', 'uninstalled']) as known (state)
               left join installations i on i.state = known.state
               group by known.state order by known.state"#
        )
        .fetch_all(self.connection())
        .await?;
        let waits = sqlx::query!(
            r#"select
                   coalesce(extract(epoch from $1 - (select min(next_due_at) from installations
                       where lease_expires_at is null or lease_expires_at <= $1)), 0)::float8 as "reconcile!",
                   (select count(*) from publications where active and published < wanted) as "publications!",
                   coalesce(extract(epoch from $1 - (select min(next_due_at) from publications
                       where active and published < wanted)), 0)::float8 as "publication!",
                   (select count(*) from deferred_notices where state = 'waiting') as "notices!",
                   coalesce(extract(epoch from $1 - (select min(denied_at) from deferred_notices
                       where state = 'waiting')), 0)::float8 as "notice!""#,
            now,
        )
        .fetch_one(self.connection())
        .await?;
        let shards = sqlx::query!(
            r#"select s.function_arn, s.region, s.capacity::bigint as "capacity!", count(a.instance_id) as "instances!",
                   s.in_service and not s.draining as "takes_instances!"
               from shards s left join shard_assignments a on s.function_arn in (a.function_arn, a.leaving_arn)
               where s.in_service or a.instance_id is not null
               group by s.function_arn order by s.function_arn"#
        )
        .fetch_all(self.connection())
        .await?;
        Ok(Backlog {
            installations: installations
                .into_iter()
                .map(|row| (row.state, row.count))
                .collect(),
            reconcile_lag_seconds: waits.reconcile.max(0.0),
            publications_waiting: waits.publications,
            publication_lag_seconds: waits.publication.max(0.0),
            notices_waiting: waits.notices,
            notice_lag_seconds: waits.notice.max(0.0),
            shards: shards
                .into_iter()
                .map(|row| ShardUse {
                    function_arn: row.function_arn,
                    region: row.region,
                    takes_instances: row.takes_instances,
                    instances: row.instances,
                    capacity: row.capacity,
                })
                .collect(),
        })
    }
}
