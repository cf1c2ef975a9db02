//! One flow or one queue that Connect will not change keeps no other from being put right.

use std::collections::BTreeSet;

use ringfence_api::aws::AwsErrorKind;
use ringfence_api::domain::drift::DriftKind;
use ringfence_api::domain::installation::{
    ConditionStatus, ConditionType, ExistingWhisper, InstallationRequest, InstallationState,
    QueueSelection, QueueState,
};
use sqlx::PgPool;

use crate::fake::{Change, DEFAULT_OUTBOUND, Edit, FakeInstance};
use crate::world::{Site, World, condition, request};

const QUEUES: [(&str, Option<&str>); 3] = [
    ("odd", Some("odd-whisper")),
    ("own", Some("their-whisper")),
    ("plain", None),
];

async fn asked(world: &World) -> Site<'_> {
    let site = world.site(FakeInstance::with_queues(&QUEUES)).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site
}

async fn installed(world: &World) -> Site<'_> {
    let site = asked(world).await;
    site.settle().await;
    site
}

#[sqlx::test(migrations = "../migrations")]
async fn a_copy_that_connect_refuses_is_told_with_the_reason_and_keeps_no_other_queue_back(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let site = asked(&world).await;
    site.fake.inside().refused_text = Some("odd-whisper");
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    let flows = condition(&assessment, ConditionType::FlowsInstalled);
    assert_eq!(flows.reason, "flow_refused");
    assert!(flows.message.contains("no odd-whisper here"));
    for queue in ["own", "plain"] {
        assert_eq!(site.queue_state(queue).await, Some(QueueState::Attached));
    }
    assert_eq!(site.fake.whisper_of("odd").as_deref(), Some("odd-whisper"));
    let told = site.queue_detail("odd").await;
    assert!(told.contains("no odd-whisper here"), "{told}");

    site.fake.inside().refused_text = None;
    assert_eq!(site.settle().await.state, InstallationState::Installed);
    assert_eq!(site.queue_state("odd").await, Some(QueueState::Attached));
    assert_eq!(site.queue_detail("odd").await, "");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_takes_no_change_keeps_no_other_from_its_own_whisper_and_flows_wait_for_it(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    let fixed = ("odd".to_owned(), AwsErrorKind::Invalid);
    site.fake.inside().fixed_queues = [fixed].into();
    site.ask_removal().await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some("their-whisper")
    );
    assert_eq!(
        site.fake.whisper_of("plain").as_deref(),
        Some(DEFAULT_OUTBOUND)
    );
    assert_eq!(site.fake.our_flows().len(), 4, "one of them is in use");
    assert!(
        !site.fake.inside().granted.is_empty(),
        "its calls are limited"
    );
    let told = site.queue_detail("odd").await;
    assert!(told.contains("UpdateQueueOutboundCallerConfig"), "{told}");

    site.fake.inside().fixed_queues.clear();
    assert_eq!(site.settle().await.state, InstallationState::Uninstalled);
    assert_eq!(site.fake.whisper_of("odd").as_deref(), Some("odd-whisper"));
    assert_eq!(site.fake.our_flows(), Vec::<String>::new());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_quota_of_flows_keeps_no_queue_back_but_those_whose_copy_it_is_too_small_for(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let own = ["1", "2", "3", "4"].map(|number| (number, format!("{number}-whisper")));
    let mut queues: Vec<(&str, Option<&str>)> = own
        .iter()
        .map(|(id, whisper)| (*id, Some(whisper.as_str())))
        .collect();
    queues.extend([
        ("plain", None),
        ("8", Some("late-whisper")),
        ("9", Some("late-whisper")),
    ]);
    let site = world.site(FakeInstance::with_queues(&queues)).await;
    // This copy is there already, and comes after those for which there is no room.
    site.ask(&InstallationRequest {
        queues: QueueSelection::Only(BTreeSet::from(["8".to_owned()])),
        ..request(ExistingWhisper::Merge)
    })
    .await;
    site.settle().await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    // Room for the one before the default, and the copy of one.
    let room = site.fake.inside().flows.len() + 2;
    site.fake.inside().flows_max = Some(room);
    for _ in 0..2 {
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(assessment.state, InstallationState::Blocked);
        let flows = condition(&assessment, ConditionType::FlowsInstalled);
        assert_eq!(flows.reason, "quota_used_up");
        for queue in ["1", "9", "plain"] {
            assert_eq!(site.queue_state(queue).await, Some(QueueState::Attached));
        }
        for (queue, whisper) in &own[1..] {
            assert_eq!(site.fake.whisper_of(queue).as_ref(), Some(whisper));
            let told = site.queue_detail(queue).await;
            assert!(told.contains("raise the quota"), "{queue}: {told}");
        }
        let steps = site.steps().await;
        let refused = steps.iter().filter(|(status, _)| status == "failed");
        assert_eq!(refused.count(), 1, "one refusal is enough: {steps:?}");
    }
    site.fake.inside().flows_max = None;
    assert_eq!(site.settle().await.state, InstallationState::Installed);
    for (queue, _) in queues {
        assert_eq!(site.queue_state(queue).await, Some(QueueState::Attached));
        assert_eq!(site.queue_detail(queue).await, "");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_the_role_is_denied_keeps_no_other_back_and_the_connection_is_told(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let site = asked(&world).await;
    let denied = ("odd".to_owned(), AwsErrorKind::AccessDenied);
    site.fake.inside().fixed_queues = [denied].into();
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    for queue in ["own", "plain"] {
        assert_eq!(site.queue_state(queue).await, Some(QueueState::Attached));
    }
    let told = site.queue_detail("odd").await;
    assert!(told.contains("denies it for this one"), "{told}");
    let connection = condition(&assessment, ConditionType::ConnectionHealthy);
    assert_eq!(connection.reason, "permission_missing");

    // Nothing of ours goes while the queue cannot be given back what it had.
    site.ask_removal().await;
    site.fake.inside().fixed_queues.clear();
    site.settle().await;
    assert_eq!(site.fake.our_flows(), Vec::<String>::new());
}

#[sqlx::test(migrations = "../migrations")]
async fn a_throttle_ends_the_pass_and_is_not_tried_at_each_queue(pool: PgPool) {
    let world = World::new(pool).await;
    let site = asked(&world).await;
    let fixed = ("odd".to_owned(), AwsErrorKind::Throttled);
    site.fake.inside().fixed_queues = [fixed].into();
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Installing);
    let steps = site.steps().await;
    let failed = steps.iter().position(|(status, _)| status == "failed");
    let after = &steps[failed.expect("a failure") + 1..];
    let is_waiting = |(status, _): &(String, String)| status == "pending";
    assert!(after.iter().all(is_waiting), "{steps:?}");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_always_fails_keeps_no_other_back_and_a_service_that_fails_is_left_alone(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let own: Vec<String> = (1..=9).map(|number| number.to_string()).collect();
    let queues: Vec<(&str, Option<&str>)> = own.iter().map(|id| (id.as_str(), None)).collect();
    for (failing, tried, untried) in [(1, 1, 0), (9, 4, 5)] {
        let site = world.site(FakeInstance::with_queues(&queues)).await;
        site.ask(&request(ExistingWhisper::Merge)).await;
        let failing = own.iter().take(failing);
        let fixed = failing.map(|id| (id.clone(), AwsErrorKind::Transient));
        site.fake.inside().fixed_queues = fixed.collect();
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(assessment.state, InstallationState::Installing);
        let steps = site.steps().await;
        let count = |wanted: &str| steps.iter().filter(|(status, _)| status == wanted).count();
        assert_eq!(count("failed"), tried, "{steps:?}");
        assert_eq!(count("pending"), untried, "{steps:?}");

        site.fake.inside().fixed_queues.clear();
        assert_eq!(site.settle().await.state, InstallationState::Installed);
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_draft_with_our_name_is_in_the_way_and_keeps_no_queue_of_another_flow_back(pool: PgPool) {
    let world = World::new(pool).await;
    let site = asked(&world).await;
    site.fake
        .add_flow("draft", "Ringfence outbound whisper", "{}", &[]);
    site.fake.inside().drafts.insert("draft".to_owned());
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    let flows = condition(&assessment, ConditionType::FlowsInstalled);
    assert_eq!(flows.reason, "flow_name_taken");
    assert_eq!(site.queue_state("own").await, Some(QueueState::Attached));
    assert_eq!(site.queue_state("plain").await, Some(QueueState::Pending));
    assert!(site.fake.inside().flows.contains_key("draft"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flow_of_ours_in_the_archive_is_told_until_somebody_takes_it_out(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    let copy = site.fake.whisper_of("own").expect("a whisper");
    site.fake.inside().archived.insert(copy);
    for _ in 0..2 {
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(assessment.state, InstallationState::Blocked);
        let flows = condition(&assessment, ConditionType::FlowsInstalled);
        assert_eq!(flows.reason, "flow_archived");
    }
    site.fake.inside().archived.clear();
    assert_eq!(site.settle().await.state, InstallationState::Installed);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_copy_whose_original_is_gone_is_watched_all_the_same(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    site.fake.inside().flows.remove("their-whisper");
    let assessment = site.pass().await.expect("a pass");
    let flows = condition(&assessment, ConditionType::FlowsInstalled);
    assert_eq!(flows.status, ConditionStatus::True);
    assert!(flows.message.contains("is gone"), "{}", flows.message);
    let copy = site.fake.whisper_of("own").expect("a whisper");
    let place = site.fake.our_flows().iter().position(|id| *id == copy);
    site.fake.edit(Some(Edit {
        before: 1,
        change: Change::RewriteOurs(place.expect("the copy")),
    }));
    let assessment = site.pass().await.expect("a pass");
    let flows = condition(&assessment, ConditionType::FlowsInstalled);
    assert_eq!(flows.status, ConditionStatus::False);
    assert!(
        flows.message.contains("cannot be made anew"),
        "{}",
        flows.message
    );
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    let drift = tx.drift_list(site.instance).await.expect("drift");
    let open: Vec<DriftKind> = drift
        .iter()
        .filter(|drift| drift.ended_at.is_none())
        .map(|drift| drift.difference.kind)
        .collect();
    assert_eq!(open, [DriftKind::FlowEdited]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_pointed_at_a_copy_that_an_installation_deletes_is_looked_at_again_at_once(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let mut seen = BTreeSet::new();
    for before in 1..60 {
        let site = installed(&world).await;
        // Nothing needs its copy any more.
        site.fake.inside().queues.remove("own");
        let copy = site.fake.our_flow_keys().into_iter();
        let copy = copy.filter(|(_, original)| original.as_deref() == Some("their-whisper"));
        let copy = copy.map(|(id, _)| id).next().expect("the copy");
        let mut whispers = site.fake.our_flow_keys();
        whispers.retain(|id, _| site.fake.is_whisper(id));
        let place = whispers
            .keys()
            .position(|id| *id == copy)
            .expect("the copy");
        site.fake.edit(Some(Edit {
            before,
            change: Change::PointAtOurs {
                queue: "plain".to_owned(),
                place,
            },
        }));
        site.pass().await.expect("a pass");
        let is_over = !site.fake.was_edited();
        // As soon as a pass that failed for a moment is tried again.
        world.wait(jiff::SignedDuration::from_secs(4));
        world.worker().look().await.expect("a look");
        let now = site.fake.whisper_of("plain").expect("a whisper");
        seen.insert(site.fake.our_flows().contains(&now));
        site.put_away().await;
        if is_over {
            break;
        }
    }
    assert_eq!(seen, BTreeSet::from([true]));
}
