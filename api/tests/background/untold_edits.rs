//! What people do between two looks, and what lists do not show: no queue loses its own whisper over it.

use ringfence_api::domain::installation::{
    ConditionType, Drift, ExistingWhisper, InstallationRequest, InstallationState, QueueSelection,
    QueueState,
};
use sqlx::PgPool;

use crate::fake::{Change, DEFAULT_OUTBOUND, Edit, FakeInstance, Fault, Moment};
use crate::world::{Site, World, condition, request};

const QUEUES: [(&str, Option<&str>); 3] = [
    ("other", Some("their-whisper")),
    ("own", Some("their-whisper")),
    ("plain", None),
];
const REQUESTS_MAX: u32 = 90;

async fn installed<'a>(world: &'a World, asked: &InstallationRequest) -> Site<'a> {
    let site = world.site(FakeInstance::with_queues(&QUEUES)).await;
    site.ask(asked).await;
    site.settle().await;
    site
}

async fn assert_removal_gives_back(site: &Site<'_>, case: &str) {
    site.ask_removal().await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Uninstalled, "{case}");
    for (queue, whisper) in QUEUES {
        let wanted = whisper.unwrap_or(DEFAULT_OUTBOUND);
        let now = site.fake.whisper_of(queue);
        assert_eq!(now.as_deref(), Some(wanted), "{queue}, {case}");
    }
    site.put_away().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_never_covered_that_names_a_deleted_copy_gets_its_own_back_wherever_a_pass_ends(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let some = InstallationRequest {
        queues: QueueSelection::Only(["own".to_owned()].into()),
        ..request(ExistingWhisper::Merge)
    };
    for fault in (1..REQUESTS_MAX).flat_map(|at| [Fault::Before(at), Fault::After(at)]) {
        let site = world.site(FakeInstance::with_queues(&QUEUES[..2])).await;
        site.ask(&some).await;
        site.settle().await;
        let copy = site.fake.whisper_of("own").expect("a whisper");
        site.fake.point("other", &copy);
        site.fake.inside().flows.remove(&copy);
        site.fake.fail(Some(fault));
        let _ = site.pass().await;
        let struck = site.fake.struck();
        site.fake.fail(None);
        site.settle().await;
        let now = site.fake.whisper_of("other");
        assert_eq!(now.as_deref(), Some("their-whisper"), "{fault:?}");
        let own = site.fake.whisper_of("own").expect("a whisper");
        assert!(site.fake.our_flows().contains(&own), "{fault:?}");
        site.put_away().await;
        if !struck {
            return;
        }
    }
    panic!("every pass was cut off");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_people_cover_by_hand_keeps_its_own_whisper_in_mind(pool: PgPool) {
    let world = World::new(pool).await;
    let report = InstallationRequest {
        drift: Drift::Report,
        ..request(ExistingWhisper::Merge)
    };
    let site = installed(&world, &report).await;
    let copy = site.fake.whisper_of("own").expect("a whisper");
    let mut made = site.fake.inside().queues["plain"].clone();
    made.id = "made".to_owned();
    made.outbound.flow_id = Some("their-whisper".to_owned());
    site.fake.inside().queues.insert("made".to_owned(), made);
    site.pass().await.expect("a pass");
    assert_eq!(site.queue_state("made").await, Some(QueueState::LeftAlone));
    site.fake.point("made", &copy);
    site.settle().await;
    assert_eq!(site.queue_state("made").await, Some(QueueState::Attached));
    assert_eq!(site.fake.whisper_of("made"), Some(copy));
    assert_removal_gives_back(&site, "by hand").await;
    assert_eq!(
        site.fake.whisper_of("made").as_deref(),
        Some("their-whisper")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_whisper_of_theirs_that_goes_while_we_look_leaves_its_queue_what_it_had_before(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    for whisper in [ExistingWhisper::Merge, ExistingWhisper::Replace] {
        for before in 1..REQUESTS_MAX {
            let case = format!("{whisper:?}, before {before}");
            let site = world.site(FakeInstance::with_queues(&QUEUES)).await;
            site.fake.point("other", DEFAULT_OUTBOUND);
            site.ask(&request(whisper)).await;
            site.settle().await;
            site.fake.add_whisper("newer");
            site.fake.point("other", "newer");
            let (reached, open) = site.fake.gate_at(Moment::Before(before));
            site.is_due().await;
            let worker = world.worker();
            let pass = worker.look();
            tokio::pin!(pass);
            let is_over = tokio::select! {
                _ = &mut pass => true,
                _ = reached => false,
            };
            site.fake.inside().flows.remove("newer");
            drop(open);
            if !is_over {
                let _ = pass.await;
            }
            site.settle().await;
            let now = site.fake.whisper_of("other").expect("a whisper");
            assert!(site.fake.our_flows().contains(&now), "{case}: {now}");
            site.ask_removal().await;
            site.settle().await;
            let back = site.fake.whisper_of("other");
            assert_eq!(back.as_deref(), Some(DEFAULT_OUTBOUND), "{case}");
            site.put_away().await;
            if is_over {
                break;
            }
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn flows_that_lost_our_tags_are_left_and_told_and_their_queues_get_back_what_they_had(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let site = installed(&world, &request(ExistingWhisper::Merge)).await;
    for flow in site.fake.our_flows() {
        let mut inside = site.fake.inside();
        inside
            .flows
            .get_mut(&flow)
            .expect("the flow")
            .1
            .tags
            .clear();
    }
    let there = site.fake.inside().flows.len();
    site.ask_removal().await;
    let assessment = site.settle().await;
    let told = &condition(&assessment, ConditionType::Ready).message;
    assert!(told.contains("lost Ringfence's tags"), "{told}");
    assert_eq!(site.fake.inside().flows.len(), there, "not deleted");
    assert_removal_gives_back(&site, "untagged").await;
    assert!(site.fake.inside().granted.is_empty());
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_list_passes_over_is_asked_for_before_it_is_taken_for_gone(pool: PgPool) {
    let world = World::new(pool).await;
    for whisper in [ExistingWhisper::Merge, ExistingWhisper::Replace] {
        let ours = {
            let site = installed(&world, &request(whisper)).await;
            let ours = site.fake.whisper_of("own").expect("a whisper");
            site.put_away().await;
            ours
        };
        for unlisted in ["own", "their-whisper", ours.as_str()] {
            let case = format!("{whisper:?}: {unlisted}");
            let site = installed(&world, &request(whisper)).await;
            site.fake.inside().unlisted.insert(unlisted.to_owned());
            site.settle().await;
            site.fake.inside().unlisted.clear();
            site.settle().await;
            site.fake.inside().unlisted.insert(unlisted.to_owned());
            site.ask_removal().await;
            site.settle().await;
            site.fake.inside().unlisted.clear();
            assert_removal_gives_back(&site, &case).await;
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flow_rewritten_as_soon_as_it_was_made_is_never_taken_for_ours(pool: PgPool) {
    let world = World::new(pool).await;
    let mut rewritten = 0;
    for before in 1..REQUESTS_MAX {
        let site = world.site(FakeInstance::with_queues(&QUEUES)).await;
        site.ask(&request(ExistingWhisper::Merge)).await;
        site.fake.edit(Some(Edit {
            before,
            change: Change::RewriteOurs(0),
        }));
        site.settle().await;
        let is_over = !site.fake.was_edited();
        site.fake.edit(None);
        // What was changed after it was looked at is for the next look.
        site.settle().await;
        assert_eq!(site.fake.rewritten(), Vec::<String>::new(), "{before}");
        site.put_away().await;
        if is_over {
            break;
        }
        rewritten += 1;
    }
    assert!(rewritten > 10, "only {rewritten} times");
}
