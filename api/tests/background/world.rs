//! One tenant with instances, and the worker's passes over them: the real one, before doubles of what it reaches.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use ringfence_api::aws::{AwsError, Jitter};
use ringfence_api::background::Found;
use ringfence_api::background::installation::InstallationWorker;
use ringfence_api::background::installation::conditions::Assessment;
use ringfence_api::background::installation::execute::{Publish, StepError};
use ringfence_api::background::installation::reach::Reach;
use ringfence_api::clock::{Clock, IdSource};
use ringfence_api::domain::ids::{ConnectionId, EventId, InstanceId, TenantId};
use ringfence_api::domain::installation::{
    Condition, ConditionType, Drift, ExistingWhisper, InstallationRequest, OnLimiterUnavailable,
    QueueSelection, QueueState,
};
use ringfence_api::domain::instance_arn::InstanceArn;
use ringfence_api::domain::tenant::{Tenant, TenantStatus};
use ringfence_api::store::{
    Connection, InstallationQueue, LeasedInstallation, NewInstance, Store, StoreError,
};
use serde_json::Value;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::fake::{FakeFallback, FakeInstance, Moment};

pub const REGION: &str = "us-east-1";
pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1";
/// Part of the ARN of every fallback function.
pub const FALLBACK: &str = ":function:ringfence-fallback-con_";
/// A reconcile period.
pub const PERIOD: Duration = Duration::from_secs(600);
const LEASE: Duration = Duration::from_secs(60);
/// From one pass to the next: longer than a lease, so that others have run out.
const STEP: SignedDuration = SignedDuration::from_secs(120);

pub struct World {
    pub pool: PgPool,
    pub store: Store,
    pub clock: Clock,
    pub ids: IdSource,
    pub tenant: TenantId,
    pub connection: ConnectionId,
    instances: AtomicU64,
    fakes: Arc<Mutex<BTreeMap<InstanceId, FakeInstance>>>,
}

impl World {
    pub async fn new(pool: PgPool) -> Self {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let clock = Clock::manual(start);
        let ids = IdSource::new(clock.clone(), [7; 32]);
        let store = Store::from_pool(pool.clone());
        let tenant = TenantId(ids.uuid());
        let connection = ConnectionId(ids.uuid());
        let mut tx = store.system("test").await.expect("a transaction");
        let row = Tenant {
            id: tenant,
            name: "Acme".to_owned(),
            home_region: REGION.to_owned(),
            status: TenantStatus::Active,
            created_at: start,
        };
        tx.tenant_insert(&row).await.expect("a tenant");
        tx.commit().await.expect("committed");
        let mut tx = store.tenant(tenant).await.expect("a transaction");
        let row = Connection {
            id: connection,
            account_id: "111122223333".to_owned(),
            external_id: "external".to_owned(),
            installer_role_arn: "arn:aws:iam::111122223333:role/installer".to_owned(),
            runtime_role_arn: "arn:aws:iam::111122223333:role/runtime".to_owned(),
            pending_external_id: None,
            former_external_id: None,
            former_runtime_role_arn: None,
            access_changed_at: None,
            created_at: start,
        };
        tx.connection_find_or_insert(&row)
            .await
            .expect("a connection");
        tx.commit().await.expect("committed");
        store
            .shard_sync(&[(FUNCTION.to_owned(), REGION.to_owned())])
            .await
            .expect("shards");
        Self {
            pool,
            store,
            clock,
            ids,
            tenant,
            connection,
            instances: AtomicU64::new(1),
            fakes: Arc::default(),
        }
    }

    /// A verified instance.
    pub async fn instance(&self) -> (InstanceId, InstanceArn) {
        let number = self.instances.fetch_add(1, Ordering::Relaxed);
        let arn: InstanceArn = format!("arn:aws:connect:{REGION}:111122223333:instance/i{number}")
            .parse()
            .expect("an ARN");
        let id = InstanceId(self.ids.uuid());
        let mut tx = self.store.tenant(self.tenant).await.expect("a transaction");
        let new = NewInstance {
            id,
            connection_id: self.connection,
            arn: &arn,
            name: "Instance",
            created_at: self.clock.now(),
        };
        tx.instance_insert(&new).await.expect("an instance");
        tx.instance_mark_verified(id, self.clock.now())
            .await
            .expect("verified");
        tx.commit().await.expect("committed");
        (id, arn)
    }

    pub async fn site(&self, fake: FakeInstance) -> Site<'_> {
        let (instance, _) = self.instance().await;
        let mut fakes = self.fakes.lock().expect("no panic inside");
        fakes.insert(instance, fake.clone());
        Site {
            world: self,
            instance,
            fake,
        }
    }

    /// A worker of its own, as another process has it.
    pub fn worker(&self) -> InstallationWorker<FakeReach> {
        InstallationWorker {
            store: self.store.clone(),
            reach: FakeReach {
                store: self.store.clone(),
                clock: self.clock.clone(),
                ids: self.ids.clone(),
                fakes: Arc::clone(&self.fakes),
            },
            jitter: Jitter::new(1),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            period: PERIOD,
            lease: LEASE,
            stop: CancellationToken::new(),
        }
    }

    pub fn wait(&self, time: SignedDuration) {
        let later = self.clock.now().checked_add(time).expect("a time");
        self.clock.set(later);
    }
}

/// The doubles in the place of AWS. All functions' policies are in the instance's own.
#[derive(Clone)]
pub struct FakeReach {
    store: Store,
    clock: Clock,
    ids: IdSource,
    fakes: Arc<Mutex<BTreeMap<InstanceId, FakeInstance>>>,
}

impl FakeReach {
    fn fake(&self, instance: InstanceId) -> FakeInstance {
        let fakes = self.fakes.lock().expect("no panic inside");
        fakes.get(&instance).cloned().expect("a site")
    }
}

impl Reach for FakeReach {
    type Instance = FakeInstance;
    type Permissions = FakeInstance;
    type Fallback = FakeFallback;
    type Publish = PublishToNowhere;

    async fn instance(&self, leased: &LeasedInstallation) -> Result<FakeInstance, AwsError> {
        let fake = self.fake(leased.installation.instance);
        fake.assume().await?;
        Ok(fake)
    }

    async fn fallback(&self, leased: &LeasedInstallation) -> Result<FakeFallback, AwsError> {
        Ok(FakeFallback(self.fake(leased.installation.instance)))
    }

    fn forget(&self, _leased: &LeasedInstallation) {}

    fn permissions(&self, leased: &LeasedInstallation) -> FakeInstance {
        self.fake(leased.installation.instance)
    }

    fn publish(&self, tenant: TenantId, instance: InstanceId) -> PublishToNowhere {
        PublishToNowhere {
            store: self.store.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            tenant,
            instance,
        }
    }
}

/// An instance of the world and its double.
pub struct Site<'a> {
    pub world: &'a World,
    pub instance: InstanceId,
    pub fake: FakeInstance,
}

/// Records a publication as the publisher does, without a table to write to.
pub struct PublishToNowhere {
    store: Store,
    clock: Clock,
    ids: IdSource,
    tenant: TenantId,
    instance: InstanceId,
}

impl Publish for PublishToNowhere {
    async fn publish(&self) -> Result<(), StepError> {
        let source = self.store.publication_source(self.tenant, self.instance);
        if let Some(source) = source.await? {
            let event = EventId(self.ids.uuid());
            self.store
                .publication_done(&source, event, self.clock.now())
                .await?;
        }
        Ok(())
    }

    async fn unpublish(&self) -> Result<(), StepError> {
        let (tenant, instance) = (self.tenant, self.instance);
        self.store.publication_deactivate(tenant, instance).await?;
        self.store.publication_gone(tenant, instance).await?;
        Ok(())
    }
}

/// A history in which the worker dies at one moment of its pass, for each moment until it comes to its end before. The history
/// tells whether it died.
pub async fn dying_at_each_request(mut history: impl AsyncFnMut(Moment) -> bool) {
    let moments = (1..80).flat_map(|number| [Moment::Before(number), Moment::After(number)]);
    for (died, moment) in moments.enumerate() {
        if !history(moment).await {
            assert!(died > 10, "only {died} times");
            return;
        }
    }
    panic!("the pass never came to its end");
}

pub fn request(existing_whisper: ExistingWhisper) -> InstallationRequest {
    InstallationRequest {
        queues: QueueSelection::All,
        existing_whisper,
        drift: Drift::Mend,
        prefix_filter: BTreeSet::new(),
        on_limiter_unavailable: OnLimiterUnavailable::Allow,
    }
}

impl Site<'_> {
    pub async fn ask(&self, request: &InstallationRequest) {
        let mut tx = self
            .world
            .store
            .tenant(self.world.tenant)
            .await
            .expect("a transaction");
        tx.installation_put(self.instance, request, self.world.clock.now())
            .await
            .expect("asked");
        tx.commit().await.expect("committed");
    }

    pub async fn ask_removal(&self) {
        let mut tx = self
            .world
            .store
            .tenant(self.world.tenant)
            .await
            .expect("a transaction");
        tx.installation_remove(self.instance, false, self.world.clock.now())
            .await
            .expect("asked");
        tx.commit().await.expect("committed");
    }

    /// One pass of a worker, due by now. Other leases have run out by then.
    pub async fn pass(&self) -> Result<Assessment, StoreError> {
        self.is_due().await;
        let found = self.world.worker().look().await?;
        assert_eq!(found, Found::Work, "nothing was due");
        Ok(self.assessment().await)
    }

    /// A pass whose worker dies at the moment; false: it came to its end before.
    pub async fn dies(&self, moment: Moment) -> bool {
        self.is_due().await;
        let (reached, open) = self.fake.gate_at(moment);
        let dying = self.world.worker();
        let died = tokio::select! {
            found = dying.look() => {
                found.expect("a pass");
                false
            }
            reached = reached => {
                reached.expect("told");
                true
            }
        };
        drop(open);
        died
    }

    /// The next look is due, and nobody holds a lease.
    pub async fn is_due(&self) {
        self.world.wait(STEP);
        // Longer than that of any other installation.
        self.set_due("2000-01-01T00:00:00Z").await;
    }

    async fn set_due(&self, at: &str) {
        sqlx::query(
            "update installations set next_due_at = $2::text::timestamptz where instance_id = $1",
        )
        .bind(self.instance.0)
        .bind(at)
        .execute(&self.world.pool)
        .await
        .expect("due");
    }

    /// What the last pass left behind.
    pub async fn assessment(&self) -> Assessment {
        let tenant = self.world.store.tenant(self.world.tenant).await;
        let mut tx = tenant.expect("a transaction");
        let found = tx.installation_get(self.instance).await;
        let installation = found.expect("an answer").expect("an installation");
        let attempts: i32 =
            sqlx::query_scalar("select attempts from installations where instance_id = $1")
                .bind(self.instance.0)
                .fetch_one(&self.world.pool)
                .await
                .expect("attempts");
        let is_observed = installation.generation == installation.observed_generation;
        Assessment {
            state: installation.state,
            conditions: installation.conditions,
            reached: is_observed && attempts == 0,
            look_again: false,
        }
    }

    /// Passes until the asked state is reached.
    pub async fn settle(&self) -> Assessment {
        for _ in 0..4 {
            if let Ok(assessment) = self.pass().await
                && assessment.reached
            {
                return assessment;
            }
        }
        panic!("not reached after four passes without a fault");
    }

    pub async fn queues(&self) -> Vec<InstallationQueue> {
        let mut tx = self
            .world
            .store
            .tenant(self.world.tenant)
            .await
            .expect("a transaction");
        tx.installation_queue_list(self.instance)
            .await
            .expect("queues")
    }

    /// Status and name of each step, in order.
    pub async fn steps(&self) -> Vec<(String, String)> {
        let store = &self.world.store;
        let mut tx = store
            .tenant(self.world.tenant)
            .await
            .expect("a transaction");
        let steps = tx.installation_step_list(self.instance).await;
        steps
            .expect("steps")
            .into_iter()
            .map(|step| (step.status.as_str().to_owned(), step.name))
            .collect()
    }

    /// What the installation tells of this queue.
    pub async fn queue_detail(&self, queue_id: &str) -> String {
        let queues = self.queues().await;
        let queue = queues.into_iter().find(|queue| queue.queue_id == queue_id);
        queue.expect("the queue").detail
    }

    pub async fn queue_state(&self, queue_id: &str) -> Option<QueueState> {
        let queues = self.queues().await;
        queues
            .into_iter()
            .find(|queue| queue.queue_id == queue_id)
            .map(|queue| queue.state)
    }

    /// Nothing is due for this instance any more; others may then be worked on.
    pub async fn put_away(&self) {
        self.set_due("9000-01-01T00:00:00Z").await;
    }

    /// The audit log's entries of installation steps, oldest first.
    pub async fn audited(&self) -> Vec<Audited> {
        let rows: Vec<(String, Option<Value>, Option<Value>)> = sqlx::query_as(
            "select action, before, after from audit_log
             where target = $1 and action like 'installation.%' order by seq",
        )
        .bind(self.instance.to_string())
        .fetch_all(&self.world.pool)
        .await
        .expect("entries");
        rows.into_iter()
            .map(|(action, before, after)| Audited {
                action,
                before: before.unwrap_or_default(),
                after: after.unwrap_or_default(),
            })
            .collect()
    }
}

#[derive(Debug, Clone, PartialEq)]
pub struct Audited {
    pub action: String,
    pub before: Value,
    pub after: Value,
}

pub fn condition(assessment: &Assessment, kind: ConditionType) -> &Condition {
    assessment
        .conditions
        .iter()
        .find(|condition| condition.kind == kind)
        .expect("a condition of each type")
}
