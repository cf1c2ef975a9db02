//! What keeps the database busy for long leaves room for the rest, also where one tenant asks for all of it at once.

use sqlx::PgPool;

use crate::harness::World;

/// More than there are of any kind.
const MANY: usize = 16;

#[sqlx::test(migrations = "../migrations")]
async fn searches_take_turns_and_what_is_at_hand_is_answered_meanwhile(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let searches = [
        "/v1/audit-log?actor=nobody",
        "/v1/audit-log?action=none",
        "/v1/audit-log?target=nothing",
        "/v1/decisions?outcome=denied&rule_id=none",
        "/v1/decisions?customer_number=%2B12065550100",
        "/v1/decisions/export?queue_arn=none",
    ];
    for path in searches {
        world.get(path, &cast.owner).await.ok(200);
    }
    let mut held = Vec::new();
    while held.len() < MANY
        && let Ok(turn) = world.turns().search().await
    {
        held.push(turn);
    }
    for path in searches {
        let refused = world
            .get(path, &cast.owner)
            .await
            .problem(503, "service_unavailable");
        assert_eq!(refused.header("retry-after"), "5");
    }
    let operators = "/v1/operator/audit-log?actor=nobody";
    world
        .get(operators, &world.operator)
        .await
        .problem(503, "service_unavailable");
    for path in [
        "/v1/audit-log",
        "/v1/decisions",
        "/v1/decisions/export",
        "/v1/decisions?from=2026-11-25T11:00:00Z",
    ] {
        world.get(path, &cast.owner).await.ok(200);
    }
    held.clear();
    world.get(searches[0], &cast.owner).await.ok(200);
}

#[sqlx::test(migrations = "../migrations")]
async fn verifying_a_log_takes_a_turn(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let mut held = Vec::new();
    while held.len() < MANY
        && let Ok(turn) = world.turns().verify().await
    {
        held.push(turn);
    }
    let (own, operators) = ("/v1/audit-log/verify", "/v1/operator/audit-log/verify");
    world
        .get(own, &cast.owner)
        .await
        .problem(503, "service_unavailable");
    world
        .get(operators, &world.operator)
        .await
        .problem(503, "service_unavailable");
    world
        .get("/v1/audit-log?actor=nobody", &cast.owner)
        .await
        .ok(200);
    held.clear();
    world.get(own, &cast.owner).await.ok(200);
    world.get(operators, &world.operator).await.ok(200);
}
