//! A limited queue that somebody gives a whisper that is refused: it is told for as long as that lasts, and is theirs to put right.

use std::collections::BTreeMap;

use ringfence_api::domain::drift::DriftKind;
use ringfence_api::domain::installation::{
    ConditionType, Drift, ExistingWhisper, InstallationRequest, InstallationState, QueueState,
};
use ringfence_api::store::InstallationQueue;
use sqlx::PgPool;

use crate::fake::{DEFAULT_OUTBOUND, FakeInstance};
use crate::told_only::{open, told};
use crate::world::{Site, World, condition, dying_at_each_request, request};

/// What was asked for, and the whisper that the queue had before.
#[derive(Debug, Clone)]
struct Case {
    asked: InstallationRequest,
    own: Option<&'static str>,
}

fn cases() -> Vec<Case> {
    let asked = |existing_whisper, drift| InstallationRequest {
        drift,
        ..request(existing_whisper)
    };
    let mut cases = Vec::new();
    for drift in [Drift::Mend, Drift::Report] {
        cases.push(Case {
            asked: asked(ExistingWhisper::Refuse, drift),
            own: None,
        });
        for own in [None, Some("their-whisper")] {
            cases.push(Case {
                asked: asked(ExistingWhisper::Merge, drift),
                own,
            });
        }
    }
    cases
}

/// Limited, and the only queue.
async fn limited<'a>(world: &'a World, case: &Case) -> (Site<'a>, String) {
    let fake = FakeInstance::with_queues(&[("own", case.own)]);
    fake.add_whisper("survey");
    if case.asked.existing_whisper == ExistingWhisper::Merge {
        fake.publish("survey", r#"{"Version":"2030-01-01"}"#);
    }
    let site = world.site(fake).await;
    site.ask(&case.asked).await;
    site.settle().await;
    let ours = site.fake.whisper_of("own").expect("a whisper");
    assert!(site.fake.our_flows().contains(&ours), "{case:?}");
    (site, ours)
}

async fn known(site: &Site<'_>) -> InstallationQueue {
    let queues = site.queues().await.into_iter();
    let known: BTreeMap<String, InstallationQueue> = queues
        .map(|queue| (queue.queue_id.clone(), queue))
        .collect();
    known["own"].clone()
}

/// It stays as they made it, told, and in our hands.
async fn assert_told(site: &Site<'_>, case: &str, own: Option<&str>, ours: &str) {
    let repointed = told(DriftKind::QueueRepointed, "own");
    assert_eq!(open(site).await, [repointed].into(), "{case}");
    assert_eq!(site.fake.whisper_of("own").as_deref(), Some("survey"));
    let known = known(site).await;
    assert_eq!(known.state, QueueState::LeftAlone, "{case}");
    assert_eq!(known.previous_flow_id.as_deref(), own, "{case}");
    let is_way_out_told = known.detail.contains("point the queue back")
        && known.detail.contains("choose existing_whisper");
    assert!(is_way_out_told, "{case}: {}", known.detail);
    assert!(site.fake.our_flows().contains(&ours.to_owned()), "{case}");
}

async fn assert_limited(site: &Site<'_>, case: &str, own: Option<&str>, ours: &str) {
    assert_eq!(open(site).await, [].into(), "{case}");
    assert_eq!(site.fake.whisper_of("own").as_deref(), Some(ours), "{case}");
    let known = known(site).await;
    assert_eq!(known.state, QueueState::Attached, "{case}");
    assert_eq!(known.previous_flow_id.as_deref(), own, "{case}");
}

async fn assert_gone(site: &Site<'_>, case: &str, whisper: &str) {
    site.ask_removal().await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Uninstalled, "{case}");
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some(whisper),
        "{case}"
    );
    assert_eq!(site.fake.our_flows(), Vec::<String>::new(), "{case}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_given_a_refused_whisper_is_told_until_it_is_pointed_back(pool: PgPool) {
    let world = World::new(pool).await;
    for case in cases() {
        let (site, ours) = limited(&world, &case).await;
        let name = format!("{case:?}");
        site.fake.point("own", "survey");
        site.fake.inside().changes.clear();
        for _ in 0..3 {
            let assessment = site.pass().await.expect("a pass");
            assert!(assessment.reached, "{name}");
            let queues = condition(&assessment, ConditionType::QueuesAttached);
            assert_eq!(queues.reason, "drifted", "{name}");
            assert_told(&site, &name, case.own, &ours).await;
        }
        site.fake.point("own", &ours);
        for _ in 0..3 {
            site.settle().await;
            assert_limited(&site, &name, case.own, &ours).await;
        }
        let changes = site.fake.inside().changes.clone();
        assert_eq!(changes, Vec::<String>::new(), "{name}");
        assert_gone(&site, &name, case.own.unwrap_or(DEFAULT_OUTBOUND)).await;
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_given_a_refused_whisper_and_then_another_is_drift_as_any(pool: PgPool) {
    let world = World::new(pool).await;
    for case in cases() {
        let (site, ours) = limited(&world, &case).await;
        let name = format!("{case:?}");
        site.fake.point("own", "survey");
        for _ in 0..2 {
            site.pass().await.expect("a pass");
        }
        site.fake.point("own", DEFAULT_OUTBOUND);
        for _ in 0..2 {
            site.settle().await;
            let shown = site.fake.whisper_of("own").expect("a whisper");
            let state = site.queue_state("own").await;
            let is_open = !open(&site).await.is_empty();
            if case.asked.drift == Drift::Mend {
                assert!(site.fake.our_flows().contains(&shown), "{name}");
                assert_eq!(state, Some(QueueState::Attached), "{name}");
            } else {
                assert_eq!(shown, DEFAULT_OUTBOUND, "{name}");
                assert_eq!(state, Some(QueueState::LeftAlone), "{name}");
                assert!(site.fake.our_flows().contains(&ours), "{name}");
            }
            assert_eq!(is_open, case.asked.drift == Drift::Report, "{name}");
        }
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_removal_leaves_a_refused_whisper_where_somebody_put_it(pool: PgPool) {
    let world = World::new(pool).await;
    for case in cases() {
        let (site, _) = limited(&world, &case).await;
        site.fake.point("own", "survey");
        site.pass().await.expect("a pass");
        assert_gone(&site, &format!("{case:?}"), "survey").await;
        assert_eq!(site.queue_state("own").await, Some(QueueState::LeftAlone));
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_given_a_refused_whisper_is_refused_when_asked_for_anew(pool: PgPool) {
    let world = World::new(pool).await;
    for case in cases() {
        let (site, ours) = limited(&world, &case).await;
        let name = format!("{case:?}");
        site.fake.point("own", "survey");
        site.pass().await.expect("a pass");
        site.ask(&case.asked).await;
        for _ in 0..2 {
            let assessment = site.settle().await;
            assert_eq!(assessment.state, InstallationState::Blocked, "{name}");
            assert_eq!(open(&site).await, [].into(), "{name}");
            assert_eq!(site.queue_state("own").await, Some(QueueState::Refused));
            assert!(!site.fake.our_flows().contains(&ours), "{name}");
        }
        assert_gone(&site, &name, "survey").await;
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn our_whisper_is_kept_right_for_a_queue_that_may_be_pointed_back(pool: PgPool) {
    let world = World::new(pool).await;
    for case in cases() {
        let (site, ours) = limited(&world, &case).await;
        if case.asked.drift == Drift::Report {
            continue;
        }
        let name = format!("{case:?}");
        site.fake.point("own", "survey");
        site.pass().await.expect("a pass");
        let whisper = site.fake.our_flows().iter().position(|id| *id == ours);
        site.fake.rewrite_ours(whisper.expect("a flow of ours"));
        site.settle().await;
        assert_eq!(site.fake.rewritten(), Vec::<String>::new(), "{name}");
        assert_told(&site, &name, case.own, &ours).await;
        site.put_away().await;
    }
}

async fn dying(pool: PgPool, case: Case) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let (site, ours) = limited(&world, &case).await;
        let name = format!("{case:?} {moment:?}");
        site.fake.point("own", "survey");
        let died = site.dies(moment).await;
        for _ in 0..2 {
            site.settle().await;
            assert_told(&site, &name, case.own, &ours).await;
        }
        site.fake.point("own", &ours);
        site.settle().await;
        assert_limited(&site, &name, case.own, &ours).await;
        assert_gone(&site, &name, case.own.unwrap_or(DEFAULT_OUTBOUND)).await;
        site.put_away().await;
        died
    })
    .await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_refused_whisper_is_told_wherever_the_worker_died(pool: PgPool) {
    dying(pool, cases().remove(0)).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_whisper_that_cannot_be_merged_is_told_wherever_the_worker_died(pool: PgPool) {
    dying(pool, cases().remove(2)).await;
}
