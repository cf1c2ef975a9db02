//! Somebody changes our flows and queues while they are taken away.

use ringfence_api::domain::installation::{ConditionType, ExistingWhisper, InstallationState};
use sqlx::PgPool;

use crate::fake::{Change, DEFAULT_OUTBOUND, Edit, FakeInstance};
use crate::world::{Site, World, condition, request};

const QUEUES: [(&str, Option<&str>); 3] = [
    ("plain", None),
    ("default", Some(DEFAULT_OUTBOUND)),
    ("own", Some("their-whisper")),
];
/// More than a removal takes.
const REQUESTS_MAX: u32 = 120;

async fn installed(world: &World) -> Site<'_> {
    let site = world.site(FakeInstance::with_queues(&QUEUES)).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.settle().await;
    site
}

/// The change is made before each request of a removal in turn: in the end every queue has what it had.
async fn assert_queues_come_back(world: &World, change: Change) {
    let mut made = 0;
    for before in 1..REQUESTS_MAX {
        let case = format!("{change:?} before {before}");
        let site = installed(world).await;
        site.ask_removal().await;
        site.fake.edit(Some(Edit {
            before,
            change: change.clone(),
        }));
        let assessment = site.settle().await;
        let is_over = !site.fake.was_edited();
        assert_eq!(assessment.state, InstallationState::Uninstalled, "{case}");
        for (queue, whisper) in QUEUES {
            let wanted = whisper.unwrap_or(DEFAULT_OUTBOUND);
            let now = site.fake.whisper_of(queue);
            assert_eq!(now.as_deref(), Some(wanted), "{queue}, {case}");
        }
        assert_eq!(site.fake.our_flows(), Vec::<String>::new(), "{case}");
        site.put_away().await;
        if is_over {
            break;
        }
        made += 1;
    }
    assert!(made > 20, "only {made} times");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_whisper_deleted_at_any_moment_of_a_removal_takes_no_queues_own_with_it(pool: PgPool) {
    let world = World::new(pool).await;
    for place in 0..3 {
        assert_queues_come_back(&world, Change::DeleteOurs(place)).await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_pointed_at_ours_at_any_moment_of_a_removal_gets_back_what_it_had(pool: PgPool) {
    let world = World::new(pool).await;
    for place in 0..2 {
        let queue = "own".to_owned();
        assert_queues_come_back(&world, Change::PointAtOurs { queue, place }).await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_removal_is_over_once_a_look_finds_nothing_of_ours(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    site.ask_removal().await;
    let first = site.pass().await.expect("a pass");
    assert_eq!(first.state, InstallationState::Uninstalling);
    let ready = condition(&first, ConditionType::Ready);
    assert_eq!(ready.reason, "looking_again");
    site.fake.inside().changes.clear();
    let second = site.pass().await.expect("a pass");
    assert_eq!(second.state, InstallationState::Uninstalled);
    assert!(second.reached);
    assert_eq!(site.fake.inside().changes, Vec::<String>::new());
}
