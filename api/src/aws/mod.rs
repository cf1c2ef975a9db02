//! Everything that Ringfence's control plane asks of AWS.
//!
//! Invariants: the SDK is named only in this folder; AWS is known only through its public operations, so that
//! `AWS_ENDPOINT_URL` is the one difference between a demo and production; every call has a time limit.
//! Failure: each call ends in an [`AwsError`] that names the permission it needed and whether trying again helps.

mod agents;
mod connect;
mod decision_records;
mod dynamodb;
mod error;
mod invoke_statement;
mod jitter;
mod lambda;
mod meters;
mod number_table;
mod pacing;
mod paging;
mod role_credentials;
mod routing;
mod runtime;
mod streams;
mod sts;
mod tasks;

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_sts::config::IdentityCache;

use crate::clock::Clock;
use crate::domain::pace::{Place, Urgency};
use crate::store::Store;
use pacing::Pacer;
use role_credentials::RoleCredentials;
use sts::Purpose;

pub use connect::{
    ConnectInstance, CreatedFlow, Flow, FlowSummary, FlowType, InstanceFacts, NewFlow, Outbound,
    Queue, QueueSummary, SdkConnectInstance,
};
pub use decision_records::DecisionRecords;
pub use dynamodb::{SnapshotTable, Written};
pub use error::{AwsError, AwsErrorKind};
pub use jitter::Jitter;
pub use lambda::{FunctionPermissions, InvokePermission, SdkFunctionPermissions};
pub use meters::MeterTable;
pub use number_table::{NumberItem, NumberTable};
pub use routing::RoutingProfile;
pub use runtime::RuntimeProbe;
pub use streams::{Batch, DecisionStream, Position, StreamEntry, StreamShard};
pub use sts::InstanceAccess;
pub use tasks::{NewTask, TaskStarter};

/// What the adapters need to know from the settings.
#[derive(Debug, Clone)]
pub struct AwsSettings {
    pub connect_requests_per_second: f64,
    pub policies_table: String,
    pub decisions_table: String,
    pub meters_table: String,
}

/// Clients for every account and region, made when first needed.
#[derive(Debug)]
pub struct Aws {
    base: SdkConfig,
    settings: AwsSettings,
    sessions: Arc<sts::Sessions>,
    store: Store,
    jitter: Jitter,
    clock: Clock,
}

impl Aws {
    /// Reads the SDK's own settings: credentials, endpoint.
    pub async fn load(settings: AwsSettings, store: Store, jitter: Jitter, clock: Clock) -> Self {
        let base = aws_config::defaults(BehaviorVersion::latest())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(3))
                    .operation_attempt_timeout(Duration::from_secs(10))
                    .operation_timeout(Duration::from_secs(30))
                    .build(),
            )
            .retry_config(RetryConfig::standard())
            .load()
            .await;
        Self::new(base, settings, store, jitter, clock)
    }

    #[must_use]
    /// The store keeps the pace that all processes have in common.
    pub fn new(
        base: SdkConfig,
        settings: AwsSettings,
        store: Store,
        jitter: Jitter,
        clock: Clock,
    ) -> Self {
        Self {
            base,
            store,
            sessions: Arc::default(),
            settings,
            jitter,
            clock,
        }
    }

    #[must_use]
    pub fn jitter(&self) -> &Jitter {
        &self.jitter
    }

    /// Acts in one instance through the installer role, by the first of these ways that is open.
    pub async fn connect_instance(
        &self,
        ways: &[InstanceAccess],
        urgency: Urgency,
    ) -> Result<SdkConnectInstance, AwsError> {
        let (access, credentials) = self.role(ways, Purpose::WholeInstance).await?;
        let config = aws_sdk_connect::config::Builder::from(&self.base)
            .region(Region::new(access.instance_arn.region().to_owned()))
            .retry_config(RetryConfig::disabled())
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .build();
        Ok(SdkConnectInstance::new(
            aws_sdk_connect::Client::from_conf(config),
            access.instance_arn.instance_id().to_owned(),
            self.pacer(access, urgency),
        ))
    }

    /// Starts tasks in one instance through the runtime role, by the first of these ways that is open.
    pub async fn task_starter(&self, ways: &[InstanceAccess]) -> Result<TaskStarter, AwsError> {
        let (access, credentials) = self.role(ways, Purpose::TasksOnly).await?;
        let config = aws_sdk_connect::config::Builder::from(&self.base)
            .region(Region::new(access.instance_arn.region().to_owned()))
            .retry_config(RetryConfig::disabled())
            .credentials_provider(credentials)
            .identity_cache(IdentityCache::no_cache())
            .build();
        Ok(TaskStarter::new(
            aws_sdk_connect::Client::from_conf(config),
            access.instance_arn.instance_id().to_owned(),
        ))
    }

    /// Drops kept sessions, so that a changed role is seen at once.
    pub fn forget_sessions(&self, ways: &[InstanceAccess]) {
        for access in ways {
            self.sessions.forget(access);
        }
    }

    /// Whether the role can be assumed with this external id, or with none. Nothing is kept.
    pub async fn try_assume(
        &self,
        access: &InstanceAccess,
        external_id: Option<&str>,
    ) -> Result<(), AwsError> {
        sts::assume(
            &self.sts(access.instance_arn.region()),
            access,
            external_id,
            Purpose::WholeInstance.policy(&access.instance_arn),
        )
        .await
        .map(drop)
    }

    /// A session of the runtime role, to try its permissions.
    pub async fn runtime_probe(&self, access: &InstanceAccess) -> Result<RuntimeProbe, AwsError> {
        let session = sts::assume(
            &self.sts(access.instance_arn.region()),
            access,
            Some(&access.external_id),
            Purpose::WholeInstance.policy(&access.instance_arn),
        )
        .await?;
        let config = aws_sdk_connect::config::Builder::from(&self.base)
            .region(Region::new(access.instance_arn.region().to_owned()))
            .retry_config(RetryConfig::disabled())
            .credentials_provider(session.credentials)
            .build();
        Ok(RuntimeProbe::new(
            aws_sdk_connect::Client::from_conf(config),
            access.instance_arn.instance_id().to_owned(),
            self.pacer(access, Urgency::Asked),
        ))
    }

    fn pacer(&self, access: &InstanceAccess, urgency: Urgency) -> Pacer {
        Pacer {
            store: self.store.clone(),
            jitter: self.jitter.clone(),
            place: Place {
                account_id: access.instance_arn.account_id().to_owned(),
                region: access.instance_arn.region().to_owned(),
            },
            requests_per_second: self.settings.connect_requests_per_second,
            urgency,
        }
    }

    #[must_use]
    pub fn function_permissions(&self, region: &str) -> SdkFunctionPermissions {
        self.permissions_by(
            aws_sdk_lambda::config::Builder::from(&self.base)
                .region(Region::new(region.to_owned())),
            Urgency::Background,
        )
    }

    /// The policy of the fallback function in a customer's account, through the installer role.
    pub async fn fallback_permissions(
        &self,
        ways: &[InstanceAccess],
        urgency: Urgency,
    ) -> Result<SdkFunctionPermissions, AwsError> {
        let (access, credentials) = self.role(ways, Purpose::WholeInstance).await?;
        Ok(self.permissions_by(
            aws_sdk_lambda::config::Builder::from(&self.base)
                .region(Region::new(access.instance_arn.region().to_owned()))
                .credentials_provider(credentials)
                .identity_cache(IdentityCache::no_cache()),
            urgency,
        ))
    }

    fn permissions_by(
        &self,
        config: aws_sdk_lambda::config::Builder,
        urgency: Urgency,
    ) -> SdkFunctionPermissions {
        let config = config.retry_config(RetryConfig::disabled()).build();
        SdkFunctionPermissions {
            client: aws_sdk_lambda::Client::from_conf(config),
            store: self.store.clone(),
            jitter: self.jitter.clone(),
            requests_per_second: self.settings.connect_requests_per_second,
            urgency,
        }
    }

    #[must_use]
    pub fn snapshots(&self, region: &str) -> SnapshotTable {
        SnapshotTable::new(self.dynamodb(region), self.settings.policies_table.clone())
    }

    /// Where limiters of this region find the tenant's listed numbers.
    #[must_use]
    pub fn numbers(&self, region: &str, tenant_id: &str) -> NumberTable {
        NumberTable::new(
            self.dynamodb(region),
            self.settings.policies_table.clone(),
            tenant_id.to_owned(),
        )
    }

    /// What limiters count, where it is kept in this region.
    #[must_use]
    pub fn meters(&self, region: &str) -> MeterTable {
        MeterTable::new(self.dynamodb(region), self.settings.meters_table.clone())
    }

    /// What limiters recorded of their decisions in this region.
    #[must_use]
    pub fn decision_records(&self, region: &str) -> DecisionRecords {
        DecisionRecords::new(self.dynamodb(region), self.settings.decisions_table.clone())
    }

    fn dynamodb(&self, region: &str) -> aws_sdk_dynamodb::Client {
        let config = aws_sdk_dynamodb::config::Builder::from(&self.base)
            .region(Region::new(region.to_owned()))
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    #[must_use]
    pub fn decision_stream(&self, region: &str) -> DecisionStream {
        let config = aws_sdk_dynamodbstreams::config::Builder::from(&self.base)
            .region(Region::new(region.to_owned()))
            .build();
        DecisionStream::new(
            aws_sdk_dynamodbstreams::Client::from_conf(config),
            self.settings.decisions_table.clone(),
        )
    }

    /// Who acts through a role, once it has let us in. Its sessions are kept by us alone: the SDK would go by another clock.
    async fn role<'a>(
        &self,
        ways: &'a [InstanceAccess],
        purpose: Purpose,
    ) -> Result<(&'a InstanceAccess, RoleCredentials), AwsError> {
        let access = ways
            .first()
            .ok_or_else(|| AwsError::transient("sts:AssumeRole", "there is no role to assume"))?;
        let role = RoleCredentials {
            sessions: Arc::clone(&self.sessions),
            sts: self.sts(access.instance_arn.region()),
            clock: self.clock.clone(),
            ways: ways.to_vec(),
            purpose,
            open: AtomicUsize::new(0),
        };
        role.credentials().await?;
        Ok((access, role))
    }

    fn sts(&self, region: &str) -> aws_sdk_sts::Client {
        let config = aws_sdk_sts::config::Builder::from(&self.base)
            .region(Region::new(region.to_owned()))
            .build();
        aws_sdk_sts::Client::from_conf(config)
    }
}
