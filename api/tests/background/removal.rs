//! Taking everything away again, also when parts of it are already gone.

use ringfence_api::domain::installation::{
    ConditionType, ExistingWhisper, InstallationState, QueueState,
};
use sqlx::PgPool;

use crate::fake::{DEFAULT_OUTBOUND, FakeInstance};
use crate::world::{Site, World, condition, request};

async fn installed(world: &World) -> Site<'_> {
    let fake = FakeInstance::with_queues(&[
        ("plain", None),
        ("default", Some(DEFAULT_OUTBOUND)),
        ("own", Some("their-whisper")),
    ]);
    let site = world.site(fake).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.pass().await.expect("a pass");
    site
}

async fn is_published(site: &Site<'_>) -> bool {
    let mut tx = site
        .world
        .store
        .tenant(site.world.tenant)
        .await
        .expect("a transaction");
    tx.publication_state(site.instance)
        .await
        .expect("a publication")
        .is_known
}

#[sqlx::test(migrations = "../migrations")]
async fn every_queue_gets_back_what_it_had_and_nothing_of_ours_stays(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    assert!(is_published(&site).await);
    site.ask_removal().await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Uninstalled);
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some("their-whisper")
    );
    assert_eq!(
        site.fake.whisper_of("default").as_deref(),
        Some(DEFAULT_OUTBOUND)
    );
    assert_eq!(
        site.fake.whisper_of("plain").as_deref(),
        Some(DEFAULT_OUTBOUND)
    );
    assert_eq!(site.fake.our_flows(), Vec::<String>::new());
    assert!(site.fake.inside().granted.is_empty());
    assert!(!is_published(&site).await);
    assert_eq!(site.queue_state("own").await, Some(QueueState::Restored));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_somebody_pointed_elsewhere_is_left_there(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    site.fake.add_flow("newer", "Newer", "{}", &[]);
    site.fake
        .inside()
        .queues
        .get_mut("plain")
        .expect("the queue")
        .outbound
        .flow_id = Some("newer".to_owned());
    site.ask_removal().await;
    site.pass().await.expect("a pass");
    assert_eq!(site.fake.whisper_of("plain").as_deref(), Some("newer"));
    assert_eq!(site.queue_state("plain").await, Some(QueueState::LeftAlone));
    assert_eq!(site.fake.our_flows(), Vec::<String>::new());
}

#[sqlx::test(migrations = "../migrations")]
async fn parts_that_are_already_gone_stop_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    {
        let mut inside = site.fake.inside();
        inside.queues.remove("default");
        inside.flows.remove("their-whisper");
        inside.granted.clear();
        inside
            .queues
            .get_mut("plain")
            .expect("the queue")
            .outbound
            .flow_id = None;
    }
    site.ask_removal().await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Uninstalled);
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some(DEFAULT_OUTBOUND),
        "its own whisper was deleted meanwhile"
    );
    assert_eq!(site.fake.our_flows(), Vec::<String>::new());
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_that_is_gone_is_only_cleared_on_our_side(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    site.fake.inside().gone = true;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    assert_eq!(
        condition(&assessment, ConditionType::Ready).reason,
        "instance_not_found"
    );
    site.ask_removal().await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Uninstalled);
    assert!(site.fake.inside().granted.is_empty());
    assert!(!is_published(&site).await);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_taken_away_can_be_installed_again(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    site.ask_removal().await;
    site.pass().await.expect("a pass");
    site.ask(&request(ExistingWhisper::Merge)).await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Installed);
    assert_eq!(site.fake.our_flows().len(), 3);
    assert!(is_published(&site).await);
    site.ask_removal().await;
    site.settle().await;
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some("their-whisper")
    );
}

/// What the installer role needs for a removal; our own role needs the last two.
const NEEDED: [&str; 9] = [
    "sts:AssumeRole",
    "connect:ListContactFlows",
    "connect:DescribeContactFlow",
    "connect:ListQueues",
    "connect:DescribeQueue",
    "connect:UpdateQueueOutboundCallerConfig",
    "connect:DeleteContactFlow",
    "lambda:GetPolicy",
    "lambda:RemovePermission",
];

#[sqlx::test(migrations = "../migrations")]
async fn whichever_permission_was_lost_is_named_with_what_remains_and_removal_goes_on_once_it_is_back(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    for lost in NEEDED {
        let site = installed(&world).await;
        site.fake.inside().denied.insert(lost);
        site.ask_removal().await;
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(assessment.state, InstallationState::Blocked, "{lost}");
        let ready = condition(&assessment, ConditionType::Ready);
        let names_it = match lost {
            "sts:AssumeRole" => ready
                .message
                .contains("the installer role cannot be assumed"),
            _ => ready.message.contains(lost),
        };
        assert!(names_it, "{lost}: {}", ready.message);
        let queues_left = ["plain", "default", "own"].into_iter().any(|queue| {
            let now = site.fake.whisper_of(queue).unwrap_or_default();
            site.fake.our_flows().contains(&now)
        });
        for (is_left, told) in [
            (queues_left, "our whisper on the queues"),
            (!site.fake.our_flows().is_empty(), "the flows"),
        ] {
            assert_eq!(
                ready.message.contains(told),
                is_left,
                "{lost}: {}",
                ready.message
            );
        }
        site.fake.inside().denied.clear();
        let assessment = site.settle().await;
        assert_eq!(assessment.state, InstallationState::Uninstalled, "{lost}");
        assert_eq!(site.fake.our_flows(), Vec::<String>::new(), "{lost}");
        for (queue, whisper) in [("plain", DEFAULT_OUTBOUND), ("own", "their-whisper")] {
            assert_eq!(
                site.fake.whisper_of(queue).as_deref(),
                Some(whisper),
                "{lost}"
            );
        }
        site.put_away().await;
    }
}
