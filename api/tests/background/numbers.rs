//! What limiters find about a number is what the lists say, in every region, whatever happens in between.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::{SignedDuration, Timestamp};
use ringfence_api::app::list_numbers::Listing;
use ringfence_api::background::Found;
use ringfence_api::background::numbers::NumberPublisher;
use ringfence_api::domain::listed_number::{List, WantedNumber};
use ringfence_api::domain::phone::PhoneNumber;
use serde_json::Value;
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::dynamo::{Dynamo, POLICIES};
use crate::world::{REGION, World};

const OTHER_REGION: &str = "eu-west-2";
const CHECK_PERIOD: SignedDuration = SignedDuration::from_secs(600);

fn publisher(world: &World, dynamo: &Dynamo) -> NumberPublisher {
    NumberPublisher {
        store: world.store.clone(),
        aws: Arc::clone(&dynamo.aws),
        clock: world.clock.clone(),
        ids: world.ids.clone(),
        check_period: CHECK_PERIOD,
        stop: CancellationToken::new(),
    }
}

fn number(last: u32) -> PhoneNumber {
    PhoneNumber::read(&format!("+1206555{last:04}")).expect("a number")
}

async fn list(world: &World, list: List, numbers: &[u32], expires_at: Option<Timestamp>) {
    let wanted: Vec<WantedNumber> = numbers
        .iter()
        .map(|last| WantedNumber {
            number: number(*last),
            reason: "asked".to_owned(),
            expires_at,
        })
        .collect();
    let listing = Listing {
        list,
        ids: &world.ids,
        now: world.clock.now(),
        by: "test",
    };
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    let change = listing.plan(&mut tx, &wanted).await.expect("a plan");
    assert!(change.in_other_list.is_empty());
    listing
        .carry_out(&mut tx, &wanted, &change)
        .await
        .expect("listed");
    tx.commit().await.expect("committed");
}

async fn block(world: &World, numbers: &[u32]) {
    list(world, List::Block, numbers, None).await;
}

async fn remove(world: &World, last: u32) {
    let mut tx = world
        .store
        .tenant(world.tenant)
        .await
        .expect("a transaction");
    tx.listed_numbers_lock(world.clock.now())
        .await
        .expect("locked");
    let standing = tx
        .listed_numbers_of(&[&number(last)])
        .await
        .expect("entries");
    let ids: Vec<_> = standing.iter().map(|entry| entry.id).collect();
    tx.listed_numbers_remove(&ids, world.clock.now())
        .await
        .expect("removed");
    tx.commit().await.expect("committed");
}

async fn settle(publisher: &NumberPublisher) {
    for _ in 0..50 {
        if publisher.look().await.expect("a look") == Found::Nothing {
            return;
        }
    }
    panic!("there is always something to do");
}

/// The last digits of what limiters find, with the list.
async fn found(world: &World, dynamo: &Dynamo) -> BTreeMap<u32, String> {
    let prefix = format!("number|{}|+1206555", world.tenant);
    let mut found = BTreeMap::new();
    for (pk, item) in dynamo.items(POLICIES).await {
        let Some(last) = pk.strip_prefix(&prefix) else {
            continue;
        };
        let entry: Value =
            serde_json::from_str(item["entry"].as_s().expect("a text")).expect("JSON");
        assert_eq!(entry["number"], format!("+1206555{last}"));
        let list = entry["list"].as_str().expect("a list").to_owned();
        found.insert(last.parse().expect("digits"), list);
    }
    found
}

fn told(pairs: &[(u32, &str)]) -> BTreeMap<u32, String> {
    pairs
        .iter()
        .map(|(last, list)| (*last, (*list).to_owned()))
        .collect()
}

#[sqlx::test(migrations = "../migrations")]
async fn limiters_find_what_is_listed_and_what_was_taken_off(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    settle(&publisher).await;
    block(&world, &[1, 2]).await;
    let expiry = world.clock.now() + SignedDuration::from_hours(1);
    list(&world, List::Exemption, &[3], Some(expiry)).await;
    settle(&publisher).await;
    assert_eq!(
        found(&world, &dynamo).await,
        told(&[(1, "block"), (2, "block"), (3, "exemption")])
    );
    let items = dynamo.items(POLICIES).await;
    let item = |last: u32| &items[&format!("number|{}|+1206555{last:04}", world.tenant)];
    assert!(!item(1).contains_key("ttl"), "stays until it is removed");
    let ttl: i64 = item(3)["ttl"]
        .as_n()
        .expect("a number")
        .parse()
        .expect("seconds");
    assert!(ttl > expiry.as_second());
    assert!(
        item(3)["entry"]
            .as_s()
            .expect("a text")
            .contains(&expiry.to_string())
    );

    remove(&world, 1).await;
    settle(&publisher).await;
    assert_eq!(
        found(&world, &dynamo).await,
        told(&[(1, "none"), (2, "block"), (3, "exemption")])
    );
    let items = dynamo.items(POLICIES).await;
    let item = &items[&format!("number|{}|+12065550001", world.tenant)];
    assert!(
        item.contains_key("ttl"),
        "a removal need not be known for ever"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_number_that_moves_to_the_other_list_is_told_as_that(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    block(&world, &[1]).await;
    settle(&publisher).await;
    remove(&world, 1).await;
    list(&world, List::Exemption, &[1], None).await;
    settle(&publisher).await;
    assert_eq!(found(&world, &dynamo).await, told(&[(1, "exemption")]));
}

#[sqlx::test(migrations = "../migrations")]
async fn an_older_state_never_replaces_a_newer_one(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    block(&world, &[1]).await;
    settle(&publisher).await;
    let before = found(&world, &dynamo).await;
    // As a process writes it that was held up since before the first entry.
    sqlx::query("update listed_numbers set list = 'exemption', revision = revision - 1")
        .execute(&pool)
        .await
        .expect("changed");
    sqlx::query("update number_publications set published = 0")
        .execute(&pool)
        .await
        .expect("changed");
    settle(&publisher).await;
    assert_eq!(found(&world, &dynamo).await, before);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_crash_between_writing_and_noting_it_loses_nothing(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    block(&world, &[1, 2, 3]).await;
    settle(&publisher).await;
    // The table was written and marked, the position was not moved, and the lease is still held.
    let token = world.ids.uuid();
    sqlx::query(
        "update number_publications set published = 0, lease_token = $1, lease_expires_at = '2026-01-01T00:02:00Z'",
    )
    .bind(token)
    .execute(&pool)
    .await
    .expect("changed");
    block(&world, &[4]).await;
    assert_eq!(
        publisher.look().await.expect("a look"),
        Found::Nothing,
        "leased"
    );
    assert!(!found(&world, &dynamo).await.contains_key(&4));
    world
        .clock
        .set(world.clock.now() + SignedDuration::from_secs(120));
    settle(&publisher).await;
    let all = [(1, "block"), (2, "block"), (3, "block"), (4, "block")];
    assert_eq!(found(&world, &dynamo).await, told(&all));
}

#[sqlx::test(migrations = "../migrations")]
async fn two_publishers_at_once_and_changes_meanwhile_end_at_what_is_listed(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let (one, two) = (publisher(&world, &dynamo), publisher(&world, &dynamo));
    for round in 0..10 {
        let first = round * 10;
        block(&world, &[first, first + 1, first + 2]).await;
        let ((), first_look, second_look) =
            tokio::join!(remove(&world, first), one.look(), two.look());
        first_look.expect("a look");
        second_look.expect("a look");
    }
    settle(&one).await;
    let found = found(&world, &dynamo).await;
    assert_eq!(found.len(), 30);
    for (last, list) in found {
        assert_eq!(
            list,
            if last % 10 == 0 { "none" } else { "block" },
            "{last}"
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn many_numbers_go_out_in_batches_and_a_stop_leaves_the_rest_for_later(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    let many: Vec<u32> = (0..1_700).collect();
    block(&world, &many).await;
    publisher.stop.cancel();
    publisher.look().await.expect("wanted");
    publisher.look().await.expect("a look");
    let after_stop = found(&world, &dynamo).await.len();
    assert_eq!(after_stop, 500, "the batch in hand was finished");
    settle(&publisher).await;
    assert_eq!(found(&world, &dynamo).await.len(), 1_700);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_new_region_gets_every_number(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    block(&world, &[1]).await;
    settle(&publisher).await;
    // Both regions' tables are one here; what was written before is taken away to see it come again.
    dynamo.clear(POLICIES).await;
    let functions = [REGION, OTHER_REGION].map(|region| {
        let arn = format!("arn:aws:lambda:{region}:999988887777:function:ringfence-limiter-1");
        (arn, region.to_owned())
    });
    world.store.shard_sync(&functions).await.expect("shards");
    settle(&publisher).await;
    assert_eq!(found(&world, &dynamo).await, told(&[(1, "block")]));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_table_that_was_set_back_is_noticed_without_any_change(pool: PgPool) {
    let (world, dynamo) = (World::new(pool).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    block(&world, &[1]).await;
    settle(&publisher).await;
    let back_then = dynamo.items(POLICIES).await;
    block(&world, &[2]).await;
    remove(&world, 1).await;
    settle(&publisher).await;
    let as_it_was = found(&world, &dynamo).await;
    dynamo.clear(POLICIES).await;
    for item in back_then.into_values() {
        dynamo.put(POLICIES, item).await;
    }
    settle(&publisher).await;
    assert_eq!(
        found(&world, &dynamo).await,
        told(&[(1, "block")]),
        "nobody looked"
    );
    world.clock.set(world.clock.now() + CHECK_PERIOD);
    settle(&publisher).await;
    assert_eq!(found(&world, &dynamo).await, as_it_was);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_database_that_was_set_back_goes_above_what_limiters_have(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    block(&world, &[1, 2]).await;
    settle(&publisher).await;
    let execute = async |statement: &'static str| {
        sqlx::query(statement).execute(&pool).await.expect("done");
    };
    execute("create table kept as select * from listed_numbers").await;
    execute("create table head as select * from number_lists").await;
    remove(&world, 1).await;
    settle(&publisher).await;
    execute("delete from listed_numbers").await;
    execute("insert into listed_numbers select * from kept").await;
    execute("update number_lists set revision = head.revision from head").await;
    execute("update number_publications set published = head.revision from head").await;
    world.clock.set(world.clock.now() + CHECK_PERIOD);
    settle(&publisher).await;
    assert_eq!(
        found(&world, &dynamo).await,
        told(&[(1, "block"), (2, "block")]),
        "what the database says counts"
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_table_that_cannot_be_written_is_tried_again_and_shown(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    dynamo.drop_table(POLICIES).await;
    block(&world, &[1]).await;
    settle(&publisher).await;
    let (attempts, error): (i32, Option<String>) =
        sqlx::query_as("select attempts, error from number_publications")
            .fetch_one(&pool)
            .await
            .expect("a row");
    assert_eq!(attempts, 1);
    assert!(error.is_some_and(|error| error.contains("dynamodb:") && !error.contains("+1206")));
    dynamo.create(POLICIES).await;
    world
        .clock
        .set(world.clock.now() + SignedDuration::from_secs(10));
    settle(&publisher).await;
    assert_eq!(found(&world, &dynamo).await, told(&[(1, "block")]));
}

#[sqlx::test(migrations = "../migrations")]
async fn entries_long_gone_are_forgotten_once_every_limiter_knows(pool: PgPool) {
    let (world, dynamo) = (World::new(pool.clone()).await, Dynamo::start().await);
    let publisher = publisher(&world, &dynamo);
    let soon = world.clock.now() + SignedDuration::from_hours(1);
    list(&world, List::Block, &[1], Some(soon)).await;
    block(&world, &[2, 3]).await;
    remove(&world, 2).await;
    settle(&publisher).await;
    let count = async || -> i64 {
        sqlx::query_scalar("select count(*) from listed_numbers")
            .fetch_one(&pool)
            .await
            .expect("a count")
    };
    world
        .clock
        .set(world.clock.now() + SignedDuration::from_hours(36 * 24));
    settle(&publisher).await;
    assert_eq!(count().await, 3, "a table may be set back by 35 days");
    world
        .clock
        .set(world.clock.now() + SignedDuration::from_hours(5 * 24));
    settle(&publisher).await;
    assert_eq!(count().await, 1);
}
