//! One queue or one whisper that cannot be read keeps no other from being put right, and loses nothing meanwhile.

use std::collections::BTreeSet;

use ringfence_api::aws::AwsErrorKind;
use ringfence_api::domain::installation::{
    ConditionStatus, ConditionType, Drift, ExistingWhisper, InstallationRequest, InstallationState,
    QueueSelection, QueueState,
};
use sqlx::PgPool;

use crate::fake::{DEFAULT_OUTBOUND, FakeInstance, whisper_content};
use crate::world::{Site, World, condition, request};

const QUEUES: [(&str, Option<&str>); 3] = [
    ("odd", Some("odd-whisper")),
    ("own", Some("their-whisper")),
    ("plain", None),
];

/// How a single object cannot be read, and what an installation is then.
const FAILURES: [(AwsErrorKind, InstallationState); 2] = [
    (AwsErrorKind::AccessDenied, InstallationState::Blocked),
    (AwsErrorKind::Transient, InstallationState::Installing),
];

async fn asked<'a>(world: &'a World, wanted: &InstallationRequest) -> Site<'a> {
    let site = world.site(FakeInstance::with_queues(&QUEUES)).await;
    site.ask(wanted).await;
    site
}

async fn installed(world: &World) -> Site<'_> {
    let site = asked(world, &request(ExistingWhisper::Merge)).await;
    site.settle().await;
    site
}

/// Everything is reached as soon as it can be read.
async fn converges(site: &Site<'_>) {
    site.fake.show_all();
    assert_eq!(site.settle().await.state, InstallationState::Installed);
    for (queue, _) in QUEUES {
        assert_eq!(site.queue_state(queue).await, Some(QueueState::Attached));
        assert_eq!(site.queue_detail(queue).await, "");
        let whisper = site.fake.whisper_of(queue).expect("a whisper");
        assert!(site.fake.our_flows().contains(&whisper), "{queue}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_cannot_be_read_is_told_and_keeps_no_other_back(pool: PgPool) {
    let world = World::new(pool).await;
    for drift in [Drift::Mend, Drift::Report] {
        for (failure, state) in FAILURES {
            let wanted = InstallationRequest {
                drift,
                ..request(ExistingWhisper::Merge)
            };
            let site = asked(&world, &wanted).await;
            site.fake.hide("odd", failure);
            for _ in 0..2 {
                let assessment = site.pass().await.expect("a pass");
                assert_eq!(assessment.state, state);
                let queues = condition(&assessment, ConditionType::QueuesAttached);
                assert_eq!(queues.reason, "unreadable");
                assert!(queues.message.contains("\"Queue odd\""), "{queues:?}");
                let ready = condition(&assessment, ConditionType::Ready);
                assert_eq!(ready.status, ConditionStatus::False);
            }
            for queue in ["own", "plain"] {
                assert_eq!(site.queue_state(queue).await, Some(QueueState::Attached));
            }
            assert_eq!(site.fake.whisper_of("odd").as_deref(), Some("odd-whisper"));
            converges(&site).await;
            site.put_away().await;
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn nothing_that_a_queue_may_run_is_taken_away_while_it_cannot_be_read(pool: PgPool) {
    let world = World::new(pool).await;
    for (failure, _) in FAILURES {
        let site = installed(&world).await;
        let flows = site.fake.our_flows();
        site.fake.hide("odd", failure.clone());
        site.ask_removal().await;
        for _ in 0..3 {
            let assessment = site.pass().await.expect("a pass");
            let state = match failure {
                AwsErrorKind::AccessDenied => InstallationState::Blocked,
                _ => InstallationState::Uninstalling,
            };
            assert_eq!(assessment.state, state);
            let queues = condition(&assessment, ConditionType::QueuesAttached);
            assert_eq!(queues.reason, "unreadable");
            assert!(queues.message.contains("\"Queue odd\""), "{queues:?}");
        }
        assert_eq!(
            site.fake.whisper_of("own").as_deref(),
            Some("their-whisper")
        );
        let told = site.queue_detail("odd").await;
        assert!(told.contains("could not be read"), "{told}");
        assert_eq!(site.fake.our_flows(), flows);
        assert!(!site.fake.inside().granted.is_empty(), "it is limited");

        site.fake.show_all();
        assert_eq!(site.settle().await.state, InstallationState::Uninstalled);
        assert_eq!(site.fake.whisper_of("odd").as_deref(), Some("odd-whisper"));
        assert_eq!(site.fake.our_flows(), Vec::<String>::new());
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flow_that_an_unreadable_queue_may_run_stays_although_nobody_else_needs_it(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    let only_own = InstallationRequest {
        queues: QueueSelection::Only(BTreeSet::from(["own".to_owned()])),
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&only_own).await;
    site.fake.hide("odd", AwsErrorKind::AccessDenied);
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    assert_eq!(site.fake.our_flows().len(), 4);
    assert_eq!(
        site.fake.whisper_of("plain").as_deref(),
        Some(DEFAULT_OUTBOUND)
    );
    site.fake.show_all();
    site.settle().await;
    assert_eq!(site.fake.whisper_of("odd").as_deref(), Some("odd-whisper"));
    // Now it is known to run nothing of ours, and is nobody's business any more.
    site.fake.hide("odd", AwsErrorKind::AccessDenied);
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Installed);
    assert_eq!(site.fake.our_flows().len(), 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_whisper_that_cannot_be_read_keeps_back_only_the_queues_that_play_it(pool: PgPool) {
    let world = World::new(pool).await;
    for (whisper, queue) in [("odd-whisper", "odd"), (DEFAULT_OUTBOUND, "plain")] {
        for (failure, state) in FAILURES {
            let site = asked(&world, &request(ExistingWhisper::Merge)).await;
            site.fake.hide(whisper, failure);
            let assessment = site.pass().await.expect("a pass");
            assert_eq!(assessment.state, state);
            for kind in [
                ConditionType::FlowsInstalled,
                ConditionType::QueuesAttached,
                ConditionType::Ready,
            ] {
                let status = condition(&assessment, kind).status;
                assert_eq!(status, ConditionStatus::False, "{kind:?}");
            }
            let flows = condition(&assessment, ConditionType::FlowsInstalled);
            assert_eq!(flows.reason, "unreadable");
            for (other, _) in QUEUES {
                let wanted = match other == queue {
                    true => QueueState::Pending,
                    false => QueueState::Attached,
                };
                assert_eq!(site.queue_state(other).await, Some(wanted), "{other}");
            }
            let told = site.queue_detail(queue).await;
            assert!(told.contains("its whisper could not be read"), "{told}");
            converges(&site).await;
            site.put_away().await;
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_copy_whose_original_cannot_be_read_goes_on_as_it_was(pool: PgPool) {
    let world = World::new(pool).await;
    for whisper in ["odd-whisper", DEFAULT_OUTBOUND] {
        let site = installed(&world).await;
        site.fake.hide(whisper, AwsErrorKind::Transient);
        site.fake.inside().changes.clear();
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(assessment.state, InstallationState::Installing);
        let flows = condition(&assessment, ConditionType::FlowsInstalled);
        assert_eq!(flows.reason, "unreadable");
        let changes = site.fake.inside().changes.clone();
        assert_eq!(changes, Vec::<String>::new());
        for (queue, _) in QUEUES {
            assert_eq!(site.queue_state(queue).await, Some(QueueState::Attached));
        }
        let said = whisper_content("something else");
        site.fake.publish(whisper, &said);
        converges(&site).await;
        assert_eq!(
            site.fake.inside().changes.len(),
            1,
            "its copy is made anew as soon as it can be read"
        );
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_whose_copy_is_gone_gets_its_own_whisper_while_that_cannot_be_read(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    let copy = site.fake.whisper_of("odd").expect("a whisper");
    site.fake.inside().flows.remove(&copy);
    site.fake.hide("odd-whisper", AwsErrorKind::Transient);
    site.pass().await.expect("a pass");
    assert_eq!(
        site.fake.whisper_of("odd").as_deref(),
        Some("odd-whisper"),
        "rather unlimited than naming nothing"
    );
    let told = site.queue_detail("odd").await;
    assert!(told.contains("could not be read"), "{told}");
    converges(&site).await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_role_that_may_read_nothing_of_a_kind_is_told_as_such(pool: PgPool) {
    let world = World::new(pool).await;
    for denied in ["connect:DescribeQueue", "connect:DescribeContactFlow"] {
        let site = asked(&world, &request(ExistingWhisper::Merge)).await;
        site.fake.inside().denied = [denied].into();
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(assessment.state, InstallationState::Blocked);
        let connection = condition(&assessment, ConditionType::ConnectionHealthy);
        assert_eq!(connection.reason, "permission_missing", "{denied}");
        assert!(connection.message.contains(denied), "{connection:?}");
        site.fake.inside().denied.clear();
        converges(&site).await;
        site.put_away().await;
    }
}
