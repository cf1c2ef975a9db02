//! The next version of a policy, with its audit row, in one transaction.

use ringfence_policy::Policy;

use super::body::{PolicyBody, PolicySource, audited};
use crate::auth::EditPolicies;
use crate::domain::ids::{InstanceId, PolicyId};
use crate::domain::precondition::Precondition;
use crate::http::caller::{Caller, states};
use crate::http::etag::stale;
use crate::http::problem::ApiResult;
use crate::store::{Put, PutPolicy, TenantTx};

/// Whose policy gets a next version, and as what that goes into the audit log.
pub(super) struct Next<'a> {
    pub action: &'static str,
    /// None: the tenant's default.
    pub instance: Option<InstanceId>,
    pub policy: &'a Policy,
    pub expected: &'a Precondition,
}

/// To be committed by the caller, who then wakes the publisher.
pub(super) async fn put_next(
    tx: &mut TenantTx,
    caller: &Caller<EditPolicies>,
    next: Next<'_>,
) -> ApiResult<PolicyBody> {
    let now = caller.now();
    let put = PutPolicy {
        new_id: PolicyId(caller.app.ids.uuid()),
        instance: next.instance,
        policy: next.policy,
        expected: next.expected,
        now,
        by: &caller.principal.actor(),
    };
    let (before, after) = match tx.policy_put(&put).await? {
        Put::Stored { before, after } => (before, after),
        Put::Stale { current } => return Err(stale(current)),
    };
    // What a tenant-wide rule needs, the other instances' limiters have to leave in the meters.
    let only = next
        .instance
        .filter(|_| !next.policy.has_tenant_wide_rules());
    tx.publication_touch(only, now).await?;
    let change = caller.change(next.action, after.policy_id);
    tx.audit_append(&states(
        change,
        before.as_deref().map(audited),
        Some(audited(&after)),
    ))
    .await?;
    let published = tx.publication_in_force().await?;
    let source = PolicySource::of(next.instance);
    Ok(PolicyBody::new(source, Some(*after), &published))
}
