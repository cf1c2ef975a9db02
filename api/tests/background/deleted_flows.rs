//! Somebody deletes our flows while queues still name them: the queues get new ones, and in the end what they had.

use std::collections::BTreeMap;

use ringfence_api::domain::installation::{
    ConditionType, Drift, ExistingWhisper, InstallationRequest, InstallationState, QueueSelection,
    QueueState,
};
use sqlx::PgPool;

use crate::fake::{DEFAULT_OUTBOUND, FakeInstance, Fault};
use crate::world::{Site, World, condition, request};

const QUEUES: [(&str, Option<&str>); 3] = [
    ("plain", None),
    ("default", Some(DEFAULT_OUTBOUND)),
    ("own", Some("their-whisper")),
];

async fn installed<'a>(world: &'a World, asked: &InstallationRequest) -> Site<'a> {
    let site = world.site(FakeInstance::with_queues(&QUEUES)).await;
    site.ask(asked).await;
    site.settle().await;
    site
}

fn delete_ours(site: &Site<'_>) {
    for flow in site.fake.our_flows() {
        site.fake.inside().flows.remove(&flow);
    }
}

/// The customer's whisper behind the one that each queue runs; an error names a queue that runs none of ours.
fn behind(site: &Site<'_>) -> Result<BTreeMap<String, Option<String>>, String> {
    let ours = site.fake.our_flow_keys();
    QUEUES
        .into_iter()
        .map(|(queue, _)| {
            let shown = site.fake.whisper_of(queue);
            let original = shown.as_ref().and_then(|flow| ours.get(flow));
            let original = original.ok_or_else(|| format!("{queue} runs {shown:?}"))?;
            Ok((queue.to_owned(), original.clone()))
        })
        .collect()
}

async fn assert_removal_gives_back(site: &Site<'_>, case: &str) {
    site.ask_removal().await;
    site.settle().await;
    for (queue, whisper) in QUEUES {
        let back = site.fake.whisper_of(queue);
        let wanted = whisper.unwrap_or(DEFAULT_OUTBOUND);
        assert_eq!(back.as_deref(), Some(wanted), "{queue} {case}");
    }
    assert_eq!(site.fake.our_flows(), Vec::<String>::new(), "{case}");
    site.put_away().await;
}

#[sqlx::test(migrations = "../migrations")]
async fn queues_that_name_a_deleted_whisper_of_ours_get_a_new_one(pool: PgPool) {
    let world = World::new(pool).await;
    for (whisper, original) in [
        (ExistingWhisper::Merge, Some("their-whisper".to_owned())),
        (ExistingWhisper::Replace, None),
    ] {
        let site = installed(&world, &request(whisper)).await;
        delete_ours(&site);
        site.settle().await;
        let wanted = BTreeMap::from([
            ("plain".to_owned(), None),
            ("default".to_owned(), None),
            ("own".to_owned(), original),
        ]);
        assert_eq!(behind(&site), Ok(wanted), "{whisper:?}");
        for (queue, _) in QUEUES {
            assert_eq!(site.queue_state(queue).await, Some(QueueState::Attached));
        }
        assert_removal_gives_back(&site, &format!("{whisper:?}")).await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_removal_after_our_flows_were_deleted_gives_every_queue_back_what_it_had(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, &request(ExistingWhisper::Merge)).await;
    delete_ours(&site);
    assert_removal_gives_back(&site, "removal").await;
}

#[sqlx::test(migrations = "../migrations")]
async fn mending_deleted_flows_may_be_cut_off_anywhere(pool: PgPool) {
    let world = World::new(pool).await;
    let wanted = BTreeMap::from([
        ("plain".to_owned(), None),
        ("default".to_owned(), None),
        ("own".to_owned(), Some("their-whisper".to_owned())),
    ]);
    let mut interrupted = 0;
    for fault in (1..80).flat_map(|number| [Fault::Before(number), Fault::After(number)]) {
        let site = installed(&world, &request(ExistingWhisper::Merge)).await;
        delete_ours(&site);
        site.fake.fail(Some(fault));
        // A step may get over it by itself, or the pass ends there.
        let _ = site.pass().await;
        let struck = site.fake.struck();
        site.fake.fail(None);
        site.settle().await;
        assert_eq!(behind(&site), Ok(wanted.clone()), "{fault:?}");
        assert_eq!(site.fake.our_flows().len(), 3, "{fault:?}");
        assert_removal_gives_back(&site, &format!("{fault:?}")).await;
        if !struck {
            break;
        }
        interrupted += 1;
    }
    assert!(interrupted > 30, "only {interrupted} requests were cut off");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_deleted_whisper_is_only_told_where_the_tenant_wants_that(pool: PgPool) {
    let world = World::new(pool).await;
    let report = InstallationRequest {
        drift: Drift::Report,
        ..request(ExistingWhisper::Merge)
    };
    let site = installed(&world, &report).await;
    let named = site.fake.whisper_of("own");
    delete_ours(&site);
    site.fake.inside().changes.clear();
    for _ in 0..2 {
        let assessment = site.pass().await.expect("a pass");
        let queues = condition(&assessment, ConditionType::QueuesAttached);
        assert_eq!(queues.reason, "drifted");
        assert!(queues.message.contains("deleted"), "{}", queues.message);
        assert_eq!(site.queue_state("own").await, Some(QueueState::LeftAlone));
    }
    assert_eq!(site.fake.whisper_of("own"), named);
    assert_eq!(site.fake.inside().changes, Vec::<String>::new());
    site.ask(&report).await;
    site.settle().await;
    assert!(behind(&site).is_ok(), "asked again: mended");
    assert_removal_gives_back(&site, "report").await;
}

#[sqlx::test(migrations = "../migrations")]
async fn a_whisper_that_the_customer_made_while_we_looked_is_theirs(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, &request(ExistingWhisper::Merge)).await;
    let (reached, open) = site.fake.gate(4);
    let pass = site.pass();
    tokio::pin!(pass);
    tokio::select! {
        _ = &mut pass => panic!("the pass ended before its gate"),
        reached = reached => reached.expect("told"),
    }
    // The flows were listed already.
    site.fake.add_whisper("newest");
    site.fake
        .inside()
        .queues
        .get_mut("plain")
        .expect("the queue")
        .outbound
        .flow_id = Some("newest".to_owned());
    open.send(()).expect("the pass waits");
    let _ = pass.await;
    site.settle().await;
    site.ask_removal().await;
    site.settle().await;
    assert_eq!(site.fake.whisper_of("plain").as_deref(), Some("newest"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_names_a_deleted_whisper_of_ours_can_be_taken_out(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, &request(ExistingWhisper::Merge)).await;
    delete_ours(&site);
    site.ask(&InstallationRequest {
        queues: QueueSelection::Only(["default".to_owned()].into()),
        ..request(ExistingWhisper::Merge)
    })
    .await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Installed);
    for (queue, whisper) in [("plain", DEFAULT_OUTBOUND), ("own", "their-whisper")] {
        assert_eq!(site.fake.whisper_of(queue).as_deref(), Some(whisper));
        assert_eq!(site.queue_state(queue).await, Some(QueueState::Restored));
        assert_eq!(site.queue_detail(queue).await, "");
    }
    assert_eq!(
        site.queue_state("default").await,
        Some(QueueState::Attached)
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_former_whisper_that_cannot_come_back_is_told_by_its_id(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, &request(ExistingWhisper::Merge)).await;
    delete_ours(&site);
    site.fake.inside().flows.remove("their-whisper");
    site.ask_removal().await;
    let assessment = site.settle().await;
    assert_eq!(assessment.state, InstallationState::Uninstalled);
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some(DEFAULT_OUTBOUND)
    );
    assert_eq!(site.queue_state("own").await, Some(QueueState::Restored));
    let told = site.queue_detail("own").await;
    assert!(
        told.contains("their-whisper") && told.contains("Default outbound"),
        "{told}"
    );
    assert_eq!(site.queue_detail("plain").await, "");
    let restored = site.audited().await;
    let restored = restored.iter().find(|entry| {
        entry.action == "installation.restore_queue" && entry.before["queue_id"] == "own"
    });
    let restored = restored.expect("an entry");
    assert_eq!(restored.after["whisper_flow_id"], DEFAULT_OUTBOUND);
}
