//! What somebody changes of an installation is noticed, told once, and mended or only reported, as the tenant chose.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use ringfence_api::app::coverage::Installed;
use ringfence_api::aws::AwsErrorKind;
use ringfence_api::background::Found;
use ringfence_api::domain::drift::DriftKind;
use ringfence_api::domain::installation::{
    Drift, ExistingWhisper, InstallationRequest, OnLimiterUnavailable, QueueState,
};
use ringfence_api::store::SeenDrift;
use serde_json::{Value, json};
use sqlx::PgPool;

use crate::described::is_as_described;
use crate::fake::{DEFAULT_OUTBOUND, FakeInstance, Fault, Inside};
use crate::world::{PERIOD, Site, World, request};

const MODES: [Drift; 2] = [Drift::Mend, Drift::Report];

async fn installed(world: &World, drift: Drift) -> Site<'_> {
    let queues = [("plain", None), ("own", Some("their-whisper"))];
    let site = world.site(FakeInstance::with_queues(&queues)).await;
    let asked = InstallationRequest {
        drift,
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&asked).await;
    site.settle().await;
    assert_eq!(open(&site).await, Vec::new(), "nothing was changed yet");
    site
}

/// Wants to be told of drift.
async fn webhook(world: &World) {
    sqlx::query(
        "insert into webhook_endpoints
             (tenant_id, id, url, description, events, customer_numbers, state, secret, created_at, failures, next_turn_at)
         values ($1, $2, 'https://example.com/', '', '{installation.drifted}', 'masked', 'enabled', '', now(), 0, now())",
    )
    .bind(world.tenant.0)
    .bind(world.ids.uuid())
    .execute(&world.pool)
    .await
    .expect("an endpoint");
}

/// What webhooks are told of this instance: kind and whether it is mended.
async fn told(site: &Site<'_>) -> Vec<(String, bool)> {
    let events: Vec<Value> = sqlx::query_scalar(
        "select e.data from webhook_events e join webhook_deliveries d on d.event_id = e.id
         where e.kind = 'installation.drifted' and e.data->>'instance_id' = $1 order by e.at, e.id",
    )
    .bind(site.instance.to_string())
    .fetch_all(&site.world.pool)
    .await
    .expect("events");
    events
        .iter()
        .map(|data| {
            is_as_described("installation.drifted", data);
            let kind = data["kind"].as_str().unwrap_or_default().to_owned();
            (kind, data["mended"] == true)
        })
        .collect()
}

async fn drift(site: &Site<'_>) -> Vec<SeenDrift> {
    let tenant = site.world.store.tenant(site.world.tenant).await;
    let mut tx = tenant.expect("a transaction");
    tx.drift_list(site.instance).await.expect("drift")
}

async fn open(site: &Site<'_>) -> Vec<DriftKind> {
    let drift = drift(site).await;
    let open = drift.iter().filter(|drift| drift.ended_at.is_none());
    open.map(|drift| drift.difference.kind).collect()
}

fn repoint(site: &Site<'_>, queue: &str, flow_id: &str) {
    let mut inside = site.fake.inside();
    let queue = inside.queues.get_mut(queue).expect("the queue");
    queue.outbound.flow_id = Some(flow_id.to_owned());
}

fn edit_flow(inside: &mut Inside, flow_id: &str) {
    let flow = &mut inside.flows.get_mut(flow_id).expect("the flow").1;
    flow.content = "{}".to_owned();
    flow.sha256 = Some("another".to_owned());
}

/// Somebody does this to an installation.
async fn disturb(site: &Site<'_>, kind: DriftKind) {
    let whisper = site.fake.whisper_of("own").expect("a whisper");
    match kind {
        DriftKind::FlowEdited => edit_flow(&mut site.fake.inside(), &whisper),
        DriftKind::FlowDeleted => {
            site.fake.inside().flows.remove(&whisper);
        }
        DriftKind::QueueRepointed => repoint(site, "own", DEFAULT_OUTBOUND),
        DriftKind::QueueNotCovered => {
            let mut inside = site.fake.inside();
            let mut queue = inside.queues["plain"].clone();
            queue.id = "later".to_owned();
            queue.name = "Queue later".to_owned();
            queue.outbound.flow_id = None;
            inside.queues.insert("later".to_owned(), queue);
        }
        DriftKind::PermissionRemoved => site.fake.inside().granted.clear(),
        DriftKind::RoleRefused => {
            site.fake.inside().denied.insert("sts:AssumeRole");
        }
        DriftKind::RolePermissionLost => {
            site.fake.inside().denied.insert("connect:ListQueues");
        }
        DriftKind::ExternalIdNotEnforced => {
            checked(site, "runtime_role_external_id_enforced").await;
        }
        DriftKind::AccessLost => checked(site, "instance").await,
    }
}

/// The last check of the roles found this to be wrong.
async fn checked(site: &Site<'_>, failed: &str) {
    let checks =
        json!([{ "name": failed, "status": "failed", "detail": "as said", "fix": "Mend it." }]);
    sqlx::query("update instances set health = 'unhealthy', checks = $2 where id = $1")
        .bind(site.instance.0)
        .bind(checks)
        .execute(&site.world.pool)
        .await
        .expect("checked");
}

#[sqlx::test(migrations = "../migrations")]
async fn each_kind_of_drift_is_told_once_and_mended_or_reported_as_chosen(pool: PgPool) {
    let world = World::new(pool).await;
    webhook(&world).await;
    for kind in DriftKind::ALL {
        for mode in MODES {
            let site = installed(&world, mode).await;
            disturb(&site, kind).await;
            site.fake.inside().changes.clear();
            site.pass().await.expect("a pass");
            let seen = drift(&site).await;
            assert_eq!(seen.len(), 1, "{kind:?} {mode:?}: {seen:?}");
            assert_eq!(seen[0].difference.kind, kind);
            assert_eq!(seen[0].since, world.clock.now(), "{kind:?}");
            let is_mended = match kind {
                // The function is the operator's own, whatever the tenant chose.
                DriftKind::PermissionRemoved => true,
                // Nobody but the customer can.
                DriftKind::RoleRefused
                | DriftKind::RolePermissionLost
                | DriftKind::ExternalIdNotEnforced
                | DriftKind::AccessLost => false,
                _ => mode == Drift::Mend,
            };
            assert_eq!(seen[0].difference.mended, is_mended, "{kind:?} {mode:?}");
            assert_eq!(seen[0].ended_at.is_some(), is_mended, "{kind:?} {mode:?}");
            let changes = site.fake.inside().changes.clone();
            assert_eq!(
                changes.is_empty(),
                !is_mended,
                "{kind:?} {mode:?}: {changes:?}"
            );
            for _ in 0..2 {
                site.pass().await.expect("a pass");
            }
            let once = vec![(kind.as_str().to_owned(), is_mended)];
            assert_eq!(told(&site).await, once, "{kind:?} {mode:?}");
            let since = drift(&site).await[0].since;
            assert_eq!(since, seen[0].since, "{kind:?} {mode:?}");
            site.put_away().await;
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_becomes_of_the_roles_is_told_although_something_is_still_missing(pool: PgPool) {
    let world = World::new(pool).await;
    for kind in DriftKind::of_access() {
        let queues = [("plain", None), ("own", Some("their-whisper"))];
        let site = world.site(FakeInstance::with_queues(&queues)).await;
        site.ask(&request(ExistingWhisper::Merge)).await;
        site.fake.hide("plain", AwsErrorKind::AccessDenied);
        for _ in 0..2 {
            site.pass().await.expect("a pass");
            assert_eq!(open(&site).await, [], "{kind:?}");
        }
        disturb(&site, kind).await;
        site.pass().await.expect("a pass");
        if kind == DriftKind::RolePermissionLost {
            assert_eq!(open(&site).await, [], "it may never have been there");
            checked(&site, "connect:ListQueues").await;
        }
        for _ in 0..2 {
            site.pass().await.expect("a pass");
            assert_eq!(open(&site).await, [kind]);
        }
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_only_the_fallback_takes_is_no_drift_where_it_may_never_have_been_permitted(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let fake = FakeInstance::with_queues(&[("plain", None)]);
    fake.inside().has_fallback = true;
    let site = world.site(fake).await;
    let denied = "lambda:GetPolicy on the fallback";
    site.fake.inside().denied.insert(denied);
    let deny = InstallationRequest {
        on_limiter_unavailable: OnLimiterUnavailable::Deny,
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&deny).await;
    site.pass().await.expect("a pass");
    // Verified before anybody wanted a fallback, when this was a warning.
    checked(&site, "lambda:GetPolicy").await;
    site.pass().await.expect("a pass");
    assert_eq!(open(&site).await, []);
    site.fake.inside().denied.clear();
    site.settle().await;
    site.fake.inside().denied.insert(denied);
    site.pass().await.expect("a pass");
    assert_eq!(open(&site).await, [DriftKind::RolePermissionLost]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_whose_whisper_somebody_changed_is_not_covered_until_it_is_put_right(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, Drift::Report).await;
    let covered = async |queue: &str| {
        let tenant = world.store.tenant(world.tenant).await;
        let mut tx = tenant.expect("a transaction");
        let installed = Installed::load(&mut tx, site.instance).await;
        installed.expect("what is installed").covers(queue)
    };
    assert!(covered("own").await && covered("plain").await);
    disturb(&site, DriftKind::FlowEdited).await;
    site.pass().await.expect("a pass");
    assert_eq!(site.queue_state("own").await, Some(QueueState::Attached));
    assert!(!covered("own").await && covered("plain").await);
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.settle().await;
    assert!(covered("own").await);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_roles_refused_that_were_rotated_meanwhile_is_told_to_nobody_and_looked_at_again_at_once(
    pool: PgPool,
) {
    let world = World::new(pool.clone()).await;
    webhook(&world).await;
    let rotations = [
        "update connections set installer_role_arn = installer_role_arn || '-2'",
        "update connections set pending_external_id = 'next'",
    ];
    for rotation in rotations {
        let site = installed(&world, Drift::Mend).await;
        let before = site.assessment().await;
        site.is_due().await;
        let (began, go_on) = site.fake.gate(1);
        let worker = world.worker();
        let rotated = async {
            began.await.expect("told");
            sqlx::query(rotation).execute(&pool).await.expect("rotated");
            site.fake.inside().denied.insert("connect:ListQueues");
            go_on.send(()).expect("waiting");
        };
        let (found, ()) = tokio::join!(worker.look(), rotated);
        assert_eq!(found.expect("a pass"), Found::Work);
        assert_eq!(site.assessment().await, before, "{rotation}");

        site.fake.inside().denied.clear();
        let again = world.worker().look().await.expect("a pass");
        assert_eq!(again, Found::Work, "{rotation}");
        assert!(site.assessment().await.reached, "{rotation}");
        assert_eq!(drift(&site).await, [], "{rotation}");
        assert_eq!(told(&site).await, [], "{rotation}");
        site.put_away().await;
    }
}

/// Both versions read the table while one takes the other's place.
#[sqlx::test(migrations = "../migrations")]
async fn whatever_kind_of_drift_is_kept_the_previous_version_can_read(pool: PgPool) {
    const KNOWN: [&str; 6] = [
        "flow_edited",
        "flow_deleted",
        "queue_repointed",
        "queue_not_covered",
        "permission_removed",
        "access_lost",
    ];
    let world = World::new(pool).await;
    for kind in DriftKind::ALL {
        let site = installed(&world, Drift::Report).await;
        disturb(&site, kind).await;
        site.pass().await.expect("a pass");
        let kept: Vec<String> =
            sqlx::query_scalar("select kind from installation_drift where instance_id = $1")
                .bind(site.instance.0)
                .fetch_all(&world.pool)
                .await
                .expect("kinds");
        assert!(!kept.is_empty(), "{kind:?}");
        for kept in kept {
            assert!(KNOWN.contains(&kept.as_str()), "{kind:?}: {kept}");
        }
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn what_was_only_reported_ends_when_it_is_put_right(pool: PgPool) {
    let world = World::new(pool).await;
    webhook(&world).await;
    let site = installed(&world, Drift::Report).await;
    let ours = site.fake.whisper_of("own").expect("a whisper");
    repoint(&site, "own", DEFAULT_OUTBOUND);
    site.pass().await.expect("a pass");
    assert_eq!(open(&site).await, [DriftKind::QueueRepointed]);
    assert_eq!(site.queue_state("own").await, Some(QueueState::LeftAlone));
    // By hand.
    repoint(&site, "own", &ours);
    site.pass().await.expect("a pass");
    assert_eq!(open(&site).await, []);
    assert_eq!(site.queue_state("own").await, Some(QueueState::Attached));
    // The same once more is told once more.
    repoint(&site, "own", DEFAULT_OUTBOUND);
    site.pass().await.expect("a pass");
    assert_eq!(open(&site).await, [DriftKind::QueueRepointed]);
    assert_eq!(told(&site).await.len(), 2);
    // Asking again mends it.
    let asked = InstallationRequest {
        drift: Drift::Report,
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&asked).await;
    site.settle().await;
    assert_eq!(open(&site).await, []);
    let whisper = site.fake.whisper_of("own").expect("a whisper");
    assert!(site.fake.our_flows().contains(&whisper));
    assert_eq!(told(&site).await.len(), 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_queue_made_later_stays_reported_until_it_is_asked_for(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, Drift::Report).await;
    disturb(&site, DriftKind::QueueNotCovered).await;
    for _ in 0..3 {
        let assessment = site.pass().await.expect("a pass");
        assert_eq!(open(&site).await, [DriftKind::QueueNotCovered]);
        let told = assessment
            .conditions
            .iter()
            .find(|condition| condition.reason == "drifted");
        assert!(told.is_some_and(|told| told.message.contains("Queue later")));
    }
    assert_eq!(site.fake.whisper_of("later"), None);
    let asked = InstallationRequest {
        drift: Drift::Report,
        ..request(ExistingWhisper::Merge)
    };
    site.ask(&asked).await;
    site.settle().await;
    assert_eq!(site.fake.whisper_of("later"), site.fake.whisper_of("plain"));
    assert_eq!(open(&site).await, []);
}

#[sqlx::test(migrations = "../migrations")]
async fn what_is_asked_for_anew_is_no_drift(pool: PgPool) {
    let world = World::new(pool).await;
    webhook(&world).await;
    let site = installed(&world, Drift::Mend).await;
    repoint(&site, "own", DEFAULT_OUTBOUND);
    for whisper in [
        ExistingWhisper::Replace,
        ExistingWhisper::Refuse,
        ExistingWhisper::Merge,
    ] {
        site.ask(&request(whisper)).await;
        site.settle().await;
    }
    site.ask_removal().await;
    site.settle().await;
    assert_eq!(told(&site).await, []);
    assert_eq!(drift(&site).await, []);
}

#[sqlx::test(migrations = "../migrations")]
async fn drift_is_told_once_wherever_its_mending_is_cut_off(pool: PgPool) {
    let world = World::new(pool).await;
    webhook(&world).await;
    let mut interrupted = 0;
    for fault in (1..80).flat_map(|number| [Fault::Before(number), Fault::After(number)]) {
        let site = installed(&world, Drift::Mend).await;
        disturb(&site, DriftKind::FlowDeleted).await;
        repoint(&site, "plain", DEFAULT_OUTBOUND);
        site.fake.fail(Some(fault));
        site.pass().await.expect("a pass");
        let struck = site.fake.struck();
        site.fake.fail(None);
        site.settle().await;
        let told: BTreeSet<(String, bool)> = {
            let told = told(&site).await;
            assert_eq!(told.len(), 2, "{fault:?}: {told:?}");
            told.into_iter().collect()
        };
        let wanted = [DriftKind::FlowDeleted, DriftKind::QueueRepointed];
        let wanted = wanted.map(|kind| (kind.as_str().to_owned(), true));
        assert_eq!(told, BTreeSet::from(wanted), "{fault:?}");
        assert_eq!(open(&site).await, [], "{fault:?}");
        site.put_away().await;
        if !struck {
            break;
        }
        interrupted += 1;
    }
    assert!(interrupted > 20, "only {interrupted} requests were cut off");
}

#[sqlx::test(migrations = "../migrations")]
async fn drift_of_a_queue_lasts_until_it_is_mended(pool: PgPool) {
    let world = World::new(pool).await;
    webhook(&world).await;
    for (kind, queue) in [
        (DriftKind::QueueRepointed, "own"),
        (DriftKind::QueueNotCovered, "later"),
    ] {
        let site = installed(&world, Drift::Mend).await;
        disturb(&site, kind).await;
        for lost in ["connect:UpdateQueueOutboundCallerConfig", "nothing"] {
            site.fake.inside().denied = [lost].into();
            for _ in 0..3 {
                site.pass().await.expect("a pass");
                let is_limited = site.fake.whisper_of(queue) == site.fake.whisper_of("plain");
                let is_open = open(&site).await.contains(&kind);
                assert_eq!(is_open, !is_limited, "{kind:?} {lost}");
            }
        }
        assert_eq!(open(&site).await, [], "{kind:?}");
        let told = told(&site).await;
        let of_queues = told.iter().filter(|(told, _)| told == kind.as_str());
        assert_eq!(of_queues.count(), 1, "{kind:?}: {told:?}");
        site.put_away().await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn drift_is_noticed_within_the_period_and_at_once_on_demand(pool: PgPool) {
    let world = World::new(pool).await;
    let site = installed(&world, Drift::Mend).await;
    let due: Vec<SignedDuration> = {
        let mut due = Vec::new();
        let worker = world.worker();
        for _ in 0..8 {
            site.is_due().await;
            worker.look().await.expect("a pass");
            let at: String = sqlx::query_scalar(
                "select to_char(next_due_at at time zone 'utc', 'YYYY-MM-DD\"T\"HH24:MI:SS.USZ') from installations where instance_id = $1",
            )
            .bind(site.instance.0)
            .fetch_one(&world.pool)
            .await
            .expect("due");
            let at: Timestamp = at.parse().expect("a time");
            due.push(at.duration_since(world.clock.now()));
        }
        due
    };
    let period = SignedDuration::try_from(PERIOD).expect("a period");
    for wait in &due {
        assert!(*wait <= period && *wait >= period / 2, "{wait}");
    }
    assert!(due.windows(2).any(|two| two[0] != two[1]), "no jitter");

    let worker = world.worker();
    repoint(&site, "own", DEFAULT_OUTBOUND);
    assert_eq!(worker.look().await.expect("a look"), Found::Nothing);
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    tx.installation_look_now(Some(site.instance), world.clock.now())
        .await
        .expect("asked");
    tx.commit().await.expect("committed");
    assert_eq!(worker.look().await.expect("a look"), Found::Work);
    assert_eq!(drift(&site).await.len(), 1);
    assert_eq!(open(&site).await, [], "mended");

    // Nobody asks: the period's end is enough.
    repoint(&site, "own", DEFAULT_OUTBOUND);
    world.wait(period);
    assert_eq!(worker.look().await.expect("a look"), Found::Work);
    assert_ne!(
        site.fake.whisper_of("own").as_deref(),
        Some(DEFAULT_OUTBOUND)
    );
}
