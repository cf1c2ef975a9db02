//! How the database looks for decisions: what it may do with an index is less under row security than without.

use std::fs;
use std::path::Path;

use serde_json::Value;
use sqlx::types::Uuid;
use sqlx::types::time::OffsetDateTime;
use sqlx::{AssertSqlSafe, PgPool};

use super::decisions::{Scene, scene};

const OTHERS: i64 = 20_000;

/// The program's own statement, as it is prepared.
fn list_decisions() -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../.sqlx");
    let files = fs::read_dir(folder).expect("the folder .sqlx");
    let texts = files.map(|file| fs::read_to_string(file.expect("an entry").path()).expect("text"));
    let prepared = texts.map(|text| serde_json::from_str::<Value>(&text).expect("JSON"));
    let statements = prepared.map(|prepared| prepared["query"].as_str().expect("SQL").to_owned());
    let mut lists = statements.filter(|statement| {
        statement.contains("from decisions d") && statement.contains("order by d.at desc")
    });
    let statement = lists.next().expect("the list of decisions");
    assert!(lists.next().is_none(), "more than one");
    statement
}

#[sqlx::test(migrations = "../migrations")]
async fn a_tenants_search_by_number_caller_id_agent_or_queue_goes_by_its_index(pool: PgPool) {
    let Scene { cast, .. } = scene(pool.clone(), 5).await;
    let tenant: ringfence_api::domain::ids::TenantId = cast.id.parse().expect("a tenant's id");
    let mut tx = pool.begin().await.expect("a transaction");
    sqlx::raw_sql("set local role ringfence_system")
        .execute(&mut *tx)
        .await
        .expect("the role");
    sqlx::query(
        "insert into decisions (tenant_id, id, instance_id, contact_id, at, outcome, record)
         select d.tenant_id, gen_random_uuid(), d.instance_id, 'other-' || n, d.at - n * interval '1 second', 'allowed',
             d.record || jsonb_build_object('customer_number', 'c' || n % 5000, 'caller_id', 'i' || n % 5000,
                 'agent_arn', 'a' || n % 5000, 'queue_arn', 'q' || n % 5000)
         from (select * from decisions limit 1) d, generate_series(1, $1::bigint) n",
    )
    .bind(OTHERS)
    .execute(&mut *tx)
    .await
    .expect("stored");
    tx.commit().await.expect("committed");
    sqlx::raw_sql("analyze decisions")
        .execute(&pool)
        .await
        .expect("analysed");

    let mut tx = pool.begin().await.expect("a transaction");
    sqlx::query("select set_config('role', 'ringfence_tenant', true), set_config('app.tenant_id', $1, true)")
        .bind(tenant.0.to_string())
        .execute(&mut *tx)
        .await
        .expect("the role");
    let explain = format!("explain (format json) {}", list_decisions());
    for (place, (value, index)) in [
        ("c7", "decisions_newest_of_customer"),
        ("i7", "decisions_newest_of_caller_id"),
        ("a7", "decisions_newest_of_agent"),
        ("q7", "decisions_newest_of_queue"),
    ]
    .into_iter()
    .enumerate()
    {
        let asked = |column: usize| (column == place).then_some(value);
        let plan: Value = sqlx::query_scalar(AssertSqlSafe(explain.clone()))
            .bind(tenant.0)
            .bind(None::<Uuid>)
            .bind(None::<String>)
            .bind(None::<String>)
            .bind(None::<OffsetDateTime>)
            .bind(None::<Uuid>)
            .bind(None::<OffsetDateTime>)
            .bind(None::<OffsetDateTime>)
            .bind(asked(0))
            .bind(asked(1))
            .bind(asked(2))
            .bind(asked(3))
            .bind(51_i64)
            .fetch_one(&mut *tx)
            .await
            .expect("a plan");
        let scan = of_decisions(&plan).unwrap_or_else(|| panic!("no scan: {plan}"));
        assert_eq!(scan["Index Name"], index, "{plan}");
        let condition = scan["Index Cond"].as_str().unwrap_or_default();
        assert!(condition.contains(value), "{plan}");
    }
}

/// The part of a plan that reads `decisions`, or the index of a bitmap that leads there.
fn of_decisions(plan: &Value) -> Option<&Value> {
    let is_index = plan["Index Name"]
        .as_str()
        .is_some_and(|name| name.starts_with("decisions_"));
    let is_table = plan["Relation Name"] == "decisions" && plan["Node Type"] == "Seq Scan";
    if is_index || is_table {
        return Some(plan);
    }
    match plan {
        Value::Array(parts) => parts.iter().find_map(of_decisions),
        Value::Object(parts) => parts.values().find_map(of_decisions),
        _ => None,
    }
}
