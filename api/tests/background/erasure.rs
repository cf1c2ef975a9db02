//! A deleted tenant is erased, whoever does it and however often it is interrupted.

use ringfence_api::background::erasure::Eraser;
use ringfence_api::background::{Found, WakeUps};
use ringfence_api::domain::ids::TenantId;
use ringfence_api::domain::installation::ExistingWhisper;
use ringfence_api::domain::tenant::TenantStatus;
use sqlx::PgPool;

use crate::fake::FakeInstance;
use crate::world::{World, request};

/// One row in as many tables as can be filled without the programs that usually do it.
const ROWS: &str = "
    insert into number_lists select id, 7 from tenants;
    insert into listed_numbers (tenant_id, id, list, number, reason, created_at, created_by, revision)
        select id, gen_random_uuid(), 'block', '+12065550100', 'asked', created_at, 'test', 7 from tenants;
    insert into number_publications (tenant_id, region, published, attempts, next_due_at)
        select id, 'us-east-1', 7, 0, created_at from tenants;
    insert into api_keys (tenant_id, id, name, role, prefix, secret_sha256, created_at)
        select id, gen_random_uuid(), 'key', 'owner', 'rf_live_', 'x', created_at from tenants;
    insert into decisions (tenant_id, id, instance_id, contact_id, at, outcome, record)
        select i.tenant_id, gen_random_uuid(), i.id, n::text, i.created_at, 'allowed', '{}'
        from instances i, generate_series(1, 2500) n;
    insert into usage_decisions select id, '2026-01-01', 'allowed', 2500 from tenants;
    insert into webhook_endpoints (tenant_id, id, url, description, events, customer_numbers, state, secret, created_at,
            failures, next_turn_at)
        select id, gen_random_uuid(), 'https://x/', '', '{call.denied}', 'masked', 'enabled', 'x', created_at, 0,
            created_at from tenants;
    insert into webhook_events select id, gen_random_uuid(), 'call.denied', 'it', created_at, '{}' from tenants;
    insert into webhook_deliveries (tenant_id, endpoint_id, event_id, state, attempts, tries, next_due_at)
        select e.tenant_id, e.id, v.id, 'waiting', 0, 0, e.created_at from webhook_endpoints e, webhook_events v;
    insert into tenant_quotas select id, 'webhooks', 1 from tenants;";

async fn rows_left(pool: &PgPool) -> Vec<(String, i64)> {
    let tables: Vec<String> = sqlx::query_scalar(
        "select table_name::text from information_schema.columns
         where table_schema = 'public' and column_name = 'tenant_id' order by 1",
    )
    .fetch_all(pool)
    .await
    .expect("tables");
    let mut left = Vec::new();
    for table in tables {
        let count = format!("select count(*) from {table} where tenant_id is not null");
        let count: i64 = sqlx::query_scalar(sqlx::AssertSqlSafe(count))
            .fetch_one(pool)
            .await
            .expect("a count");
        if count > 0 {
            left.push((table, count));
        }
    }
    left
}

fn eraser(world: &World) -> Eraser {
    Eraser {
        store: world.store.clone(),
        clock: world.clock.clone(),
        ids: world.ids.clone(),
        wake_ups: WakeUps::default(),
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn of_a_deleted_tenant_only_its_audit_log_and_its_usage_stay(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    world.instance().await;
    sqlx::raw_sql(ROWS).execute(&pool).await.expect("rows");
    assert_eq!(
        eraser(&world).look().await.expect("a look"),
        Found::Nothing,
        "nobody deleted it"
    );
    let mut tx = world.store.tenant(world.tenant).await.expect("a tx");
    let mut tenant = tx.tenant_lock().await.expect("read").expect("a tenant");
    tenant.status = TenantStatus::Deleting;
    tx.tenant_update(&tenant).await.expect("deleted");
    tx.commit().await.expect("committed");

    // Its number is taken off first, and limiters have to hear of that.
    assert_eq!(eraser(&world).look().await.expect("a look"), Found::Work);
    assert_eq!(eraser(&world).look().await.expect("a look"), Found::Nothing);
    assert!(
        rows_left(&pool)
            .await
            .iter()
            .any(|(table, _)| table == "decisions")
    );
    sqlx::query("update number_publications p set published = l.revision from number_lists l")
        .execute(&pool)
        .await
        .expect("published");
    let mut looks = 0;
    // A new one each time, as if the last had been killed.
    while eraser(&world).look().await.expect("a look") == Found::Work {
        looks += 1;
        assert!(looks < 100, "never done");
    }
    assert!(looks > 3, "bit by bit: {looks}");
    assert_eq!(
        rows_left(&pool).await,
        [
            ("audit_log".to_owned(), 1),
            ("usage_decisions".to_owned(), 1)
        ]
    );
    let (name, status): (String, String) = sqlx::query_as("select name, status from tenants")
        .fetch_one(&pool)
        .await
        .expect("the tenant");
    assert_eq!((name.as_str(), status.as_str()), ("(deleted)", "deleted"));
}

/// Whatever row is there: its queues would stay with us for ever.
#[sqlx::test(migrations = "../migrations")]
async fn nothing_is_installed_for_a_tenant_that_is_being_deleted_but_things_are_taken_away(
    pool: PgPool,
) {
    let world = World::new(pool.clone()).await;
    let site = world.site(FakeInstance::with_queues(&[("q1", None)])).await;
    site.ask(&request(ExistingWhisper::Merge)).await;
    site.is_due().await;
    sqlx::query("update tenants set status = 'deleting'")
        .execute(&pool)
        .await
        .expect("deleting");
    assert_eq!(world.worker().look().await.expect("a look"), Found::Nothing);
    site.ask_removal().await;
    site.is_due().await;
    assert_eq!(world.worker().look().await.expect("a look"), Found::Work);
}

async fn status_of(pool: &PgPool, tenant: TenantId) -> String {
    sqlx::query_scalar("select status from tenants where id = $1")
        .bind(tenant.0)
        .fetch_one(pool)
        .await
        .expect("a tenant")
}

async fn deleted(world: &World, tenant: TenantId) {
    let mut tx = world.store.tenant(tenant).await.expect("a tx");
    let mut row = tx.tenant_lock().await.expect("read").expect("a tenant");
    row.status = TenantStatus::Deleting;
    tx.tenant_update(&row).await.expect("deleted");
    tx.commit().await.expect("committed");
}

#[sqlx::test(migrations = "../migrations")]
async fn a_tenant_that_cannot_be_erased_keeps_no_other_one_from_it(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    // Ids follow each other in time, so the first one is looked at first.
    let other = TenantId(world.ids.uuid());
    sqlx::query(
        "insert into tenants (id, name, home_region, status, created_at) select $1, 'Other', home_region, status, created_at
         from tenants",
    )
    .bind(other.0)
    .execute(&pool)
    .await
    .expect("another tenant");
    deleted(&world, world.tenant).await;
    let refused = format!(
        "alter table tenants add constraint not_this_one check (id <> '{}' or status = 'deleting')",
        world.tenant.0
    );
    sqlx::query(sqlx::AssertSqlSafe(refused))
        .execute(&pool)
        .await
        .expect("a constraint");
    let fails = async || eraser(&world).look().await.is_err();
    while !fails().await {}
    deleted(&world, other).await;
    let mut looks = 0;
    while status_of(&pool, other).await != "deleted" {
        assert!(fails().await && looks < 20);
        looks += 1;
    }
    assert_eq!(status_of(&pool, world.tenant).await, "deleting");
}
