//! With `report`, what somebody changed stays as it is and is told, whatever else is missing by then or changes.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use ringfence_api::aws::AwsErrorKind;
use ringfence_api::domain::drift::DriftKind;
use ringfence_api::domain::installation::{
    Drift, ExistingWhisper, InstallationRequest, InstallationState, OnLimiterUnavailable,
    QueueState,
};
use sqlx::PgPool;

use crate::fake::{Change, DEFAULT_OUTBOUND, Edit, FakeInstance, whisper_content};
use crate::moves::{FUNCTIONS, ask_move, called, placement, shards};
use crate::world::{Site, World, dying_at_each_request, request};

const QUEUES: [(&str, Option<&str>); 3] = [
    ("odd", None),
    ("own", Some("their-whisper")),
    ("plain", None),
];
const REQUESTS_MAX: u32 = 80;

pub fn report() -> InstallationRequest {
    InstallationRequest {
        drift: Drift::Report,
        ..request(ExistingWhisper::Merge)
    }
}

async fn asked<'a>(world: &'a World, asked: &InstallationRequest) -> Site<'a> {
    let site = world.site(FakeInstance::with_queues(&QUEUES)).await;
    site.ask(asked).await;
    site
}

async fn installed(world: &World) -> Site<'_> {
    let site = asked(world, &report()).await;
    site.settle().await;
    site
}

pub async fn open(site: &Site<'_>) -> BTreeSet<(&'static str, String)> {
    let tenant = site.world.store.tenant(site.world.tenant).await;
    let mut tx = tenant.expect("a transaction");
    let drift = tx.drift_list(site.instance).await.expect("drift");
    let open = drift.into_iter().filter(|drift| drift.ended_at.is_none());
    open.map(|drift| (drift.difference.kind.as_str(), drift.difference.target))
        .collect()
}

pub fn told(kind: DriftKind, target: &str) -> (&'static str, String) {
    (kind.as_str(), target.to_owned())
}

pub fn make_queue(site: &Site<'_>, id: &str) {
    let mut inside = site.fake.inside();
    let mut queue = inside.queues["plain"].clone();
    queue.id = id.to_owned();
    queue.outbound.flow_id = None;
    inside.queues.insert(id.to_owned(), queue);
}

/// The place of this flow among ours.
pub fn place(site: &Site<'_>, flow_id: &str) -> usize {
    let mut ours = site.fake.our_flows().into_iter();
    ours.position(|id| id == flow_id).expect("a flow of ours")
}

fn content(site: &Site<'_>, flow_id: &str) -> String {
    site.fake.inside().flows[flow_id].1.content.clone()
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_still_missing_makes_no_license_of_what_was_installed_already(pool: PgPool) {
    let world = World::new(pool).await;
    for stubborn in ["fallback", "queue"] {
        let wanted = InstallationRequest {
            on_limiter_unavailable: match stubborn {
                // Nobody has deployed the function.
                "fallback" => OnLimiterUnavailable::Deny,
                _ => OnLimiterUnavailable::Allow,
            },
            ..report()
        };
        let site = asked(&world, &wanted).await;
        if stubborn == "queue" {
            let fixed = ("odd".to_owned(), AwsErrorKind::Invalid);
            site.fake.inside().fixed_queues = [fixed].into();
        }
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(assessment.state, InstallationState::Blocked, "{stubborn}");
        assert!(!assessment.reached, "{stubborn}");
        assert_eq!(site.queue_state("own").await, Some(QueueState::Attached));
        assert_eq!(open(&site).await, [].into(), "{stubborn}");

        let copy = site.fake.whisper_of("own").expect("a whisper");
        site.fake.point("plain", DEFAULT_OUTBOUND);
        make_queue(&site, "later");
        site.fake.inside().flows.remove(&copy);
        site.fake.inside().granted.clear();
        for _ in 0..3 {
            site.fake.inside().changes.clear();
            site.pass().await.expect("a pass");
            let changes = site.fake.inside().changes.clone();
            let grants = |change: &String| change.starts_with("grant ");
            assert!(changes.iter().all(grants), "{stubborn}: {changes:?}");
            let mut all = open(&site).await;
            all.remove(&told(DriftKind::PermissionRemoved, ""));
            let wanted = [
                told(DriftKind::FlowDeleted, "whisper:their-whisper"),
                told(DriftKind::QueueNotCovered, "later"),
                told(DriftKind::QueueRepointed, "plain"),
            ];
            assert_eq!(all, wanted.into(), "{stubborn}");
        }

        site.fake.inside().fixed_queues.clear();
        site.fake.inside().has_fallback = true;
        site.ask(&wanted).await;
        site.settle().await;
        assert_eq!(open(&site).await, [].into(), "{stubborn}");
        for queue in ["odd", "own", "plain", "later"] {
            let now = site.fake.whisper_of(queue).expect("a whisper");
            assert!(site.fake.our_flows().contains(&now), "{stubborn}: {queue}");
        }
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_edit_stays_when_what_we_would_publish_becomes_another(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world).await;
    let copy = site.fake.whisper_of("own").expect("a whisper");
    site.fake.rewrite_ours(place(&site, &copy));
    let edited = content(&site, &copy);
    site.pass().await.expect("a pass");
    let wanted = [told(DriftKind::FlowEdited, "whisper:their-whisper")];
    assert_eq!(open(&site).await, wanted.clone().into());
    // It would be rebuilt, were it still ours.
    site.fake
        .publish("their-whisper", &whisper_content("new words"));
    for _ in 0..2 {
        site.pass().await.expect("a pass");
        assert_eq!(content(&site, &copy), edited);
        assert_eq!(open(&site).await, wanted.clone().into());
    }
    site.ask(&report()).await;
    site.settle().await;
    assert!(content(&site, &copy).contains("new words"));
    assert_eq!(open(&site).await, [].into());
}

#[sqlx::test(migrations = "../migrations")]
async fn an_edit_stays_in_a_move_and_calls_the_other_function(pool: PgPool) {
    let world = World::new(pool).await;
    shards(&world, &FUNCTIONS).await;
    let site = installed(&world).await;
    let copy = site.fake.whisper_of("own").expect("a whisper");
    site.fake.rewrite_ours(place(&site, &copy));
    let edited = content(&site, &copy);
    site.pass().await.expect("a pass");
    ask_move(&world, site.instance, Some(FUNCTIONS[1])).await;
    for _ in 0..4 {
        world.wait(SignedDuration::from_mins(5));
        site.pass().await.expect("a pass");
        let wanted = [told(DriftKind::FlowEdited, "whisper:their-whisper")];
        assert_eq!(open(&site).await, wanted.into());
    }
    assert_eq!(placement(&site).await.leaving, None, "the move is over");
    let quoted = |function: &str| format!("\"{function}\"");
    let moved = edited.replace(&quoted(FUNCTIONS[0]), &quoted(FUNCTIONS[1]));
    assert_eq!(content(&site, &copy), moved);
    assert_eq!(called(&moved), [FUNCTIONS[1]]);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_update_of_ours_that_nobody_heard_of_is_no_edit(pool: PgPool) {
    let world = World::new(pool).await;
    dying_at_each_request(async |moment| {
        let site = installed(&world).await;
        let copy = site.fake.whisper_of("own").expect("a whisper");
        // It is rebuilt, and before anybody has heard of that the next change comes, or the one before is back.
        site.fake
            .publish("their-whisper", &whisper_content("first"));
        let died = site.dies(moment).await;
        for words in ["second", "their-whisper"] {
            site.fake.publish("their-whisper", &whisper_content(words));
            site.settle().await;
            assert_eq!(open(&site).await, [].into(), "{moment:?}");
            assert!(content(&site, &copy).contains(words), "{moment:?}");
        }
        site.put_away().await;
        died
    })
    .await;
}

#[sqlx::test(migrations = "../migrations")]
async fn an_edit_right_after_we_publish_is_told(pool: PgPool) {
    let world = World::new(pool).await;
    let mut edited = 0;
    for before in 1..REQUESTS_MAX {
        let site = asked(&world, &report()).await;
        site.fake.edit(Some(Edit {
            before,
            change: Change::RewriteOurs(before as usize % 3),
        }));
        site.settle().await;
        let is_over = !site.fake.was_edited();
        site.fake.edit(None);
        site.pass().await.expect("a pass");
        let theirs = site.fake.rewritten();
        let told = open(&site).await;
        assert_eq!(told.len(), theirs.len(), "before {before}: {told:?}");
        edited += theirs.len();
        site.put_away().await;
        if is_over {
            break;
        }
    }
    assert!(edited > 5, "only {edited} times");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_edit_between_a_look_and_our_update_is_not_lost(pool: PgPool) {
    let world = World::new(pool).await;
    let mut edited = 0;
    for before in 1..REQUESTS_MAX {
        let site = installed(&world).await;
        let copy = site.fake.whisper_of("own").expect("a whisper");
        site.fake
            .publish("their-whisper", &whisper_content("new words"));
        site.fake.edit(Some(Edit {
            before,
            change: Change::RewriteOurs(place(&site, &copy)),
        }));
        site.pass().await.expect("a pass");
        let is_over = !site.fake.was_edited();
        site.fake.edit(None);
        site.pass().await.expect("a pass");
        let wanted = if is_over { 0 } else { 1 };
        assert_eq!(site.fake.rewritten().len(), wanted, "before {before}");
        assert_eq!(open(&site).await.len(), wanted, "before {before}");
        edited += wanted;
        site.put_away().await;
        if is_over {
            break;
        }
    }
    assert!(edited > 10, "only {edited} times");
}
