//! What a pass reaches beyond our own database: the customer's instance, the functions' policies, the limiters' table.

use std::future::Future;
use std::sync::Arc;

use crate::aws::{
    Aws, AwsError, ConnectInstance, FunctionPermissions, InstanceAccess, SdkConnectInstance,
    SdkFunctionPermissions,
};
use crate::background::publisher::{PublishOne, Publisher};
use crate::domain::ids::{InstanceId, TenantId};
use crate::domain::pace::Urgency;
use crate::store::LeasedInstallation;

use super::execute::Publish;

pub trait Reach: Send + Sync {
    type Instance: ConnectInstance;
    type Permissions: FunctionPermissions;
    type Fallback: FunctionPermissions;
    type Publish: Publish;

    /// The instance, through the customer's installer role.
    fn instance(
        &self,
        leased: &LeasedInstallation,
    ) -> impl Future<Output = Result<Self::Instance, AwsError>> + Send;
    /// The policy of the fallback function, through the same role.
    fn fallback(
        &self,
        leased: &LeasedInstallation,
    ) -> impl Future<Output = Result<Self::Fallback, AwsError>> + Send;
    /// The next pass is to ask for new sessions there: what the role refuses may have been put right.
    fn forget(&self, leased: &LeasedInstallation);
    fn permissions(&self, leased: &LeasedInstallation) -> Self::Permissions;
    fn publish(&self, tenant: TenantId, instance: InstanceId) -> Self::Publish;
}

/// [`Reach`] through the SDK.
#[derive(Debug, Clone)]
pub struct AwsReach {
    pub aws: Arc<Aws>,
    pub publisher: Arc<Publisher>,
}

fn access(leased: &LeasedInstallation) -> Vec<InstanceAccess> {
    InstanceAccess::ways(
        &leased.instance_arn,
        std::slice::from_ref(&leased.installer_role_arn),
        &leased.external_ids,
    )
}

impl Reach for AwsReach {
    type Instance = SdkConnectInstance;
    type Permissions = SdkFunctionPermissions;
    type Fallback = SdkFunctionPermissions;
    type Publish = PublishOne;

    async fn instance(&self, leased: &LeasedInstallation) -> Result<SdkConnectInstance, AwsError> {
        self.aws
            .connect_instance(&access(leased), Urgency::Background)
            .await
    }

    async fn fallback(
        &self,
        leased: &LeasedInstallation,
    ) -> Result<SdkFunctionPermissions, AwsError> {
        self.aws
            .fallback_permissions(&access(leased), Urgency::Background)
            .await
    }

    fn forget(&self, leased: &LeasedInstallation) {
        self.aws.forget_sessions(&access(leased));
    }

    fn permissions(&self, leased: &LeasedInstallation) -> SdkFunctionPermissions {
        self.aws.function_permissions(leased.instance_arn.region())
    }

    fn publish(&self, tenant: TenantId, instance: InstanceId) -> PublishOne {
        PublishOne {
            publisher: Arc::clone(&self.publisher),
            tenant,
            instance,
        }
    }
}
