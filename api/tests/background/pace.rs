//! The pace of an account and region is common to everybody who asks there, whatever process it is.

use std::pin::pin;
use std::time::Duration;

use futures::future::join_all;
use jiff::SignedDuration;
use ringfence_api::aws::{AwsErrorKind, InstanceAccess, SdkConnectInstance};
use ringfence_api::domain::installation::ExistingWhisper;
use ringfence_api::domain::pace::{Pace, Place, Quota, Urgency};
use ringfence_api::store::Store;
use sqlx::{AssertSqlSafe, PgPool};

use crate::centre::{Centre, at_rest};
use crate::fake::FakeInstance;
use crate::world::{World, request};

/// So long that what a test itself takes does not count.
const INTERVAL: u64 = 1000;

fn pace(urgency: Urgency) -> Pace {
    Pace {
        interval: Duration::from_secs(INTERVAL),
        tolerance: match urgency {
            Urgency::Asked => Duration::from_secs(INTERVAL),
            Urgency::Background => Duration::ZERO,
        },
        burst: Duration::from_secs(INTERVAL),
        wait_max: None,
    }
}

fn place(account_id: &str) -> Place {
    Place {
        account_id: account_id.to_owned(),
        region: "us-east-1".to_owned(),
    }
}

/// In whole intervals, rounded up.
async fn wait(store: &Store, account_id: &str, urgency: Urgency, turns: u32) -> u64 {
    let wait = store
        .pace_take(&place(account_id), Quota::Operations, pace(urgency), turns)
        .await
        .expect("an answer")
        .expect("a turn");
    wait.as_secs().div_ceil(INTERVAL)
}

#[sqlx::test(migrations = "../migrations")]
async fn everybody_who_asks_at_once_gets_a_turn_of_their_own(pool: PgPool) {
    let (one, other) = (Store::from_pool(pool.clone()), Store::from_pool(pool));
    let waits = (0..20).map(|index| {
        let store = if index % 2 == 0 { &one } else { &other };
        wait(store, "111122223333", Urgency::Background, 1)
    });
    let mut waits = join_all(waits).await;
    waits.sort_unstable();
    assert_eq!(waits, (0..20).collect::<Vec<u64>>());
    assert_eq!(
        wait(&one, "444455556666", Urgency::Background, 1).await,
        0,
        "another account has a pace of its own"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn the_burst_is_for_those_whom_somebody_waits_for(pool: PgPool) {
    let store = Store::from_pool(pool);
    assert_eq!(wait(&store, "1", Urgency::Background, 1).await, 0);
    assert_eq!(wait(&store, "1", Urgency::Asked, 1).await, 0);
    assert_eq!(wait(&store, "1", Urgency::Asked, 1).await, 1);
    assert_eq!(wait(&store, "1", Urgency::Background, 1).await, 3);
    // A reading and the change after it go out together, at a time when both may.
    assert_eq!(wait(&store, "2", Urgency::Background, 2).await, 1);
    assert_eq!(wait(&store, "2", Urgency::Background, 1).await, 2);
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_joins_two_requests_that_go_out_together(pool: PgPool) {
    let store = Store::from_pool(pool);
    // Both go out at the later turn of the two, and so would whoever ran ahead of the next one.
    assert_eq!(wait(&store, "1", Urgency::Background, 2).await, 1);
    assert_eq!(wait(&store, "1", Urgency::Asked, 1).await, 2);
    assert_eq!(wait(&store, "1", Urgency::Asked, 1).await, 3);
    // What was used ahead is not there again while others keep the distance.
    assert_eq!(wait(&store, "2", Urgency::Background, 2).await, 1);
    assert_eq!(wait(&store, "2", Urgency::Background, 1).await, 2);
    assert_eq!(wait(&store, "2", Urgency::Asked, 1).await, 3);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_turn_that_is_too_far_off_is_refused_and_costs_nobody_anything(pool: PgPool) {
    let store = Store::from_pool(pool);
    for _ in 0..3 {
        wait(&store, "1", Urgency::Background, 1).await;
    }
    let impatient = Pace {
        wait_max: Some(Duration::from_secs(15)),
        ..pace(Urgency::Asked)
    };
    let there = place("1");
    let taken = store.pace_take(&there, Quota::Operations, impatient, 1);
    assert_eq!(taken.await.expect("an answer"), None);
    assert_eq!(wait(&store, "1", Urgency::Background, 1).await, 3);
}

#[sqlx::test(migrations = "../migrations")]
async fn after_a_throttle_nobody_asks_there_and_the_pause_grows_while_it_goes_on(pool: PgPool) {
    let (one, other) = (
        Store::from_pool(pool.clone()),
        Store::from_pool(pool.clone()),
    );
    let slow = Pace {
        interval: Duration::from_secs(6),
        tolerance: Duration::ZERO,
        burst: Duration::from_secs(6000),
        wait_max: None,
    };
    let hurried = Pace {
        tolerance: slow.burst,
        ..slow
    };
    let there = place("1");
    let take = async |store: &Store, pace: Pace| {
        let taken = store.pace_take(&there, Quota::Operations, pace, 1);
        taken.await.expect("an answer").expect("a turn")
    };
    let is_paused = async || {
        let paused = other.pace_is_paused(&there, Quota::Operations).await;
        paused.expect("an answer")
    };
    take(&one, slow).await;
    assert!(!is_paused().await);
    let pause = async || {
        let spread = |pause: Duration| pause * 1000;
        let paused = one.pace_pause(&there, Quota::Operations, slow, spread);
        paused.await.expect("a pause")
    };
    let first = pause().await;
    for pace in [slow, hurried] {
        let wait = take(&other, pace).await;
        assert!(wait > Duration::from_secs(300), "{pace:?}: {wait:?}");
    }
    assert!(is_paused().await);
    assert_eq!(pause().await, first, "two who were throttled at once");
    // The pause is over, and the service throttles again.
    let over = "update request_paces set paused_until = clock_timestamp(), pause_micros = 20000000";
    sqlx::query(over).execute(&pool).await.expect("over");
    assert!(!is_paused().await);
    assert_eq!(pause().await, Duration::from_secs(40));
    // One of very many requests is throttled: no reason to stand still for a minute again.
    let long_over = "update request_paces set pause_micros = 60000000,
        paused_until = clock_timestamp() - interval '90 seconds'";
    sqlx::query(long_over).execute(&pool).await.expect("over");
    assert_eq!(pause().await, first);
}

/// A request whose turn was given before somebody else's was throttled.
#[sqlx::test(migrations = "../migrations")]
async fn a_turn_from_before_a_throttle_is_given_up_for_one_after_the_pause(pool: PgPool) {
    let centre = Centre::start(Store::from_pool(pool.clone()), at_rest()).await;
    let connect = instance(&centre).await;
    let taken = "insert into request_paces (account_id, region, quota, next_at)
        values ('111122223333', 'us-east-1', 'operations', clock_timestamp() + interval '2 seconds')";
    sqlx::query(taken).execute(&pool).await.expect("taken");
    let throttled = async {
        let throttle =
            "update request_paces set paused_until = clock_timestamp() + interval '3 seconds'
            where level_at is not null";
        loop {
            let throttled = sqlx::query(throttle).execute(&pool).await;
            if throttled.expect("an answer").rows_affected() > 0 {
                return;
            }
        }
    };
    let (asked, ()) = tokio::join!(connect.agent_routing_profile("ada"), throttled);
    asked.expect_err("there is no such agent");
    let over: bool =
        sqlx::query_scalar("select paused_until <= clock_timestamp() from request_paces")
            .fetch_one(&pool)
            .await
            .expect("an answer");
    assert!(over, "it went out in the pause");
}

async fn instance(centre: &Centre) -> SdkConnectInstance {
    let access = InstanceAccess {
        instance_arn: "arn:aws:connect:us-east-1:111122223333:instance/i1"
            .parse()
            .expect("an ARN"),
        role_arn: "arn:aws:iam::111122223333:role/installer".to_owned(),
        external_id: "external".to_owned(),
    };
    centre
        .aws
        .connect_instance(std::slice::from_ref(&access), Urgency::Background)
        .await
        .expect("a session")
}

#[sqlx::test(migrations = "../migrations")]
async fn without_the_database_no_request_goes_out(_pool: PgPool) {
    let nowhere = Store::connect_lazily("postgres://localhost:1/none").expect("an address");
    let centre = Centre::start(nowhere, at_rest()).await;
    let connect = instance(&centre).await;
    let refused = connect
        .agent_routing_profile("ada")
        .await
        .expect_err("no turn");
    assert_eq!(refused.kind, AwsErrorKind::NotSent);
    assert_eq!(centre.inside().read, Vec::<String>::new());
}

#[sqlx::test(migrations = "../migrations")]
async fn installations_of_one_account_and_region_are_worked_on_one_at_a_time(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let sites = [
        world.site(FakeInstance::default()).await,
        world.site(FakeInstance::default()).await,
        world.site(FakeInstance::default()).await,
    ];
    for site in &sites {
        site.ask(&request(ExistingWhisper::Merge)).await;
    }
    sqlx::query("update instances set region = 'eu-west-2' where id = $1")
        .bind(sites[2].instance.0)
        .execute(&pool)
        .await
        .expect("moved");
    let lease = async || {
        let now = world.clock.now();
        let until = now
            .checked_add(SignedDuration::from_secs(60))
            .expect("a time");
        let token = world.ids.uuid();
        let leased = world.store.installation_lease(token, now, until).await;
        let leased = leased.expect("an answer")?;
        Some((leased.installation.instance, token))
    };
    let first = lease().await.expect("due");
    let other_region = lease().await.expect("due elsewhere");
    assert_eq!(other_region.0, sites[2].instance);
    assert_eq!(lease().await, None);
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    tx.installation_release(first.0, first.1)
        .await
        .expect("given back");
    tx.commit().await.expect("committed");
    assert!(lease().await.is_some());
}

/// Another process's lease that is not committed yet cannot be seen, so it is waited for.
#[sqlx::test(migrations = "../migrations")]
async fn two_leases_at_the_same_moment_are_never_of_one_account_and_region(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let sites = [
        world.site(FakeInstance::default()).await,
        world.site(FakeInstance::default()).await,
    ];
    let now = world.clock.now();
    let until = now
        .checked_add(SignedDuration::from_secs(60))
        .expect("a time");
    let mut asked = world.store.tenant(world.tenant).await.expect("a tenant");
    for site in &sites {
        site.ask(&request(ExistingWhisper::Merge)).await;
        let wish = asked.coverage_ask(site.instance, now).await;
        wish.expect("asked");
    }
    asked.commit().await.expect("committed");
    for (lock, table) in [
        ("installation leases", "installations"),
        ("coverage leases", "coverage_readings"),
    ] {
        // What the other process has done so far: as in a lease, up to its end.
        let mut first = pool.begin().await.expect("a transaction");
        sqlx::query("select pg_advisory_xact_lock(hashtextextended($1, 0))")
            .bind(lock)
            .execute(&mut *first)
            .await
            .expect("alone");
        sqlx::query(AssertSqlSafe(format!(
            "update {table} set lease_token = gen_random_uuid(), lease_expires_at = '2100-01-01'
             where instance_id = (select min(instance_id::text)::uuid from {table})"
        )))
        .execute(&mut *first)
        .await
        .expect("leased");
        let token = world.ids.uuid();
        let second = async {
            if table == "installations" {
                let leased = world.store.installation_lease(token, now, until).await;
                leased.expect("an answer").is_some()
            } else {
                let leased = world.store.coverage_lease(token, now, until).await;
                leased.expect("an answer").is_some()
            }
        };
        let mut second = pin!(second);
        tokio::select! {
            _ = &mut second => panic!("{table}: it did not wait"),
            () = somebody_waits(&pool) => {}
        }
        first.commit().await.expect("committed");
        assert!(!second.await, "{table}");
    }
}

/// Until a transaction waits for another's advisory lock.
async fn somebody_waits(pool: &PgPool) {
    let waits = "select exists (
        select from pg_locks join pg_database d on d.oid = database
        where locktype = 'advisory' and not granted and datname = current_database())";
    loop {
        let waits = sqlx::query_scalar(waits).fetch_one(pool).await;
        if waits.expect("an answer") {
            return;
        }
    }
}
