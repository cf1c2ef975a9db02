//! While a queue or a whisper cannot be read, what is known of it stays known, what was told stays told, and nothing that
//! Ringfence did is told as somebody's.

use jiff::SignedDuration;
use ringfence_api::aws::AwsErrorKind;
use ringfence_api::domain::drift::DriftKind;
use ringfence_api::domain::installation::{
    ConditionType, Drift, ExistingWhisper, InstallationRequest, InstallationState, QueueState,
};
use sqlx::PgPool;

use crate::fake::FakeInstance;
use crate::moves::{FUNCTIONS, ask_move, finish_move, placement, shards};
use crate::told_only::{make_queue, open, place, report, told};
use crate::world::{Site, World, condition, dying_at_each_request, request};

const QUEUES: [(&str, Option<&str>); 3] = [
    ("odd", Some("odd-whisper")),
    ("own", Some("their-whisper")),
    ("plain", None),
];
/// Either keeps the copy from being compared with what it is to be.
const HIDDEN: [&str; 2] = ["odd", "odd-whisper"];

async fn asked<'a>(world: &'a World, wanted: &InstallationRequest) -> Site<'a> {
    let site = world.site(FakeInstance::with_queues(&QUEUES)).await;
    site.ask(wanted).await;
    site
}

async fn installed<'a>(world: &'a World, wanted: &InstallationRequest) -> Site<'a> {
    let site = asked(world, wanted).await;
    site.settle().await;
    site
}

/// Id of every drift that was ever told.
async fn ever_told(site: &Site<'_>) -> usize {
    let tenant = site.world.store.tenant(site.world.tenant).await;
    let mut tx = tenant.expect("a transaction");
    tx.drift_list(site.instance).await.expect("drift").len()
}

async fn previous(site: &Site<'_>, queue: &str) -> Option<String> {
    let queues = site.queues().await.into_iter();
    let mut queues = queues.filter(|known| known.queue_id == queue);
    queues.next().expect("the queue").previous_flow_id
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_told_of_a_flow_lasts_and_asking_again_mends_it_once_it_can_be_read(pool: PgPool) {
    let world = World::new(pool).await;
    for hidden in HIDDEN {
        for kind in [DriftKind::FlowEdited, DriftKind::FlowDeleted] {
            let site = installed(&world, &report()).await;
            let copy = site.fake.whisper_of("odd").expect("a whisper");
            match kind {
                DriftKind::FlowEdited => site.fake.rewrite_ours(place(&site, &copy)),
                _ => drop(site.fake.inside().flows.remove(&copy)),
            }
            site.pass().await.expect("a pass");
            let wanted = told(kind, "whisper:odd-whisper");
            assert!(open(&site).await.contains(&wanted), "{hidden}");
            let times = ever_told(&site).await;
            site.fake.hide(hidden, AwsErrorKind::Transient);
            for _ in 0..2 {
                site.pass().await.expect("a pass");
                assert!(open(&site).await.contains(&wanted), "{hidden} {kind:?}");
            }
            site.ask(&report()).await;
            for _ in 0..3 {
                site.pass().await.expect("a pass");
            }
            site.fake.show_all();
            site.settle().await;
            assert_eq!(open(&site).await, [].into(), "{hidden} {kind:?}");
            assert_eq!(site.fake.rewritten(), Vec::<String>::new(), "{hidden}");
            assert_eq!(site.queue_state("odd").await, Some(QueueState::Attached));
            assert_eq!(
                ever_told(&site).await,
                times,
                "{hidden} {kind:?}: told once"
            );
            site.put_away().await;
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_copy_that_somebody_edits_is_told_while_nobody_can_tell_what_it_is_to_be(pool: PgPool) {
    let world = World::new(pool).await;
    for hidden in HIDDEN {
        let site = installed(&world, &request(ExistingWhisper::Merge)).await;
        site.fake.hide(hidden, AwsErrorKind::AccessDenied);
        site.pass().await.expect("a pass");
        let copy = site.fake.whisper_of("odd").expect("a whisper");
        site.fake.rewrite_ours(place(&site, &copy));
        for _ in 0..2 {
            let assessment = site.pass().await.expect("a pass");
            let edited = told(DriftKind::FlowEdited, "whisper:odd-whisper");
            assert_eq!(open(&site).await, [edited].into(), "{hidden}");
            let flows = condition(&assessment, ConditionType::FlowsInstalled);
            assert!(flows.message.contains("was changed"), "{}", flows.message);
        }
        site.fake.show_all();
        site.settle().await;
        assert_eq!(site.fake.rewritten(), Vec::<String>::new(), "{hidden}");
        assert_eq!(open(&site).await, [].into(), "{hidden}");
        assert_eq!(ever_told(&site).await, 1, "{hidden}");
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_was_refused_takes_another_whisper_whose_copy_is_there(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, &request(ExistingWhisper::Merge)).await;
    site.fake
        .publish("odd-whisper", r#"{"Version":"2030-01-01"}"#);
    site.settle().await;
    assert_eq!(site.queue_state("odd").await, Some(QueueState::Refused));
    site.fake.point("odd", "their-whisper");
    site.fake.hide("their-whisper", AwsErrorKind::AccessDenied);
    site.pass().await.expect("a pass");
    assert_eq!(site.queue_state("odd").await, Some(QueueState::Attached));
    assert_eq!(site.fake.whisper_of("odd"), site.fake.whisper_of("own"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_was_pointed_at_our_copy_unread_gets_the_whisper_behind_it(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, &request(ExistingWhisper::Merge)).await;
    make_queue(&site, "extra");
    let copy = site.fake.whisper_of("odd").expect("a whisper");
    site.fake.point("extra", &copy);
    site.fake.hide("extra", AwsErrorKind::Transient);
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.pass().await.expect("a pass");
    site.fake.show_all();
    site.settle().await;
    assert_eq!(site.fake.whisper_of("extra"), Some(copy));
    site.ask_removal().await;
    site.settle().await;
    assert_eq!(
        site.fake.whisper_of("extra").as_deref(),
        Some("odd-whisper")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_queue_is_to_get_back_is_kept_while_nobody_can_tell_whether_its_whisper_is_there(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    for existing_whisper in [ExistingWhisper::Merge, ExistingWhisper::Replace] {
        let site = installed(&world, &request(existing_whisper)).await;
        site.fake.point("odd", "ghost");
        site.fake.hide("ghost", AwsErrorKind::Transient);
        for _ in 0..2 {
            site.pass().await.expect("a pass");
            assert_eq!(previous(&site, "odd").await.as_deref(), Some("odd-whisper"));
            assert_eq!(site.fake.whisper_of("odd").as_deref(), Some("ghost"));
        }
        site.fake.show_all();
        site.settle().await;
        assert_eq!(site.queue_state("odd").await, Some(QueueState::Attached));
        assert_eq!(previous(&site, "odd").await.as_deref(), Some("odd-whisper"));
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_given_in_the_place_of_a_lost_whisper_is_nobodys_edit_while_that_cannot_be_read(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let site = installed(&world, &request(ExistingWhisper::Merge)).await;
        site.fake.inside().flows.remove("odd-whisper");
        site.ask_removal().await;
        let died = site.dies(moment).await;
        site.fake.hide("odd-whisper", AwsErrorKind::Transient);
        site.pass().await.expect("a pass");
        site.fake.show_all();
        site.settle().await;
        let state = site.queue_state("odd").await;
        assert_eq!(state, Some(QueueState::Restored), "{moment:?}");
        assert_eq!(ever_told(&site).await, 0, "{moment:?}");
        site.put_away().await;
        died
    })
    .await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_move_is_not_over_while_a_queue_may_run_what_nobody_sees(pool: PgPool) {
    let world = World::new(pool).await;
    shards(&world, &FUNCTIONS).await;
    for new_name in [None, Some("Theirs now")] {
        let site = installed(&world, &request(ExistingWhisper::Merge)).await;
        let copy = site.fake.whisper_of("odd").expect("a whisper");
        {
            let mut inside = site.fake.inside();
            let flow = &mut inside.flows.get_mut(&copy).expect("the copy").1;
            flow.tags.clear();
            if let Some(name) = new_name {
                name.clone_into(&mut flow.name);
            }
            inside.fixed_queues = [("odd".to_owned(), AwsErrorKind::Invalid)].into();
        }
        // A new copy is made, which the queue does not take.
        site.pass().await.expect("a pass");
        site.pass().await.expect("a pass");
        assert_eq!(site.fake.whisper_of("odd"), Some(copy));
        site.fake.inside().fixed_queues.clear();
        site.fake.hide("odd", AwsErrorKind::Transient);
        let leaving = placement(&site).await.function_arn;
        let to = FUNCTIONS.into_iter().find(|function| *function != leaving);
        ask_move(&world, site.instance, to).await;
        for _ in 0..4 {
            world.wait(SignedDuration::from_mins(6));
            site.pass().await.expect("a pass");
            assert!(placement(&site).await.leaving.is_some());
        }
        site.fake.show_all();
        site.settle().await;
        finish_move(&site, "").await;
        assert_eq!(site.queue_state("odd").await, Some(QueueState::Attached));
        assert_eq!(previous(&site, "odd").await.as_deref(), Some("odd-whisper"));
        let told_of_it = open(&site).await;
        assert_eq!(told_of_it, [].into(), "{new_name:?}");
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn giving_a_queue_its_own_whisper_back_is_nobodys_edit_wherever_the_worker_dies(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let site = installed(&world, &request(ExistingWhisper::Merge)).await;
        let copy = site.fake.whisper_of("odd").expect("a whisper");
        site.fake.inside().flows.remove(&copy);
        site.fake.hide("odd-whisper", AwsErrorKind::Transient);
        let died = site.dies(moment).await;
        for _ in 0..2 {
            site.pass().await.expect("a pass");
        }
        assert_eq!(site.fake.whisper_of("odd").as_deref(), Some("odd-whisper"));
        let repointed = told(DriftKind::QueueRepointed, "odd");
        assert!(!open(&site).await.contains(&repointed), "{moment:?}");
        site.put_away().await;
        died
    })
    .await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_whisper_that_was_refused_is_not_played_by_an_old_copy_when_it_cannot_be_read(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let site = installed(&world, &request(ExistingWhisper::Merge)).await;
    site.fake
        .publish("odd-whisper", r#"{"Version":"2030-01-01"}"#);
    // While this queue cannot be read no copy is deleted.
    site.fake.hide("plain", AwsErrorKind::AccessDenied);
    for _ in 0..2 {
        site.pass().await.expect("a pass");
    }
    assert_eq!(site.fake.our_flows().len(), 4);
    let hidden = ("odd-whisper".to_owned(), AwsErrorKind::Transient);
    site.fake.inside().unreadable.extend([hidden]);
    for _ in 0..2 {
        site.pass().await.expect("a pass");
        assert_eq!(site.fake.whisper_of("odd").as_deref(), Some("odd-whisper"));
        assert_eq!(site.queue_state("odd").await, Some(QueueState::Refused));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_told_of_a_queue_out_of_our_hands_stays(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, &request(ExistingWhisper::Merge)).await;
    site.fake.point("odd", "their-whisper");
    site.fake.hide("own", AwsErrorKind::AccessDenied);
    site.ask_removal().await;
    site.pass().await.expect("a pass");
    let told = site.queue_detail("odd").await;
    assert!(told.contains("another whisper"), "{told}");
    site.fake.hide("odd", AwsErrorKind::AccessDenied);
    site.pass().await.expect("a pass");
    site.fake.show_all();
    site.settle().await;
    assert_eq!(site.queue_detail("odd").await, told);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_removal_of_what_never_was_installed_waits_for_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let site = asked(&world, &request(ExistingWhisper::Merge)).await;
    site.fake.inside().denied = ["connect:CreateContactFlow"].into();
    site.fake.hide("odd", AwsErrorKind::AccessDenied);
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    site.ask_removal().await;
    assert_eq!(site.settle().await.state, InstallationState::Uninstalled);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_needs_somebody_does_so_while_something_cannot_be_read(pool: PgPool) {
    let world = World::new(pool).await;
    let site = asked(&world, &request(ExistingWhisper::Refuse)).await;
    site.fake.hide("plain", AwsErrorKind::Transient);
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    assert!(!assessment.reached);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_made_while_another_was_never_read_is_told_and_that_one_was_not_made_since(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    for wanted in [report(), request(ExistingWhisper::Merge)] {
        let mends = wanted.drift == Drift::Mend;
        let site = asked(&world, &wanted).await;
        site.fake.hide("odd", AwsErrorKind::AccessDenied);
        site.pass().await.expect("a pass");
        make_queue(&site, "later");
        site.pass().await.expect("a pass");
        let made = told(DriftKind::QueueNotCovered, "later");
        let expected = if mends { [].into() } else { [made].into() };
        assert_eq!(open(&site).await, expected, "{:?}", wanted.drift);
        assert_eq!(ever_told(&site).await, 1, "{:?}", wanted.drift);
        let state = if mends {
            QueueState::Attached
        } else {
            QueueState::LeftAlone
        };
        assert_eq!(site.queue_state("later").await, Some(state));

        site.fake.show_all();
        site.settle().await;
        assert_eq!(site.queue_state("odd").await, Some(QueueState::Attached));
        assert_eq!(site.queue_state("later").await, Some(state));
        assert_eq!(ever_told(&site).await, 1, "{:?}", wanted.drift);
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_could_not_be_read_and_was_made_anew_is_told(pool: PgPool) {
    let world = World::new(pool).await;
    let site = asked(&world, &report()).await;
    for hidden in ["odd", "own"] {
        site.fake.hide(hidden, AwsErrorKind::AccessDenied);
        site.pass().await.expect("a pass");
    }
    // The first look had read "own".
    site.fake.inside().queues.remove("odd");
    site.fake.show_all();
    site.fake.hide("own", AwsErrorKind::AccessDenied);
    site.pass().await.expect("a pass");
    make_queue(&site, "odd");
    site.pass().await.expect("a pass");
    let made = told(DriftKind::QueueNotCovered, "odd");
    assert_eq!(open(&site).await, [made].into());
    site.ask(&report()).await;
    site.pass().await.expect("a pass");
    assert_eq!(site.queue_state("odd").await, Some(QueueState::Attached));
}
