//! Copies of the customers' own whispers: one for each original, as the original is now, and no more than are needed.

use ringfence_api::domain::installation::{
    ConditionType, Drift, ExistingWhisper, InstallationRequest, InstallationState, QueueState,
};
use sqlx::PgPool;

use crate::fake::{DEFAULT_OUTBOUND, FakeInstance, whisper_content};
use crate::world::{Site, World, condition, request};

async fn merged(world: &World, drift: Drift) -> Site<'_> {
    let fake = FakeInstance::with_queues(&[
        ("plain", None),
        ("first", Some("consent")),
        ("second", Some("consent")),
        ("third", Some("survey")),
    ]);
    let site = world.site(fake).await;
    let wanted = InstallationRequest {
        drift,
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&wanted).await;
    site.pass().await.expect("a pass");
    site
}

/// What the queue says to whom it calls.
fn says(site: &Site<'_>, queue: &str, text: &str) -> bool {
    let whisper = site.fake.whisper_of(queue).expect("a whisper");
    let content = &site.fake.inside().flows[&whisper].1.content;
    content.contains(&format!("\"Text\":\"{text}\"")) && content.contains("rf-limit")
}

#[sqlx::test(migrations = "../migrations")]
async fn queues_with_the_same_whisper_share_one_copy(pool: PgPool) {
    let world = World::new(pool).await;
    let site = merged(&world, Drift::Mend).await;
    let runs = |queue: &str| site.fake.whisper_of(queue);
    assert_eq!(runs("first"), runs("second"));
    assert_ne!(runs("first"), runs("third"));
    assert!(says(&site, "first", "consent") && says(&site, "third", "survey"));
    assert_eq!(
        site.fake.our_flows().len(),
        4,
        "notice, default, two copies"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn originals_whose_ids_begin_alike_get_copies_of_different_names_at_once(pool: PgPool) {
    let world = World::new(pool).await;
    let queues = [
        ("first", Some("their-whisper-1")),
        ("second", Some("their-whisper-2")),
    ];
    let site = world.site(FakeInstance::with_queues(&queues)).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Installed);
    assert!(says(&site, "first", "their-whisper-1"));
    assert!(says(&site, "second", "their-whisper-2"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_copy_is_rebuilt_when_its_original_changes_and_keeps_its_id(pool: PgPool) {
    let world = World::new(pool).await;
    for drift in [Drift::Mend, Drift::Report] {
        let site = merged(&world, drift).await;
        let copy = site.fake.whisper_of("first");
        site.fake
            .publish("consent", &whisper_content("new consent"));
        site.fake
            .publish(DEFAULT_OUTBOUND, &whisper_content("new default"));
        site.fake.inside().changes.clear();
        let assessment = site.settle().await;
        assert_eq!(assessment.state, InstallationState::Installed, "{drift:?}");
        assert!(says(&site, "first", "new consent"), "{drift:?}");
        assert!(says(&site, "plain", "new default"), "{drift:?}");
        assert!(says(&site, "third", "survey"));
        assert_eq!(site.fake.whisper_of("first"), copy);
        let changes = site.fake.inside().changes.clone();
        assert_eq!(changes.len(), 2, "nothing else is touched: {changes:?}");
        site.pass().await.expect("a pass");
        assert_eq!(site.fake.inside().changes, changes, "once is enough");
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_original_that_cannot_be_merged_any_more_is_refused_and_given_back(pool: PgPool) {
    let world = World::new(pool).await;
    let site = merged(&world, Drift::Mend).await;
    site.fake.publish("consent", r#"{"Version":"2030-01-01"}"#);
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Blocked);
    let queues = condition(&assessment, ConditionType::QueuesAttached);
    assert_eq!(queues.reason, "queues_refused");
    assert!(queues.message.contains("2030-01-01"), "{}", queues.message);
    for queue in ["first", "second"] {
        assert_eq!(site.fake.whisper_of(queue).as_deref(), Some("consent"));
        assert_eq!(site.queue_state(queue).await, Some(QueueState::Refused));
    }
    assert_eq!(site.queue_state("third").await, Some(QueueState::Attached));
    assert_eq!(site.fake.our_flows().len(), 3, "its copy is gone");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_copy_that_no_queue_needs_any_more_is_removed(pool: PgPool) {
    let world = World::new(pool).await;
    let site = merged(&world, Drift::Mend).await;
    // The customer gives the queue another of their whispers, which then stands behind ours.
    site.fake.point("third", "consent");
    site.settle().await;
    assert_eq!(site.fake.whisper_of("third"), site.fake.whisper_of("first"));
    assert_eq!(site.fake.our_flows().len(), 3);
    site.ask_removal().await;
    site.settle().await;
    for queue in ["first", "second", "third"] {
        assert_eq!(site.fake.whisper_of(queue).as_deref(), Some("consent"));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_copy_whose_original_is_deleted_goes_on_as_it_was(pool: PgPool) {
    let world = World::new(pool).await;
    let site = merged(&world, Drift::Mend).await;
    site.fake.inside().flows.remove("survey");
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Installed);
    assert!(says(&site, "third", "survey"));
    site.ask_removal().await;
    site.settle().await;
    let now = site.fake.whisper_of("third");
    assert_eq!(
        now.as_deref(),
        Some(DEFAULT_OUTBOUND),
        "what it had is gone"
    );
}
