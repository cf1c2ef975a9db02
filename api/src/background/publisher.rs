//! Tells limiters what is in force for an instance.
//!
//! Invariants: a snapshot carries the revision under which it was read, so that a later one is never overwritten by an
//! earlier one, whichever process writes it; an instance that was taken away stays away. Failure: the publication
//! stays due and is tried again after a growing pause; limiters go on with what they have.

use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringfence_policy::wire::v1::{RuntimeAccess, SCHEMA, Snapshot, Status};
use ringfence_policy::{LimitsElsewhere, Policy};
use serde::Deserialize as _;

use crate::aws::{Aws, AwsError, Written};
use crate::clock::{Clock, IdSource};
use crate::domain::ids::{EventId, InstanceId, TenantId};
use crate::store::{PublicationSource, Store, StoreError};

use super::backoff::backoff;
use super::driver::Found;
use super::installation::execute::{Publish, StepError};

/// The name that decisions carry where no policy was ever written.
const NO_POLICY: &str = "none";
/// Other processes leave a publication alone for this long once somebody took it.
const TAKEN_FOR: SignedDuration = SignedDuration::from_secs(30);

/// A publication that meets a later one this often in a row is left to the next look.
const OVERTAKINGS_MAX: u32 = 3;

#[derive(Debug, thiserror::Error)]
pub enum PublishError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("later revisions keep appearing where limiters read")]
    Overtaken,
    #[error("the policy in the database is not readable")]
    Policy(#[source] serde_json::Error),
}

#[derive(Debug)]
pub struct Publisher {
    store: Store,
    aws: Arc<Aws>,
    clock: Clock,
    ids: IdSource,
}

impl Publisher {
    #[must_use]
    pub fn new(store: Store, aws: Arc<Aws>, clock: Clock, ids: IdSource) -> Self {
        Self {
            store,
            aws,
            clock,
            ids,
        }
    }

    /// Publishes what is due longest.
    pub async fn look(&self) -> Result<Found, PublishError> {
        let now = self.clock.now();
        let Some((tenant, instance)) = self
            .store
            .publication_take_due(now, after(now, TAKEN_FOR))
            .await?
        else {
            return Ok(Found::Nothing);
        };
        if let Err(err) = self.publish(tenant, instance).await {
            tracing::warn!(instance.id = %instance, error = %err, "publication failed; it is tried again");
            let failures = self
                .store
                .publication_failed(tenant, instance, &err.to_string())
                .await?;
            let pause =
                SignedDuration::try_from(backoff(failures, self.aws.jitter())).unwrap_or(TAKEN_FOR);
            self.store
                .publication_put_off(tenant, instance, after(now, pause))
                .await?;
        }
        Ok(Found::Work)
    }

    /// Writes the present state of one instance to where its limiters read.
    pub async fn publish(
        &self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<(), PublishError> {
        for _ in 0..OVERTAKINGS_MAX {
            let source = self.store.publication_source(tenant, instance).await?;
            let Some(source) = source else { return Ok(()) };
            let Some(standing) = self.write(&source).await? else {
                return Ok(());
            };
            // Somebody else's snapshot, or one from before the database was restored: go above it.
            self.store
                .publication_raise(tenant, instance, standing, self.clock.now())
                .await?;
        }
        Err(PublishError::Overtaken)
    }

    /// Writes one snapshot; answers the revision that stands in its way, if one does.
    async fn write(&self, source: &PublicationSource) -> Result<Option<u64>, PublishError> {
        let now = self.clock.now();
        let text = snapshot(source, now)
            .and_then(|snapshot| serde_json::to_string(&snapshot))
            .map_err(PublishError::Policy)?;
        let arn = source.instance_arn.to_string();
        let table = self.aws.snapshots(source.instance_arn.region());
        if let Written::Kept {
            revision,
            instance_id,
        } = table.put(&arn, source.revision, text, now).await?
        {
            let is_this_one = revision == source.revision
                && instance_id.as_deref() == Some(source.instance.to_string().as_str());
            if !is_this_one {
                return Ok(Some(revision));
            }
        }
        let recorded = self
            .store
            .publication_done(source, EventId(self.ids.uuid()), now)
            .await?;
        let is_wanted = recorded
            || self
                .store
                .publication_is_active(source.tenant, source.instance)
                .await?;
        if !is_wanted {
            table.delete(&arn, source.revision).await?;
        }
        Ok(None)
    }

    /// Takes the instance out of the limiters' table.
    pub async fn unpublish(
        &self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<(), PublishError> {
        let deactivated = self.store.publication_deactivate(tenant, instance).await?;
        let Some((arn, wanted)) = deactivated else {
            return Ok(());
        };
        self.aws
            .snapshots(arn.region())
            .delete(&arn.to_string(), wanted)
            .await?;
        self.store.publication_gone(tenant, instance).await?;
        Ok(())
    }
}

/// The publisher's hands for one instance, as a step of its installation uses them.
#[derive(Debug)]
pub struct PublishOne {
    pub publisher: Arc<Publisher>,
    pub tenant: TenantId,
    pub instance: InstanceId,
}

impl Publish for PublishOne {
    async fn publish(&self) -> Result<(), StepError> {
        self.publisher
            .publish(self.tenant, self.instance)
            .await
            .map_err(step_error)
    }

    async fn unpublish(&self) -> Result<(), StepError> {
        self.publisher
            .unpublish(self.tenant, self.instance)
            .await
            .map_err(step_error)
    }
}

fn step_error(err: PublishError) -> StepError {
    match err {
        PublishError::Aws(err) => err.into(),
        PublishError::Store(err) => err.into(),
        PublishError::Policy(_) | PublishError::Overtaken => StepError::Changed(err.to_string()),
    }
}

fn after(now: Timestamp, wait: SignedDuration) -> Timestamp {
    now.checked_add(wait).unwrap_or(Timestamp::MAX)
}

/// The instance's own policy, else the tenant's default, else no rules at all.
pub fn effective_policy(source: &PublicationSource) -> Result<Policy, serde_json::Error> {
    match &source.document {
        Some(document) => serde_json::from_value(document.clone()),
        None => Ok(Policy::default()),
    }
}

/// Every way into the instance but the first.
fn other_access(source: &PublicationSource) -> Vec<RuntimeAccess> {
    let ways = source.runtime_role_arns.iter().flat_map(|role_arn| {
        source.external_ids.iter().map(|external_id| RuntimeAccess {
            role_arn: role_arn.clone(),
            external_id: external_id.clone(),
        })
    });
    ways.skip(1).collect()
}

/// The effective policy of an instance and all else its limiter needs.
fn snapshot(source: &PublicationSource, now: Timestamp) -> Result<Snapshot, serde_json::Error> {
    let policy = effective_policy(source)?;
    let others = source.other_documents.iter().map(Policy::deserialize);
    let others: Vec<Policy> = others.collect::<Result<_, _>>()?;
    Ok(Snapshot {
        limits_elsewhere: LimitsElsewhere::of(&policy, &others),
        schema: SCHEMA,
        tenant_id: source.tenant.to_string(),
        instance_id: source.instance.to_string(),
        instance_arn: source.instance_arn.to_string(),
        status: if source.suspended {
            Status::Suspended
        } else {
            Status::Active
        },
        revision: source.revision,
        policy_id: source
            .policy_id
            .map_or_else(|| NO_POLICY.to_owned(), |id| id.to_string()),
        policy_version: source.policy_version.unwrap_or_default(),
        policy,
        runtime_role_arn: source.runtime_role_arns.first().cloned(),
        external_id: source.external_ids.first().cloned(),
        other_runtime_access: other_access(source),
        notice_flow_id: source.notice_flow_id.clone(),
        home_region: Some(source.home_region.clone()),
        has_listed_numbers: source.has_listed_numbers,
        published_at: now,
    })
}
