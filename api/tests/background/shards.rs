//! A limiter function serves a bounded number of instances, also when many are assigned at once.

use std::collections::BTreeMap;

use futures::future::join_all;
use ringfence_api::store::Placement;
use sqlx::PgPool;

use crate::world::{FUNCTION, REGION, World};

#[sqlx::test(migrations = "../migrations")]
async fn no_function_gets_more_than_its_capacity_however_many_ask_at_once(pool: PgPool) {
    let world = World::new(pool).await;
    let second = "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-2";
    let elsewhere = "arn:aws:lambda:eu-west-2:999988887777:function:ringfence-limiter-1";
    let functions = [
        (FUNCTION, REGION),
        (second, REGION),
        (elsewhere, "eu-west-2"),
    ];
    let functions = functions.map(|(arn, region)| (arn.to_owned(), region.to_owned()));
    world.store.shard_sync(&functions).await.expect("shards");
    let mut instances = Vec::new();
    for _ in 0..85 {
        instances.push(world.instance().await.0);
    }
    let assignments = instances.iter().map(|instance| {
        world
            .store
            .shard_assign(world.tenant, *instance, REGION, world.clock.now())
    });
    let mut counts: BTreeMap<Option<String>, usize> = BTreeMap::new();
    for assigned in join_all(assignments).await {
        let function = assigned
            .expect("an answer")
            .map(|placed| placed.function_arn);
        *counts.entry(function).or_default() += 1;
    }
    assert_eq!(
        counts,
        BTreeMap::from([
            (None, 5),
            (Some(FUNCTION.to_owned()), 40),
            (Some(second.to_owned()), 40)
        ])
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn an_assignment_stays_when_its_function_takes_no_more(pool: PgPool) {
    let world = World::new(pool).await;
    let (instance, _) = world.instance().await;
    let now = world.clock.now();
    let first = world
        .store
        .shard_assign(world.tenant, instance, REGION, now)
        .await
        .expect("an answer");
    let function = |placed: Option<Placement>| placed.map(|placed| placed.function_arn);
    assert_eq!(function(first).as_deref(), Some(FUNCTION));
    world.store.shard_sync(&[]).await.expect("shards");
    let again = world
        .store
        .shard_assign(world.tenant, instance, REGION, now)
        .await
        .expect("an answer");
    assert_eq!(function(again).as_deref(), Some(FUNCTION));
    let (another, _) = world.instance().await;
    let none = world
        .store
        .shard_assign(world.tenant, another, REGION, now)
        .await
        .expect("an answer");
    assert_eq!(none, None);
}
