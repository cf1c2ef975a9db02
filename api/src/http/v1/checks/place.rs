//! Where and under which policy a call would go out, and whether its number is listed.

use jiff::Timestamp;
use ringfence_policy::{List as PolicyList, Listing, Policy};

use crate::domain::ids::InstanceId;
use crate::domain::listed_number::List;
use crate::domain::phone::{Dialled, PhoneNumber};
use crate::http::problem::ApiResult;
use crate::store::TenantTx;

/// The newest version of the policy that the instance goes by.
#[derive(Debug)]
pub(in crate::http::v1) struct PolicyHere {
    pub id: Option<String>,
    pub version: i64,
    pub policy: Policy,
}

pub(in crate::http::v1) async fn policy_of(
    tx: &mut TenantTx,
    instance: InstanceId,
) -> ApiResult<PolicyHere> {
    let own = tx.policy_current(Some(instance)).await?;
    let stored = match own {
        Some(own) => Some(own),
        None => tx.policy_current(None).await?,
    };
    Ok(match stored {
        Some(stored) => PolicyHere {
            id: Some(stored.policy_id.to_string()),
            version: stored.version,
            policy: stored.policy,
        },
        None => PolicyHere {
            id: None,
            version: 0,
            policy: Policy::default(),
        },
    })
}

/// The entry of the number on one of the tenant's lists, as far as it holds now.
pub(super) async fn listing_of(
    tx: &mut TenantTx,
    typed: &str,
    policy: &Policy,
    now: Timestamp,
) -> ApiResult<Option<Listing>> {
    let number = Dialled::read(typed, policy.default_country()).number;
    let Some(number) = PhoneNumber::read(number.as_str()) else {
        return Ok(None);
    };
    let entry = tx.listed_numbers_of(&[&number]).await?.pop();
    let holds = entry.filter(|entry| entry.expires_at.is_none_or(|at| at > now));
    Ok(holds.map(|entry| Listing {
        list: match entry.list {
            List::Exemption => PolicyList::Exemption,
            List::Block => PolicyList::Block,
        },
        expires_at: entry.expires_at,
    }))
}
