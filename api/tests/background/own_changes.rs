//! What we changed ourselves and never heard of is not told as somebody else's change.

use std::collections::BTreeSet;

use ringfence_api::domain::drift::DriftKind;
use ringfence_api::domain::installation::{
    Drift, ExistingWhisper, InstallationRequest, InstallationState, QueueSelection, QueueState,
};
use sqlx::PgPool;

use crate::fake::{DEFAULT_OUTBOUND, FakeInstance};
use crate::world::{Site, World, dying_at_each_request, request};

async fn installed(world: &World) -> Site<'_> {
    let queues = [("plain", None), ("own", Some("their-whisper"))];
    let site = world.site(FakeInstance::with_queues(&queues)).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.settle().await;
    site
}

/// Kinds of drift that were ever told of this instance.
async fn told(site: &Site<'_>) -> BTreeSet<&'static str> {
    let tenant = site.world.store.tenant(site.world.tenant).await;
    let mut tx = tenant.expect("a transaction");
    let drift = tx.drift_list(site.instance).await.expect("drift");
    drift
        .iter()
        .map(|drift| drift.difference.kind.as_str())
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flow_that_we_deleted_and_never_heard_of_is_no_drift_when_it_is_needed_again(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let site = installed(&world).await;
        // No queue needs the copy any more, so that it goes …
        let queue = site.fake.inside().queues.remove("own").expect("the queue");
        let died = site.dies(moment).await;
        // … and then one does.
        let mut again = queue.clone();
        again.outbound.flow_id = Some("their-whisper".to_owned());
        site.fake.inside().queues.insert("own".to_owned(), again);
        let assessment = site.settle().await;
        assert_eq!(assessment.state, InstallationState::Installed, "{moment:?}");
        let told = told(&site).await;
        assert!(
            !told.contains(DriftKind::FlowDeleted.as_str()),
            "{moment:?}: {told:?}"
        );
        assert_eq!(site.fake.our_flows().len(), 3, "{moment:?}");
        site.put_away().await;
        died
    })
    .await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flow_that_was_to_be_deleted_and_stayed_is_drift_when_somebody_deletes_it(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    let queue = site.fake.inside().queues.remove("own").expect("the queue");
    site.fake
        .inside()
        .denied
        .insert("connect:DeleteContactFlow");
    site.pass().await.expect("a pass");
    site.fake.inside().denied.clear();
    // It names the copy, which so far nobody has deleted.
    site.fake.inside().queues.insert("own".to_owned(), queue);
    site.settle().await;
    assert!(!told(&site).await.contains("flow_deleted"));
    let copy = site.fake.whisper_of("own").expect("a whisper");
    site.fake.inside().flows.remove(&copy);
    site.settle().await;
    assert!(told(&site).await.contains("flow_deleted"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_we_put_back_and_never_heard_of_is_no_drift(pool: PgPool) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let site = installed(&world).await;
        // It cannot be merged any more, so that the queue gets its own whisper back.
        site.fake.publish("their-whisper", "{}");
        let died = site.dies(moment).await;
        site.pass().await.expect("a pass");
        site.pass().await.expect("a pass");
        assert_eq!(told(&site).await, BTreeSet::new(), "{moment:?}");
        assert_eq!(
            site.fake.whisper_of("own").as_deref(),
            Some("their-whisper"),
            "{moment:?}"
        );
        assert_eq!(
            site.queue_state("own").await,
            Some(QueueState::Refused),
            "{moment:?}"
        );
        site.put_away().await;
        died
    })
    .await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_was_taken_out_is_told_as_put_back_wherever_the_worker_died(pool: PgPool) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let site = installed(&world).await;
        let only = InstallationRequest {
            queues: QueueSelection::Only(["own".to_owned()].into()),
            ..request(ExistingWhisper::Merge)
        };
        site.ask(&only).await;
        let died = site.dies(moment).await;
        site.settle().await;
        assert_eq!(
            site.queue_state("plain").await,
            Some(QueueState::Restored),
            "{moment:?}"
        );
        assert_eq!(
            site.fake.whisper_of("plain").as_deref(),
            Some(DEFAULT_OUTBOUND)
        );
        assert_eq!(told(&site).await, BTreeSet::new(), "{moment:?}");
        site.put_away().await;
        died
    })
    .await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_whose_original_is_gone_is_told_as_put_back_to_the_default_wherever_the_worker_died(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let site = installed(&world).await;
        site.fake.inside().flows.remove("their-whisper");
        site.ask_removal().await;
        let died = site.dies(moment).await;
        site.settle().await;
        let queues = site.queues().await;
        let own = queues.iter().find(|queue| queue.queue_id == "own");
        let own = own.expect("the queue");
        assert_eq!(own.state, QueueState::Restored, "{moment:?}");
        let told = "its former whisper (their-whisper) is gone";
        assert!(own.detail.starts_with(told), "{moment:?}: {}", own.detail);
        site.put_away().await;
        died
    })
    .await;
}

async fn we_put_back_to_the_default(pool: PgPool, mode: Drift) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let site = installed(&world).await;
        let asked = InstallationRequest {
            drift: mode,
            ..request(ExistingWhisper::Merge)
        };
        site.ask(&asked).await;
        site.settle().await;
        // With its original and the copy of that the queue has nothing of its own any more.
        let copy = site.fake.whisper_of("own").expect("a whisper");
        for gone in ["their-whisper", &copy] {
            site.fake.inside().flows.remove(gone);
        }
        let died = site.dies(moment).await;
        for _ in 0..3 {
            site.pass().await.expect("a pass");
        }
        let told = told(&site).await;
        let ours = DriftKind::QueueRepointed.as_str();
        assert!(!told.contains(ours), "{moment:?}: {told:?}");
        let whisper = site.fake.whisper_of("own");
        assert_eq!(whisper, site.fake.whisper_of("plain"), "{moment:?}");
        let state = site.queue_state("own").await;
        assert_eq!(state, Some(QueueState::Attached), "{moment:?}");
        site.put_away().await;
        died
    })
    .await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_we_put_back_to_the_default_is_no_drift_and_is_limited_again(pool: PgPool) {
    we_put_back_to_the_default(pool, Drift::Mend).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_we_put_back_to_the_default_is_limited_again_where_drift_is_only_told(
    pool: PgPool,
) {
    we_put_back_to_the_default(pool, Drift::Report).await;
}
