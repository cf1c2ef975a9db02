//! Erases numbers: meters and decision records in the limiters' tables, then the number out of the decisions that named
//! them.
//!
//! Invariants: a decision loses its number only after everything that is found by it is gone, so that a crash anywhere means
//! doing something again; each step is harmless when done twice; what is counted of decisions stays. A record is taken
//! away only when its call is over for limiters, whose deliveries are told by it what became of each other. Calls that were
//! under way write theirs afterwards: the end is not before they have come back. Failure: told on the erasure, and tried
//! again after a growing pause.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use futures::future::try_join_all;
use jiff::{SignedDuration, Timestamp};
use ringfence_policy::{Policy, Rule};
use serde_json::json;

use crate::app::check_call::Place;
use crate::app::number_meters::{
    Combinations, RegionalMeter, begin_anew, customer_rules, meters_of,
};
use crate::aws::{Aws, AwsError};
use crate::clock::{Clock, IdSource, later};
use crate::domain::ids::InstanceId;
use crate::domain::instance_arn::InstanceArn;
use crate::domain::phone::PhoneNumber;
use crate::store::{
    Change, ErasedData, NumberDecision, NumberErasure, Store, StoreError, TenantTx, Tried,
};

use super::backoff::backoff;
use super::driver::Found;

/// Longer than a step takes.
const TAKEN_FOR: SignedDuration = SignedDuration::from_mins(2);
/// Decisions at a time, so that no transaction grows long.
const DECISIONS: i64 = 200;
/// Records that are taken away at a time: the table is the limiters' first of all.
const RECORDS_AT_ONCE: usize = 8;
/// A limiter lives for half of it at most, and its records come back within seconds.
const CALLS_OVER_AFTER: SignedDuration = SignedDuration::from_secs(60);
/// By how much the clocks of hosts differ.
const SKEW: SignedDuration = SignedDuration::from_secs(2);
/// What an earlier version of a policy counted may be kept still.
const VERSIONS: i64 = 100;

#[derive(Debug, thiserror::Error)]
enum EraseError {
    #[error(transparent)]
    Aws(#[from] AwsError),
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is known of where the tenant's calls are made.
struct Ground {
    home_region: String,
    instances: BTreeMap<InstanceId, Site>,
}

struct Site {
    arn: InstanceArn,
    /// Of those that it goes by or went by.
    rules: Vec<Rule>,
}

/// Works on erasures, a step of one at a time.
#[derive(Debug, Clone)]
pub struct NumberEraser {
    pub store: Store,
    pub aws: Arc<Aws>,
    pub clock: Clock,
    pub ids: IdSource,
}

impl NumberEraser {
    pub async fn look(&self) -> Result<Found, StoreError> {
        let now = self.clock.now();
        let taken_until = after(now, TAKEN_FOR);
        let Some(erasure) = self.store.number_erasure_take_due(now, taken_until).await? else {
            return Ok(Found::Nothing);
        };
        match self.step(&erasure, now).await {
            Ok(()) => {}
            Err(EraseError::Store(err)) => return Err(err),
            Err(EraseError::Aws(err)) => {
                tracing::warn!(erasure.id = %erasure.id, error = %err, "a number could not be erased; it is tried again");
                let pause = backoff(erasure.attempts.saturating_add(1), self.aws.jitter());
                let due_at = later(self.clock.now(), pause);
                let mut tx = self.store.tenant(erasure.tenant).await?;
                tx.number_erasure_failed(erasure.id, &err.to_string(), due_at)
                    .await?;
                tx.commit().await?;
            }
        }
        Ok(Found::Work)
    }

    async fn step(&self, erasure: &NumberErasure, now: Timestamp) -> Result<(), EraseError> {
        let Some(number) = &erasure.number else {
            return Ok(());
        };
        let calls_over_at = after(erasure.asked_at, CALLS_OVER_AFTER);
        let until = after(erasure.asked_at, SKEW);
        let over = now.checked_sub(CALLS_OVER_AFTER).unwrap_or(Timestamp::MIN);
        let mut tx = self.store.tenant(erasure.tenant).await?;
        let Some(tenant) = tx.tenant_self().await? else {
            return Ok(());
        };
        let ground = Ground::survey(&mut tx, tenant.home_region).await?;
        // Of a call that may be under way, the next look takes care.
        let decisions = tx
            .number_decisions(number, until.min(over), DECISIONS)
            .await?;
        tx.number_erase_notices(number, until, now).await?;
        tx.commit().await?;

        let meters = self.erase_meters(erasure, &ground, &decisions).await?;
        self.erase_records(&ground, &decisions).await?;
        let erased = ErasedData {
            decisions: u64::try_from(decisions.len()).unwrap_or_default(),
            meters,
        };

        let mut tx = self.store.tenant(erasure.tenant).await?;
        tx.number_erase_decisions(number, &decisions).await?;
        let is_last = decisions.is_empty() && now >= after(calls_over_at, SKEW);
        let due_at = match decisions.is_empty() {
            true => after(calls_over_at, SKEW),
            false => now,
        };
        tx.number_erasure_go_on(erasure.id, erased, due_at).await?;
        if is_last {
            self.end(&mut tx, erasure, now).await?;
        }
        tx.commit().await?;
        Ok(())
    }

    /// The meters of these decisions, and of the customer alone at every instance.
    async fn erase_meters(
        &self,
        erasure: &NumberErasure,
        ground: &Ground,
        decisions: &[NumberDecision],
    ) -> Result<u64, EraseError> {
        let Some(number) = &erasure.number else {
            return Ok(0);
        };
        let meters = ground.meters(&erasure.tenant.to_string(), number, decisions);
        let begun = begin_anew(&self.aws, &meters).await;
        if let Some(err) = begun.failed.into_values().next() {
            return Err(err.into());
        }
        let stood = begun.done.into_values().filter(|stood| *stood).count();
        Ok(u64::try_from(stood).unwrap_or_default())
    }

    async fn erase_records(
        &self,
        ground: &Ground,
        decisions: &[NumberDecision],
    ) -> Result<(), AwsError> {
        for some in decisions.chunks(RECORDS_AT_ONCE) {
            let each = some.iter().filter_map(|decision| {
                let site = ground.instances.get(&decision.instance)?;
                Some(async move {
                    let records = self.aws.decision_records(site.arn.region());
                    let arn = site.arn.to_string();
                    records.erase(&arn, &decision.contact_id).await
                })
            });
            try_join_all(each).await?;
        }
        Ok(())
    }

    async fn end(
        &self,
        tx: &mut TenantTx,
        erasure: &NumberErasure,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let ended = tx
            .number_erasure_end(erasure.id, erasure.asked_at, now)
            .await?;
        let Some(ended) = ended else { return Ok(()) };
        let target = ended.id.to_string();
        let mut change = Change::by_worker(self.ids.uuid(), now, "number.erased", target);
        change.after = Some(json!({
            "number": ended.masked, "decisions": ended.decisions, "meters": ended.meters,
        }));
        tx.audit_append(&change).await?;
        tracing::info!(erasure.id = %ended.id, "a number was erased");
        Ok(())
    }
}

impl Ground {
    /// Only instances that the tenant has proved: of others nothing is the tenant's.
    async fn survey(tx: &mut TenantTx, home_region: String) -> Result<Self, StoreError> {
        let defaults = versions(tx, None).await?;
        let mut instances = BTreeMap::new();
        for instance in tx.instances_verified().await? {
            let own = versions(tx, Some(instance.id)).await?;
            let rules = customer_rules(own.iter().chain(&defaults));
            let site = Site {
                arn: instance.arn,
                rules: rules.into_iter().cloned().collect(),
            };
            instances.insert(instance.id, site);
        }
        Ok(Self {
            home_region,
            instances,
        })
    }

    fn meters(
        &self,
        tenant_id: &str,
        number: &PhoneNumber,
        decisions: &[NumberDecision],
    ) -> BTreeSet<RegionalMeter> {
        let mut anywhere = BTreeSet::new();
        let mut by_instance: BTreeMap<InstanceId, BTreeSet<Tried>> = BTreeMap::new();
        for decision in decisions.iter().filter(|decision| decision.is_customer) {
            anywhere.insert(decision.tried.clone());
            let here = by_instance.entry(decision.instance).or_default();
            here.insert(decision.tried.clone());
        }
        let anywhere: Vec<Tried> = anywhere.into_iter().collect();
        let mut meters = BTreeSet::new();
        for (id, site) in &self.instances {
            let here = by_instance.remove(id).unwrap_or_default();
            let here: Vec<Tried> = here.into_iter().collect();
            let place = Place {
                tenant_id,
                instance: &site.arn,
                home_region: &self.home_region,
            };
            let combinations = Combinations {
                here: &here,
                anywhere: &anywhere,
            };
            let rules: Vec<&Rule> = site.rules.iter().collect();
            meters.extend(meters_of(&rules, place, number, combinations));
        }
        meters
    }
}

async fn versions(
    tx: &mut TenantTx,
    instance: Option<InstanceId>,
) -> Result<Vec<Policy>, StoreError> {
    let versions = tx.policy_version_list(instance, None, VERSIONS).await?;
    Ok(versions.into_iter().map(|version| version.policy).collect())
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}
