//! One tenant with instances, and passes over them.

use std::sync::atomic::{AtomicU64, Ordering};

use jiff::{SignedDuration, Timestamp};
use ringfence_api::aws::InvokePermission;
use ringfence_api::background::installation::Reconciliation;
use ringfence_api::background::installation::conditions::Assessment;
use ringfence_api::background::installation::desired::Desired;
use ringfence_api::background::installation::execute::{Publish, StepError};
use ringfence_api::background::installation::journal::Journal;
use ringfence_api::clock::{Clock, IdSource};
use ringfence_api::domain::ids::{ConnectionId, EventId, InstanceId, TenantId};
use ringfence_api::domain::installation::{
    Condition, ConditionType, Drift, ExistingWhisper, InstallationRequest, QueueSelection,
    QueueState,
};
use ringfence_api::domain::instance_arn::InstanceArn;
use ringfence_api::domain::tenant::{Tenant, TenantStatus};
use ringfence_api::store::{Connection, InstallationQueue, NewInstance, PassResult, Store};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::fake::FakeInstance;

pub const REGION: &str = "us-east-1";
pub const FUNCTION: &str = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1";
const LEASE: SignedDuration = SignedDuration::from_secs(60);
const STEP: SignedDuration = SignedDuration::from_secs(120);

pub struct World {
    pub store: Store,
    pub clock: Clock,
    pub ids: IdSource,
    pub tenant: TenantId,
    connection: ConnectionId,
    instances: AtomicU64,
}

impl World {
    pub async fn new(pool: PgPool) -> Self {
        let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        let clock = Clock::manual(start);
        let ids = IdSource::new(clock.clone(), [7; 32]);
        let store = Store::from_pool(pool);
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
            store,
            clock,
            ids,
            tenant,
            connection,
            instances: AtomicU64::new(1),
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
        let (instance, arn) = self.instance().await;
        Site {
            world: self,
            instance,
            arn,
            fake,
        }
    }
}

/// An instance of the world and its double.
pub struct Site<'a> {
    pub world: &'a World,
    pub instance: InstanceId,
    pub arn: InstanceArn,
    pub fake: FakeInstance,
}

/// Records a publication as the publisher does, without a table to write to.
struct PublishToNowhere<'a>(&'a Site<'a>);

impl Publish for PublishToNowhere<'_> {
    async fn publish(&self) -> Result<(), StepError> {
        let site = self.0;
        let store = &site.world.store;
        if let Some(source) = store
            .publication_source(site.world.tenant, site.instance)
            .await?
        {
            store
                .publication_done(
                    &source,
                    EventId(site.world.ids.uuid()),
                    site.world.clock.now(),
                )
                .await?;
        }
        Ok(())
    }

    async fn unpublish(&self) -> Result<(), StepError> {
        let site = self.0;
        let store = &site.world.store;
        store
            .publication_deactivate(site.world.tenant, site.instance)
            .await?;
        store
            .publication_gone(site.world.tenant, site.instance)
            .await?;
        Ok(())
    }
}

pub fn request(existing_whisper: ExistingWhisper) -> InstallationRequest {
    InstallationRequest {
        queues: QueueSelection::All,
        existing_whisper,
        drift: Drift::Mend,
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

    /// Takes the lease, as a worker does. Other leases have run out by then.
    pub async fn lease(&self) -> (Journal, ringfence_api::store::LeasedInstallation) {
        let clock = &self.world.clock;
        clock.set(clock.now().checked_add(STEP).expect("a time"));
        let now = clock.now();
        let token = self.world.ids.uuid();
        let until = now.checked_add(LEASE).expect("a time");
        let leased = self
            .world
            .store
            .installation_lease(token, now, until)
            .await
            .expect("a lease")
            .expect("something due");
        assert_eq!(
            leased.installation.instance, self.instance,
            "another instance is due"
        );
        let journal = Journal {
            store: self.world.store.clone(),
            clock: clock.clone(),
            tenant: self.world.tenant,
            instance: self.instance,
            generation: leased.installation.generation,
            token,
            lease: LEASE,
        };
        (journal, leased)
    }

    /// One pass with its result recorded; due again at once.
    pub async fn pass(&self) -> Result<Assessment, StepError> {
        let (journal, leased) = self.lease().await;
        let assessment = self.run(&journal, &leased).await?;
        let now = self.world.clock.now();
        let result = PassResult {
            generation: journal.generation,
            reached: assessment.reached,
            state: assessment.state,
            conditions: &assessment.conditions,
            attempts: 0,
            next_due_at: now,
            looks_asked: leased.looks_asked,
        };
        let mut tx = self.world.store.tenant(self.world.tenant).await?;
        tx.installation_finish(self.instance, journal.token, &result, now)
            .await?;
        tx.commit().await?;
        Ok(assessment)
    }

    pub async fn run(
        &self,
        journal: &Journal,
        leased: &ringfence_api::store::LeasedInstallation,
    ) -> Result<Assessment, StepError> {
        let installation = &leased.installation;
        if installation.request.is_some() {
            journal.activate_publication().await?;
        }
        let desired = Desired {
            instance_id: self.instance.to_string(),
            function_arn: FUNCTION.to_owned(),
            request: installation.request.clone(),
            fresh: installation.generation > installation.observed_generation,
            emergency: vec!["911".to_owned()],
        };
        let permission = InvokePermission {
            function_arn: FUNCTION.to_owned(),
            statement_id: self.instance.to_string(),
            instance_arn: self.arn.to_string(),
            account_id: self.arn.account_id().to_owned(),
        };
        let stop = CancellationToken::new();
        let reconciliation = Reconciliation {
            desired: &desired,
            permission: &permission,
            journal,
            conditions: &installation.conditions,
            connection: &leased.check,
            stop: &stop,
        };
        reconciliation
            .run(&self.fake, &self.fake, &PublishToNowhere(self))
            .await
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

    pub async fn queue_state(&self, queue_id: &str) -> Option<QueueState> {
        let queues = self.queues().await;
        queues
            .into_iter()
            .find(|queue| queue.queue_id == queue_id)
            .map(|queue| queue.state)
    }

    /// Nothing is due for this instance any more; others may then be worked on.
    pub async fn put_away(&self) {
        let (journal, leased) = self.lease().await;
        let far = "9000-01-01T00:00:00Z".parse().expect("a time");
        let result = PassResult {
            generation: journal.generation,
            reached: true,
            state: leased.installation.state,
            conditions: &leased.installation.conditions,
            attempts: 0,
            next_due_at: far,
            looks_asked: leased.looks_asked,
        };
        let mut tx = self
            .world
            .store
            .tenant(self.world.tenant)
            .await
            .expect("a transaction");
        tx.installation_finish(
            self.instance,
            journal.token,
            &result,
            self.world.clock.now(),
        )
        .await
        .expect("finished");
        tx.commit().await.expect("committed");
    }
}

pub fn condition(assessment: &Assessment, kind: ConditionType) -> &Condition {
    assessment
        .conditions
        .iter()
        .find(|condition| condition.kind == kind)
        .expect("a condition of each type")
}
