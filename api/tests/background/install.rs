//! Installing, keeping what was installed, and saying why not.

use std::collections::BTreeSet;

use jiff::SignedDuration;
use ringfence_api::background::Found;
use ringfence_api::domain::installation::{
    ConditionStatus, ConditionType, Drift, ExistingWhisper, InstallationRequest, InstallationState,
    QueueSelection, QueueState,
};
use sqlx::PgPool;

use crate::fake::{DEFAULT_OUTBOUND, FakeInstance};
use crate::world::{World, condition, request};

fn three_queues() -> FakeInstance {
    FakeInstance::with_queues(&[
        ("plain", None),
        ("default", Some(DEFAULT_OUTBOUND)),
        ("own", Some("their-whisper")),
    ])
}

#[sqlx::test(migrations = "../migrations")]
async fn every_queue_runs_our_whisper_and_keeps_its_caller_id(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Installed);
    assert_eq!(
        condition(&assessment, ConditionType::Ready).status,
        ConditionStatus::True
    );
    let ours: BTreeSet<String> = site.fake.our_flows().into_iter().collect();
    assert_eq!(
        ours.len(),
        3,
        "notice, whisper before the default, whisper before their own"
    );
    for queue in ["plain", "default", "own"] {
        let whisper = site.fake.whisper_of(queue).expect("a whisper");
        assert!(ours.contains(&whisper));
        let inside = site.fake.inside();
        let outbound = &inside.queues[queue].outbound;
        assert_eq!(outbound.caller_id_name.as_deref(), Some("Acme"));
        assert_eq!(
            outbound.caller_id_number_id,
            Some(format!("number-{queue}"))
        );
    }
    assert_eq!(
        site.fake.whisper_of("plain"),
        site.fake.whisper_of("default")
    );
    let own = site.fake.whisper_of("own").expect("a whisper");
    assert!(
        site.fake.inside().flows[&own]
            .1
            .content
            .contains("their-whisper")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_second_pass_over_a_reached_state_changes_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    for whisper in [
        ExistingWhisper::Merge,
        ExistingWhisper::Replace,
        ExistingWhisper::Refuse,
    ] {
        let site = world.site(three_queues()).await;
        site.ask(&request(whisper)).await;
        site.pass().await.expect("a pass");
        site.fake.inside().changes.clear();
        let again = site.pass().await.expect("a second pass");
        assert!(again.reached);
        assert_eq!(
            site.fake.inside().changes,
            Vec::<String>::new(),
            "{whisper:?}"
        );
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn limiters_know_the_instance_before_the_first_queue_is_attached(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.pass().await.expect("a pass");
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    let steps = tx
        .installation_step_list(site.instance)
        .await
        .expect("steps");
    let names: Vec<&str> = steps.iter().map(|step| step.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "grant_permission",
            "create_flow",
            "publish",
            "create_flow",
            "attach_queue",
            "attach_queue",
            "create_flow",
            "attach_queue"
        ]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_whisper_of_their_own_is_left_alone_unless_told_otherwise(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Refuse)).await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    assert!(assessment.reached, "there is nothing left to do");
    let queues = condition(&assessment, ConditionType::QueuesAttached);
    assert_eq!(queues.reason, "queues_refused");
    assert!(
        queues.message.contains("Queue own") && queues.message.contains("merge"),
        "{}",
        queues.message
    );
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some("their-whisper")
    );
    assert_eq!(site.queue_state("own").await, Some(QueueState::Refused));
    assert_eq!(site.queue_state("plain").await, Some(QueueState::Attached));
}

#[sqlx::test(migrations = "../migrations")]
async fn going_from_merge_to_refuse_gives_the_queue_its_whisper_back(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.pass().await.expect("a pass");
    site.ask(&request(ExistingWhisper::Refuse)).await;
    site.settle().await;
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some("their-whisper")
    );
    assert_eq!(site.fake.our_flows().len(), 2, "the merged copy is gone");
    assert_eq!(site.queue_state("own").await, Some(QueueState::Refused));
}

#[sqlx::test(migrations = "../migrations")]
async fn replacing_uses_one_bare_whisper_for_all(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Replace)).await;
    site.pass().await.expect("a pass");
    assert_eq!(site.fake.our_flows().len(), 2);
    let whisper = site.fake.whisper_of("own").expect("a whisper");
    assert!(
        site.fake.inside().flows[&whisper]
            .1
            .content
            .contains("CompleteOutboundCall")
    );
    assert_eq!(site.fake.whisper_of("plain"), Some(whisper));
}

#[sqlx::test(migrations = "../migrations")]
async fn queues_taken_out_of_the_choice_get_back_what_they_had(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.pass().await.expect("a pass");
    let only_default = InstallationRequest {
        queues: QueueSelection::Only(["default".to_owned()].into()),
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&only_default).await;
    let assessment = site.settle().await;
    assert_eq!(
        condition(&assessment, ConditionType::Ready).status,
        ConditionStatus::True
    );
    assert_eq!(
        site.fake.whisper_of("own").as_deref(),
        Some("their-whisper")
    );
    assert_eq!(
        site.fake.whisper_of("plain").as_deref(),
        Some(DEFAULT_OUTBOUND)
    );
    assert_eq!(site.queue_state("plain").await, Some(QueueState::Restored));
    assert_eq!(site.fake.our_flows().len(), 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_that_does_not_exist_is_said_and_keeps_nothing_else_back(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    let some = InstallationRequest {
        queues: QueueSelection::Only(["plain".to_owned(), "nowhere".to_owned()].into()),
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&some).await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    assert_eq!(
        condition(&assessment, ConditionType::QueuesAttached).reason,
        "queue_not_found"
    );
    assert_eq!(site.queue_state("plain").await, Some(QueueState::Attached));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_flow_with_our_name_but_without_our_tag_is_never_adopted(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.fake
        .add_flow("theirs", "Ringfence outbound whisper", "{}", &[]);
    site.ask(&request(ExistingWhisper::Refuse)).await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    assert_eq!(
        condition(&assessment, ConditionType::FlowsInstalled).reason,
        "flow_name_taken"
    );
    assert_eq!(site.fake.inside().flows["theirs"].1.content, "{}");
    assert_eq!(site.fake.whisper_of("plain"), None);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_missing_permission_is_named_in_the_condition(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.fake
        .inside()
        .denied
        .insert("connect:UpdateQueueOutboundCallerConfig");
    site.ask(&request(ExistingWhisper::Merge)).await;
    let assessment = site.pass().await.expect("a pass");
    assert_eq!(assessment.state, InstallationState::Blocked);
    assert!(!assessment.reached);
    let queues = condition(&assessment, ConditionType::QueuesAttached);
    assert_eq!(queues.reason, "permission_missing");
    assert!(
        queues
            .message
            .contains("connect:UpdateQueueOutboundCallerConfig")
    );
    assert_eq!(
        condition(&assessment, ConditionType::FlowsInstalled).status,
        ConditionStatus::True
    );
    site.fake.inside().denied.clear();
    assert_eq!(site.settle().await.state, InstallationState::Installed);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_somebody_changed_is_mended(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.pass().await.expect("a pass");
    let whisper = site.fake.whisper_of("plain").expect("a whisper");
    {
        let mut inside = site.fake.inside();
        inside
            .queues
            .get_mut("plain")
            .expect("the queue")
            .outbound
            .flow_id = Some(DEFAULT_OUTBOUND.to_owned());
        let flow = &mut inside.flows.get_mut(&whisper).expect("the flow").1;
        flow.content = "{}".to_owned();
        flow.sha256 = Some("another".to_owned());
    }
    let assessment = site.settle().await;
    assert_eq!(
        condition(&assessment, ConditionType::Ready).status,
        ConditionStatus::True
    );
    assert_eq!(site.fake.whisper_of("plain").as_ref(), Some(&whisper));
    assert!(
        site.fake.inside().flows[&whisper]
            .1
            .content
            .contains("rf-limit")
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn what_somebody_changed_is_only_told_where_the_tenant_wants_that(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    let report = InstallationRequest {
        drift: Drift::Report,
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&report).await;
    site.pass().await.expect("a pass");
    {
        let mut inside = site.fake.inside();
        inside
            .queues
            .get_mut("plain")
            .expect("the queue")
            .outbound
            .flow_id = Some(DEFAULT_OUTBOUND.to_owned());
        inside.changes.clear();
    }
    for _ in 0..2 {
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(
            condition(&assessment, ConditionType::QueuesAttached).reason,
            "drifted"
        );
        assert_eq!(
            condition(&assessment, ConditionType::Ready).status,
            ConditionStatus::False
        );
        assert_eq!(site.queue_state("plain").await, Some(QueueState::LeftAlone));
    }
    assert_eq!(site.fake.inside().changes, Vec::<String>::new());
    site.ask(&report).await;
    let assessment = site.settle().await;
    assert_eq!(
        condition(&assessment, ConditionType::Ready).status,
        ConditionStatus::True,
        "asked again: mended"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_made_later_is_covered_when_all_are_wanted(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.pass().await.expect("a pass");
    {
        let mut inside = site.fake.inside();
        let mut queue = inside.queues["plain"].clone();
        queue.id = "later".to_owned();
        queue.outbound.flow_id = None;
        inside.queues.insert("later".to_owned(), queue);
    }
    site.settle().await;
    assert_eq!(site.fake.whisper_of("later"), site.fake.whisper_of("plain"));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_process_that_lost_its_lease_changes_and_records_nothing(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    // What follows the lease is the first request, the function's policy.
    site.is_due().await;
    let (reached, open) = site.fake.gate(1);
    let late = world.worker();
    let late_pass = late.look();
    tokio::pin!(late_pass);
    tokio::select! {
        _ = &mut late_pass => panic!("the pass ended before its gate"),
        reached = reached => reached.expect("told"),
    }
    world.wait(jiff::SignedDuration::from_secs(120));
    let token = world.ids.uuid();
    let now = world.clock.now();
    let until = now
        .checked_add(jiff::SignedDuration::from_mins(1))
        .expect("a time");
    let rival = world.store.installation_lease(token, now, until).await;
    assert!(rival.expect("an answer").is_some());
    open.send(()).expect("the pass waits");
    late_pass.await.expect("a pass that gives up");
    assert_eq!(site.fake.inside().changes, Vec::<String>::new());
    assert!(site.queues().await.is_empty());
    assert_eq!(site.audited().await, Vec::new());
}

#[sqlx::test(migrations = "../migrations")]
async fn an_account_that_is_throttled_for_ten_minutes_is_asked_seldom_and_told_so(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world.site(three_queues()).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.fake.inside().throttled = true;
    let worker = world.worker();
    let mut passes = 0;
    for _ in 0..600 {
        world.wait(SignedDuration::from_secs(1));
        if worker.look().await.expect("a look") == Found::Work {
            passes += 1;
        }
    }
    assert!((5..=16).contains(&passes), "{passes} passes in ten minutes");
    let assessment = site.assessment().await;
    assert_eq!(assessment.state, InstallationState::Installing);
    let ready = condition(&assessment, ConditionType::Ready);
    assert_eq!(ready.reason, "throttled");
    assert!(ready.message.contains("tries again"), "{}", ready.message);
    assert_eq!(site.fake.inside().changes.len(), 0);

    site.fake.inside().throttled = false;
    assert_eq!(site.settle().await.state, InstallationState::Installed);
}

#[sqlx::test(migrations = "../migrations")]
async fn how_far_a_look_at_many_queues_has_come_is_told_while_it_goes_on(pool: PgPool) {
    let world = World::new(pool).await;
    let names: Vec<String> = (0..25).map(|number| format!("q{number:02}")).collect();
    let queues: Vec<(&str, Option<&str>)> = names.iter().map(|id| (id.as_str(), None)).collect();
    let site = world.site(FakeInstance::with_queues(&queues)).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    let look = async || {
        let mut tx = world
            .store
            .tenant(world.tenant)
            .await
            .expect("a transaction");
        tx.installation_look(site.instance)
            .await
            .expect("an answer")
    };
    // After the function's policy, the flows and the list of queues, in the middle of these.
    let (reached, open) = site.fake.gate(3 + 15);
    let pass = site.pass();
    tokio::pin!(pass);
    tokio::select! {
        _ = &mut pass => panic!("the pass ended before its gate"),
        reached = reached => reached.expect("told"),
    }
    assert_eq!(look().await, Some((10, 25)));
    open.send(()).expect("the pass waits");
    pass.await.expect("a pass");
    assert_eq!(look().await, None, "it is over");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_look_that_was_killed_tells_no_progress_once_another_has_begun(pool: PgPool) {
    let world = World::new(pool).await;
    let site = world
        .site(FakeInstance::with_queues(&[("plain", None)]))
        .await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    let tx = || async {
        world
            .store
            .tenant(world.tenant)
            .await
            .expect("a transaction")
    };
    let mut killed = tx().await;
    killed
        .installation_looked(site.instance, 10, 25)
        .await
        .expect("written");
    killed.commit().await.expect("committed");
    site.is_due().await;
    let now = world.clock.now();
    let until = ringfence_api::clock::later(now, std::time::Duration::from_secs(60));
    let leased = world.store.installation_lease(world.ids.uuid(), now, until);
    leased.await.expect("an answer").expect("a lease");
    let look = tx().await.installation_look(site.instance).await;
    assert_eq!(look.expect("an answer"), None);
}
