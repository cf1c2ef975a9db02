//! What operators watch, in Prometheus' text format.
//!
//! Counters and histograms are this process's own. What is read from the database ([`Backlog`]) is the whole service's,
//! and every process tells the same. Labels are routes, workers, regions, functions: nothing that grows with tenants,
//! numbers or agents.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use metrics::{
    Unit, counter, describe_counter, describe_gauge, describe_histogram, gauge, histogram,
};
use metrics_exporter_prometheus::{BuildError, PrometheusBuilder, PrometheusHandle};

use crate::store::{Backlog, PoolUse, ShardUse};

const HTTP_REQUESTS: &str = "ringfence_http_requests_total";
const HTTP_SECONDS: &str = "ringfence_http_request_duration_seconds";
const WORKER_PASSES: &str = "ringfence_worker_passes_total";
const WORKER_SECONDS: &str = "ringfence_worker_pass_duration_seconds";
const DATABASE_UP: &str = "ringfence_database_up";
const POOL: &str = "ringfence_database_connections";
const POOL_MAX: &str = "ringfence_database_connections_max";
const INSTALLATIONS: &str = "ringfence_installations";
const RECONCILE_LAG: &str = "ringfence_reconcile_lag_seconds";
const PUBLICATION_LAG: &str = "ringfence_publication_lag_seconds";
const PUBLICATIONS: &str = "ringfence_publications_waiting";
const STREAM_LAG: &str = "ringfence_stream_lag_seconds";
const NOTICES: &str = "ringfence_deferred_notices";
const NOTICE_LAG: &str = "ringfence_deferred_notice_lag_seconds";
const SHARD_INSTANCES: &str = "ringfence_shard_instances";
const SHARD_CAPACITY: &str = "ringfence_shard_capacity";
const PLACES_FREE: &str = "ringfence_shard_places_free";

/// Seconds. From a key lookup to the longest time that an operation may take.
const BUCKETS: [f64; 12] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 15.0, 120.0,
];

/// What this process has counted.
#[derive(Clone)]
pub struct Metrics {
    handle: PrometheusHandle,
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

impl Metrics {
    /// Once per process: from then on everything counted ends here.
    pub fn install() -> Result<Self, BuildError> {
        let handle = PrometheusBuilder::new()
            .set_buckets(&BUCKETS)?
            .install_recorder()?;
        describe();
        Ok(Self { handle })
    }

    /// Kept for nobody: what is counted goes elsewhere or nowhere.
    #[must_use]
    pub fn unheard() -> Self {
        Self {
            handle: PrometheusBuilder::new().build_recorder().handle(),
        }
    }

    /// The text that Prometheus reads. Without a backlog the database could not be asked.
    #[must_use]
    pub fn text(&self, backlog: Option<&Backlog>, pool: PoolUse) -> String {
        gauge!(DATABASE_UP).set(if backlog.is_some() { 1.0 } else { 0.0 });
        if let Some(backlog) = backlog {
            set_backlog(backlog);
        }
        set_pool(pool);
        self.handle.run_upkeep();
        self.handle.render()
    }
}

/// One request that was answered. `route` is the pattern, never the path.
pub fn request(method: &'static str, route: &str, status: u16, took: Duration) {
    let route = route.to_owned();
    counter!(HTTP_REQUESTS, "method" => method, "route" => route.clone(), "status" => status.to_string())
        .increment(1);
    histogram!(HTTP_SECONDS, "method" => method, "route" => route).record(took.as_secs_f64());
}

/// One look of a worker; `outcome` is `work`, `nothing` or `failed`.
pub fn worker_pass(worker: &'static str, outcome: &'static str, took: Duration) {
    counter!(WORKER_PASSES, "worker" => worker, "outcome" => outcome).increment(1);
    if outcome != "nothing" {
        histogram!(WORKER_SECONDS, "worker" => worker).record(took.as_secs_f64());
    }
}

/// How far behind a region's stream this process is; 0: it has just read to the end.
pub fn stream_lag(region: &str, lag: Duration) {
    gauge!(STREAM_LAG, "region" => region.to_owned()).set(lag.as_secs_f64());
}

fn set_pool(pool: PoolUse) {
    gauge!(POOL, "state" => "idle").set(f64::from(pool.idle));
    gauge!(POOL, "state" => "in_use").set(f64::from(pool.in_use));
    gauge!(POOL_MAX).set(f64::from(pool.max));
}

fn set_backlog(backlog: &Backlog) {
    for (state, count) in &backlog.installations {
        gauge!(INSTALLATIONS, "state" => state.clone()).set(float(*count));
    }
    gauge!(RECONCILE_LAG).set(backlog.reconcile_lag_seconds);
    gauge!(PUBLICATIONS).set(float(backlog.publications_waiting));
    gauge!(PUBLICATION_LAG).set(backlog.publication_lag_seconds);
    gauge!(NOTICES).set(float(backlog.notices_waiting));
    gauge!(NOTICE_LAG).set(backlog.notice_lag_seconds);
    for shard in &backlog.shards {
        gauge!(SHARD_INSTANCES, "function" => shard.function_arn.clone())
            .set(float(shard.instances));
        gauge!(SHARD_CAPACITY, "function" => shard.function_arn.clone()).set(float(shard.capacity));
    }
    for (region, free) in places_free(&backlog.shards) {
        gauge!(PLACES_FREE, "region" => region.to_owned()).set(float(free));
    }
}

/// Instances that each region has room for.
fn places_free(shards: &[ShardUse]) -> BTreeMap<&str, i64> {
    let mut free = BTreeMap::new();
    for shard in shards {
        let room = if shard.takes_instances {
            (shard.capacity - shard.instances).max(0)
        } else {
            0
        };
        *free.entry(shard.region.as_str()).or_default() += room;
    }
    free
}

#[expect(clippy::cast_precision_loss, reason = "no count here reaches 2^53")]
fn float(count: i64) -> f64 {
    count as f64
}

fn describe() {
    describe_counter!(HTTP_REQUESTS, Unit::Count, "Requests answered");
    describe_histogram!(
        HTTP_SECONDS,
        Unit::Seconds,
        "From a request's first byte to its answer"
    );
    describe_counter!(
        WORKER_PASSES,
        Unit::Count,
        "Looks of a worker at the state, by how they ended"
    );
    describe_histogram!(
        WORKER_SECONDS,
        Unit::Seconds,
        "How long a worker's look took that found work or failed"
    );
    describe_gauge!(
        DATABASE_UP,
        Unit::Count,
        "1: the database answered just now; 0: what it would tell is as of before"
    );
    describe_gauge!(
        POOL,
        Unit::Count,
        "Connections of this process to PostgreSQL"
    );
    describe_gauge!(
        POOL_MAX,
        Unit::Count,
        "How many connections this process may have"
    );
    describe_gauge!(
        INSTALLATIONS,
        Unit::Count,
        "Installations of the whole service"
    );
    describe_gauge!(
        RECONCILE_LAG,
        Unit::Seconds,
        "How long the installation that waits longest has been due"
    );
    describe_gauge!(
        PUBLICATIONS,
        Unit::Count,
        "Instances whose limiters have not been told the newest yet"
    );
    describe_gauge!(
        PUBLICATION_LAG,
        Unit::Seconds,
        "How long the publication that waits longest has been due"
    );
    describe_gauge!(
        STREAM_LAG,
        Unit::Seconds,
        "Age of the oldest decision that this process may not have read"
    );
    describe_gauge!(NOTICES, Unit::Count, "Notices that agents have not had yet");
    describe_gauge!(NOTICE_LAG, Unit::Seconds, "Age of the oldest of them");
    describe_gauge!(
        SHARD_INSTANCES,
        Unit::Count,
        "Instances on a limiter function"
    );
    describe_gauge!(
        SHARD_CAPACITY,
        Unit::Count,
        "Instances that a limiter function has room for"
    );
    describe_gauge!(
        PLACES_FREE,
        Unit::Count,
        "Instances that a region's functions still have room for; at 0 the next one waits"
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shard(region: &str, instances: i64, takes_instances: bool) -> ShardUse {
        ShardUse {
            function_arn: format!("{region}-{instances}"),
            region: region.to_owned(),
            instances,
            capacity: 40,
            takes_instances,
        }
    }

    /// One that is drained or out of service has no place for anybody, and one that was made smaller takes none from others.
    #[test]
    fn only_functions_that_take_instances_have_places() {
        let shards = [
            shard("eu-west-2", 0, false),
            shard("us-east-1", 39, true),
            shard("us-east-1", 35, true),
            shard("us-east-1", 10, false),
            shard("us-west-2", 45, true),
        ];
        let free = places_free(&shards);
        assert_eq!(
            free,
            BTreeMap::from([("eu-west-2", 0), ("us-east-1", 6), ("us-west-2", 0)])
        );
    }
}
