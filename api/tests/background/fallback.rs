//! Calls that the limiter says nothing of: denied by a function of the customer's where the tenant wants that.

use ringfence_api::aws::AwsErrorKind;
use ringfence_api::domain::drift::DriftKind;
use ringfence_api::domain::installation::{
    ConditionStatus, ConditionType, ExistingWhisper, InstallationRequest, InstallationState,
    OnLimiterUnavailable, QueueState,
};
use sqlx::PgPool;

use crate::fake::FakeInstance;
use crate::world::{FALLBACK, Site, World, condition, dying_at_each_request, request};

fn deny() -> InstallationRequest {
    InstallationRequest {
        on_limiter_unavailable: OnLimiterUnavailable::Deny,
        ..request(ExistingWhisper::Merge)
    }
}

async fn site<'a>(world: &'a World, has_fallback: bool) -> Site<'a> {
    let fake = FakeInstance::with_queues(&[("plain", None), ("own", Some("their-whisper"))]);
    fake.inside().has_fallback = has_fallback;
    world.site(fake).await
}

fn whisper_content(site: &Site<'_>, queue: &str) -> String {
    let whisper = site.fake.whisper_of(queue).expect("a whisper");
    site.fake.inside().flows[&whisper].1.content.clone()
}

#[sqlx::test(migrations = "../migrations")]
async fn where_deny_is_wanted_every_whisper_goes_to_the_fallback_which_admits_the_instance(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let site = site(&world, true).await;
    site.ask(&deny()).await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Installed);
    for queue in ["plain", "own"] {
        assert!(whisper_content(&site, queue).contains(FALLBACK));
    }
    assert_eq!(site.fake.inside().fallback_granted.len(), 1);
    site.fake.inside().changes.clear();
    let again = site.pass().await.expect("a pass");
    assert!(again.reached && site.fake.inside().changes.is_empty());
    assert!(site.steps().await.iter().all(|step| step.0 != "pending"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_fallback_that_is_not_there_is_told_and_calls_are_limited_all_the_same(pool: PgPool) {
    let world = World::new(pool).await;
    let site = site(&world, false).await;
    site.ask(&deny()).await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    let permission = condition(&assessment, ConditionType::PermissionGranted);
    assert_eq!(permission.reason, "fallback_not_found");
    assert!(permission.message.contains("customer-fallback.yaml"));
    let queues = condition(&assessment, ConditionType::QueuesAttached);
    assert_eq!(queues.status, ConditionStatus::True);
    assert_eq!(site.queue_state("own").await, Some(QueueState::Attached));

    site.fake.inside().has_fallback = true;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Installed);
    assert_eq!(site.fake.inside().fallback_granted.len(), 1);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_permission_of_the_fallback_that_somebody_took_away_is_given_again(pool: PgPool) {
    let world = World::new(pool).await;
    let site = site(&world, true).await;
    site.ask(&deny()).await;
    site.pass().await.expect("a pass");
    site.fake.inside().fallback_granted.clear();
    site.settle().await;
    assert_eq!(site.fake.inside().fallback_granted.len(), 1);
    assert_eq!(told(&site).await, [(DriftKind::PermissionRemoved, true)]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_permission_of_the_fallback_that_was_there_is_told_as_removed_whatever_else_is_missing(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let site = site(&world, true).await;
        site.fake.hide("plain", AwsErrorKind::AccessDenied);
        site.ask(&deny()).await;
        let died = site.dies(moment).await;
        let assessment = site.pass().await.expect("a pass");
        assert!(!assessment.reached, "{moment:?}");
        assert_eq!(told(&site).await, [], "{moment:?}");
        site.fake.inside().fallback_granted.clear();
        // What was removed before it was asked for is no drift.
        site.ask(&deny()).await;
        site.pass().await.expect("a pass");
        assert_eq!(told(&site).await, [], "{moment:?}");
        site.fake.inside().fallback_granted.clear();
        site.pass().await.expect("a pass");
        let once = [(DriftKind::PermissionRemoved, true)];
        assert_eq!(told(&site).await, once, "{moment:?}");
        assert_eq!(site.fake.inside().fallback_granted.len(), 1);
        site.put_away().await;
        died
    })
    .await;
}

/// Each drift of the fallback's: its kind, and whether it is over.
async fn told(site: &Site<'_>) -> Vec<(DriftKind, bool)> {
    let tenant = site.world.store.tenant(site.world.tenant).await;
    let mut tx = tenant.expect("a transaction");
    let drift = tx.drift_list(site.instance).await.expect("drift");
    drift
        .iter()
        .filter(|drift| drift.difference.target.contains(FALLBACK))
        .map(|drift| (drift.difference.kind, drift.ended_at.is_some()))
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn a_role_that_may_no_longer_look_at_the_fallback_is_not_told_as_its_permission_removed(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let site = site(&world, true).await;
    site.ask(&deny()).await;
    site.pass().await.expect("a pass");
    let denied = "lambda:GetPolicy on the fallback";
    site.fake.inside().denied.insert(denied);
    let assessment = site.pass().await.expect("a pass");
    let permission = condition(&assessment, ConditionType::PermissionGranted);
    assert_eq!(permission.reason, "permission_missing");
    assert_eq!(told(&site).await, []);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_permission_on_the_fallback_that_the_role_lost_is_told_as_drift_of_the_role(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let site = site(&world, true).await;
    site.ask(&deny()).await;
    site.pass().await.expect("a pass");
    let denied = "lambda:GetPolicy on the fallback";
    site.fake.inside().denied.insert(denied);
    let assessment = site.pass().await.expect("a pass");
    let healthy = condition(&assessment, ConditionType::ConnectionHealthy);
    assert_eq!(healthy.status, ConditionStatus::False);
    assert!(healthy.message.contains(denied), "{}", healthy.message);
    let lost = (DriftKind::RolePermissionLost, false);
    assert_eq!(of_the_role(&site).await, [lost]);
    site.fake.inside().denied.clear();
    site.settle().await;
    let mended = (DriftKind::RolePermissionLost, true);
    assert_eq!(of_the_role(&site).await, [mended]);
}

/// Each drift of the roles: its kind, and whether it is over.
async fn of_the_role(site: &Site<'_>) -> Vec<(DriftKind, bool)> {
    let tenant = site.world.store.tenant(site.world.tenant).await;
    let mut tx = tenant.expect("a transaction");
    let drift = tx.drift_list(site.instance).await.expect("drift");
    drift
        .iter()
        .filter(|drift| DriftKind::of_access().any(|kind| kind == drift.difference.kind))
        .map(|drift| (drift.difference.kind, drift.ended_at.is_some()))
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn going_back_to_allow_takes_the_fallback_out_of_flows_and_its_permission_away(pool: PgPool) {
    let world = World::new(pool).await;
    let site = site(&world, true).await;
    site.ask(&deny()).await;
    site.pass().await.expect("a pass");
    site.ask(&request(ExistingWhisper::Merge)).await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Installed);
    assert!(!whisper_content(&site, "own").contains(FALLBACK));
    assert!(site.fake.inside().fallback_granted.is_empty());
    site.pass().await.expect("a pass");
    let last = site.steps().await.pop().expect("a step");
    assert_eq!(last, ("done".to_owned(), "revoke_fallback".to_owned()));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_role_that_may_not_change_the_fallback_is_told_by_the_permission(pool: PgPool) {
    let world = World::new(pool).await;
    for denied in [
        "lambda:GetPolicy on the fallback",
        "lambda:AddPermission on the fallback",
    ] {
        let site = site(&world, true).await;
        site.fake.inside().denied.insert(denied);
        site.ask(&deny()).await;
        let assessment = site.pass().await.expect("a pass");
        let permission = condition(&assessment, ConditionType::PermissionGranted);
        assert_eq!(permission.reason, "permission_missing");
        assert!(
            permission.message.contains(denied),
            "{}",
            permission.message
        );
        assert!(permission.message.starts_with("the installer role lacks"));
        site.fake.inside().denied.clear();
        assert_eq!(site.settle().await.state, InstallationState::Installed);
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn removal_takes_the_fallbacks_permission_away_and_tells_what_it_may_not(pool: PgPool) {
    let world = World::new(pool).await;
    let site = site(&world, true).await;
    site.ask(&deny()).await;
    site.pass().await.expect("a pass");
    let denied = "lambda:RemovePermission on the fallback";
    site.fake.inside().denied.insert(denied);
    site.ask_removal().await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    let ready = condition(&assessment, ConditionType::Ready);
    assert!(ready.message.contains(denied), "{}", ready.message);
    assert!(site.fake.our_flows().is_empty(), "all else is gone");
    site.fake.inside().denied.clear();
    assert_eq!(site.settle().await.state, InstallationState::Uninstalled);
    assert!(site.fake.inside().fallback_granted.is_empty());
}
