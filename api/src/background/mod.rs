//! The workers: they bring the world outside to what the database says, and decisions back.
//!
//! Level-triggered: each looks at the state, never at a hint. Any number of processes may run them. Every step is
//! harmless when done twice. Failure: logged and shown on the row concerned, tried again after a growing pause.

mod backoff;
mod call_events;
pub mod cleanup;
pub mod connection_checks;
pub mod coverage;
mod deferred;
mod driver;
pub mod erasure;
pub mod ingest;
pub mod installation;
pub mod notices;
pub mod number_erasure;
pub mod numbers;
pub mod publisher;
mod stream_lag;
pub mod task_channels;
pub mod webhooks;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::aws::Aws;
use crate::clock::{Clock, IdSource};
use crate::outbound::Outbound;
use crate::sealer::Sealer;
use crate::store::Store;

pub use driver::{Found, WakeUp};

use cleanup::Cleanup;
use connection_checks::ConnectionChecker;
use coverage::CoverageReader;
use driver::drive;
use erasure::Eraser;
use ingest::Ingest;
use installation::{AwsReach, Crew, InstallationWorker};
use notices::NoticeWorker;
use number_erasure::NumberEraser;
use numbers::NumberPublisher;
use publisher::Publisher;
use task_channels::TaskChannels;
use webhooks::WebhookWorker;
use webhooks::history::EventHistory;

const POLL: Duration = Duration::from_secs(1);
/// What is cleaned up is in nobody's way.
const CLEANUP_PERIOD: Duration = Duration::from_secs(300);
/// Tenants' lists that one process publishes at a time, so that one long import holds nobody up.
const NUMBERS_AT_ONCE: usize = 3;
/// So that a customer's account that answers slowly keeps no other's notices back.
const NOTICES_AT_ONCE: usize = 4;
/// Endpoints that one process delivers to at a time; it mostly waits for their answers.
const WEBHOOKS_AT_ONCE: usize = 12;
const FORGET_PERIOD: Duration = Duration::from_mins(10);
/// For the same reason.
const CHECKS_AT_ONCE: usize = 2;
/// Each in another account or region, and mostly waiting for its turn there.
const COVERAGE_AT_ONCE: usize = 8;

/// Rung after a request has changed something; the workers of this process then look at once.
#[derive(Debug, Clone, Default)]
pub struct WakeUps {
    pub installations: WakeUp,
    pub publications: WakeUp,
    pub numbers: WakeUp,
    pub number_erasures: WakeUp,
    pub webhooks: WakeUp,
    pub checks: WakeUp,
    pub coverage: WakeUp,
}

/// One of the workers met a fault of its own making.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a worker panicked")]
pub struct WorkerPanicked;

/// What the workers need.
#[derive(Debug, Clone)]
pub struct Workers {
    pub store: Store,
    pub aws: Arc<Aws>,
    pub clock: Clock,
    pub ids: IdSource,
    pub outbound: Outbound,
    pub sealer: Sealer,
    pub wake_ups: WakeUps,
    /// The limiter functions of the settings, with their regions.
    pub functions: Vec<(String, String)>,
    pub reconcile_period: Duration,
    /// How long a worker that died keeps others from its installation.
    pub lease: Duration,
    pub connection_check_period: Duration,
}

impl Workers {
    /// Runs until `stop`, then until the work in hand is done. A worker that panics stops all of them: the process is
    /// to end and be started anew rather than go on without it.
    pub async fn run(self, stop: CancellationToken) -> Result<(), WorkerPanicked> {
        let mut tasks = JoinSet::new();
        let publisher = Arc::new(Publisher::new(
            self.store.clone(),
            Arc::clone(&self.aws),
            self.clock.clone(),
            self.ids.clone(),
        ));
        self.sync_shards(&stop).await;
        let worker = InstallationWorker {
            store: self.store.clone(),
            reach: AwsReach {
                aws: Arc::clone(&self.aws),
                publisher: Arc::clone(&publisher),
            },
            jitter: self.aws.jitter().clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            period: self.reconcile_period,
            lease: self.lease,
            stop: stop.clone(),
        };
        let crew = Crew::new(worker, self.wake_ups.installations.clone());
        let stopped = stop.clone();
        tasks.spawn(async move { crew.run(POLL, &stopped).await });
        let (wake_up, stopped) = (self.wake_ups.publications.clone(), stop.clone());
        tasks.spawn(async move {
            drive("publisher", POLL, &wake_up, &stopped, || publisher.look()).await
        });
        for _ in 0..NUMBERS_AT_ONCE {
            let worker = self.number_publisher(&stop);
            let (wake_up, stop) = (self.wake_ups.numbers.clone(), stop.clone());
            tasks.spawn(
                async move { drive("numbers", POLL, &wake_up, &stop, || worker.look()).await },
            );
        }
        for _ in 0..NOTICES_AT_ONCE {
            let worker = NoticeWorker {
                store: self.store.clone(),
                aws: Arc::clone(&self.aws),
                clock: self.clock.clone(),
                ids: self.ids.clone(),
            };
            let stop = stop.clone();
            tasks.spawn(async move {
                drive("notices", POLL, &WakeUp::default(), &stop, || worker.look()).await;
            });
        }
        for _ in 0..WEBHOOKS_AT_ONCE {
            let worker = WebhookWorker {
                store: self.store.clone(),
                outbound: self.outbound.clone(),
                sealer: self.sealer.clone(),
                clock: self.clock.clone(),
                ids: self.ids.clone(),
                jitter: self.aws.jitter().clone(),
            };
            let (wake_up, stop) = (self.wake_ups.webhooks.clone(), stop.clone());
            tasks.spawn(
                async move { drive("webhooks", POLL, &wake_up, &stop, || worker.look()).await },
            );
        }
        let eraser = Eraser {
            store: self.store.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            wake_ups: self.wake_ups.clone(),
        };
        let stopped = stop.clone();
        tasks.spawn(async move {
            let look = || eraser.look();
            drive("eraser", POLL, &WakeUp::default(), &stopped, look).await;
        });
        let eraser = NumberEraser {
            store: self.store.clone(),
            aws: Arc::clone(&self.aws),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
        };
        let (wake_up, stopped) = (self.wake_ups.number_erasures.clone(), stop.clone());
        tasks.spawn(async move {
            drive("number eraser", POLL, &wake_up, &stopped, || eraser.look()).await;
        });
        let history = EventHistory {
            store: self.store.clone(),
            clock: self.clock.clone(),
        };
        let stopped = stop.clone();
        tasks.spawn(async move {
            let look = || history.look();
            drive(
                "event history",
                FORGET_PERIOD,
                &WakeUp::default(),
                &stopped,
                look,
            )
            .await;
        });
        for _ in 0..CHECKS_AT_ONCE {
            let worker = ConnectionChecker {
                store: self.store.clone(),
                aws: Arc::clone(&self.aws),
                clock: self.clock.clone(),
                ids: self.ids.clone(),
                wake_ups: self.wake_ups.clone(),
                period: self.connection_check_period,
            };
            let (wake_up, stop) = (self.wake_ups.checks.clone(), stop.clone());
            tasks.spawn(async move {
                drive("connection checks", POLL, &wake_up, &stop, || worker.look()).await
            });
        }
        for _ in 0..COVERAGE_AT_ONCE {
            let reader = CoverageReader {
                store: self.store.clone(),
                aws: Arc::clone(&self.aws),
                clock: self.clock.clone(),
                ids: self.ids.clone(),
                lease: self.lease,
                stop: stop.clone(),
            };
            let (wake_up, stop) = (self.wake_ups.coverage.clone(), stop.clone());
            tasks.spawn(
                async move { drive("coverage", POLL, &wake_up, &stop, || reader.look()).await },
            );
        }
        let channels = TaskChannels::new(
            self.store.clone(),
            Arc::clone(&self.aws),
            self.clock.clone(),
        );
        let channels = tokio::sync::Mutex::new(channels);
        let stopped = stop.clone();
        tasks.spawn(async move {
            let look = || async { channels.lock().await.look().await };
            drive("task channels", POLL, &WakeUp::default(), &stopped, look).await;
        });
        let cleanup = Cleanup {
            store: self.store.clone(),
            clock: self.clock.clone(),
        };
        let stopped = stop.clone();
        tasks.spawn(async move {
            let look = || cleanup.look();
            drive(
                "cleanup",
                CLEANUP_PERIOD,
                &WakeUp::default(),
                &stopped,
                look,
            )
            .await;
        });
        let regions: BTreeSet<&String> = self.functions.iter().map(|(_, region)| region).collect();
        for region in regions {
            let ingest = Ingest::new(
                self.store.clone(),
                &self.aws,
                region,
                self.clock.clone(),
                self.ids.clone(),
            );
            let ingest = tokio::sync::Mutex::new(ingest);
            let stop = stop.clone();
            tasks.spawn(async move {
                let look = || async { ingest.lock().await.look().await };
                drive("ingest", POLL, &WakeUp::default(), &stop, look).await;
            });
        }
        let mut outcome = Ok(());
        while let Some(ended) = tasks.join_next().await {
            if ended.is_err() {
                stop.cancel();
                outcome = Err(WorkerPanicked);
            }
        }
        outcome
    }

    fn number_publisher(&self, stop: &CancellationToken) -> NumberPublisher {
        NumberPublisher {
            store: self.store.clone(),
            aws: Arc::clone(&self.aws),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            check_period: SignedDuration::try_from(self.reconcile_period)
                .unwrap_or(SignedDuration::MAX),
            stop: stop.clone(),
        }
    }

    /// The shards of the settings, as soon as the database is there.
    async fn sync_shards(&self, stop: &CancellationToken) {
        while let Err(err) = self.store.shard_sync(&self.functions).await {
            tracing::warn!(error = %err, "limiter functions could not be recorded; trying again");
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(POLL) => {}
            }
        }
    }
}
