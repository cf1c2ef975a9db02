//! How many requests a credential and a tenant may send: counted in this process, told in every answer to a caller who was
//! recognised, also where the answer is a refusal.
//!
//! Each process counts for itself, so behind a balancer a caller gets at most as many times the quota as there are
//! processes. A request that is refused here costs nothing. What is told follows the IETF's draft "RateLimit header fields
//! for HTTP".

use std::collections::HashMap;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue};
use jiff::Timestamp;

use super::problem::{ApiError, ApiResult};
use crate::auth::Principal;
use crate::domain::ids::TenantId;
use crate::domain::rate::{Left, Rate, RateLimits};

static RATE_LIMIT: HeaderName = HeaderName::from_static("ratelimit");
static RATE_LIMIT_POLICY: HeaderName = HeaderName::from_static("ratelimit-policy");
/// Buckets that are whole again say nothing; beyond so many, they are looked for and thrown away.
const BUCKETS_BEFORE_PRUNING: usize = 10_000;

/// Whose bucket. Operators, who act for many tenants, use up none's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Owner {
    Key(Option<TenantId>, String),
    Tenant(TenantId),
}

/// When each bucket is whole again; who is absent has a whole one.
#[derive(Debug, Default)]
pub struct Buckets(Mutex<HashMap<Owner, Timestamp>>);

/// What a request's caller has left, once it is known who that is.
#[derive(Debug, Clone, Default)]
pub(super) struct RateNote(Arc<OnceLock<Vec<Told>>>);

#[derive(Debug, Clone, Copy)]
struct Told {
    name: &'static str,
    rate: Rate,
    left: Left,
}

/// Takes one request from every bucket that it counts in, or from none.
pub(super) fn charge(
    buckets: &Buckets,
    limits: RateLimits,
    now: Timestamp,
    principal: &Principal,
    extensions: &Extensions,
) -> ApiResult<()> {
    let tenant = principal.tenant.as_ref().map(|tenant| tenant.id);
    let key = Owner::Key(
        tenant.filter(|_| !principal.is_operator()),
        principal.actor(),
    );
    let mut counted = vec![("key", limits.per_key, key)];
    if let Some(tenant) = tenant.filter(|_| !principal.is_operator()) {
        counted.push(("tenant", limits.per_tenant, Owner::Tenant(tenant)));
    }
    let (outcome, told) = buckets.take(&counted, now);
    if let Some(note) = extensions.get::<RateNote>() {
        let _ = note.0.set(told);
    }
    outcome.map_err(ApiError::rate_limited)
}

type Counted = (&'static str, Rate, Owner);

impl Buckets {
    fn take(&self, counted: &[Counted], now: Timestamp) -> (Result<(), u32>, Vec<Told>) {
        let mut buckets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= BUCKETS_BEFORE_PRUNING {
            buckets.retain(|_, whole_at| *whole_at > now);
        }
        let (mut taken, mut wait) = (Vec::new(), None);
        for (_, rate, owner) in counted {
            match rate.take(buckets.get(owner).copied(), now) {
                Ok(whole_at) => taken.push((owner, whole_at)),
                // The longest wait of all is the one that helps.
                Err(seconds) => wait = wait.max(Some(seconds)),
            }
        }
        let outcome = wait.map_or(Ok(()), Err);
        if outcome.is_ok() {
            buckets.extend(
                taken
                    .into_iter()
                    .map(|(owner, whole_at)| (owner.clone(), whole_at)),
            );
        }
        let told = counted.iter().map(|(name, rate, owner)| Told {
            name,
            rate: *rate,
            left: rate.left(buckets.get(owner).copied(), now),
        });
        (outcome, told.collect())
    }
}

impl RateNote {
    /// Nothing where nobody was recognised.
    pub fn write(&self, headers: &mut HeaderMap) {
        let Some(told) = self.0.get() else {
            return;
        };
        let policies = told.iter().map(|told| {
            let Rate {
                requests,
                window_seconds,
            } = told.rate;
            format!("\"{}\";q={requests};w={window_seconds}", told.name)
        });
        let left = told.iter().map(|told| {
            let Left {
                requests,
                whole_in_seconds,
            } = told.left;
            format!("\"{}\";r={requests};t={whole_in_seconds}", told.name)
        });
        for (name, items) in [
            (&RATE_LIMIT_POLICY, policies.collect::<Vec<_>>()),
            (&RATE_LIMIT, left.collect()),
        ] {
            if let Ok(value) = HeaderValue::from_str(&items.join(", ")) {
                headers.insert(name.clone(), value);
            }
        }
    }
}
