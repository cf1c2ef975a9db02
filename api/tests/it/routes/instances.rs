//! Instances: registering, onboarding, deleting. Verification itself is tested with the simulator.

use ringfence_api::domain::ids::InstanceId;
use serde_json::json;
use sqlx::PgPool;

use crate::harness::{ARN, World};

#[sqlx::test(migrations = "../migrations")]
async fn registering_tells_how_to_deploy_the_stack(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let made = world
        .post(
            "/v1/instances",
            &cast.admin,
            json!({ "instance_arn": ARN, "name": "Sales" }),
        )
        .await
        .ok(201);
    assert_eq!(made.body["status"], "pending_verification");
    assert_eq!(made.body["installation_state"], "uninstalled");
    assert_eq!(made.body["region"], "us-east-1");
    assert_eq!(made.body["account_id"], "111122223333");
    assert_eq!(made.body["policy"]["source"], "none");
    let connection = made.text("/connection/id");
    assert_eq!(
        made.text("/connection/installer_role_arn"),
        format!("arn:aws:iam::111122223333:role/ringfence-installer-{connection}")
    );
    let external_id = made.text("/onboarding/external_id");
    assert_eq!(
        made.body["onboarding"]["stack_parameters"],
        json!({
            "ConnectionId": connection,
            "ExternalId": external_id,
            "ControlPlanePrincipal": "arn:aws:iam::999988887777:role/ringfence-control-plane",
            "LimiterPrincipal": "arn:aws:iam::999988887777:role/ringfence-limiter",
        })
    );
    assert_eq!(
        made.text("/onboarding/template_url"),
        "https://ringfence.example/templates/customer.yaml"
    );
    for form in ["quick_create_url", "cli_command", "terraform"] {
        let text = made.text(&format!("/onboarding/{form}"));
        assert!(
            text.contains(&external_id) && text.contains(&connection),
            "{form}: {text}"
        );
    }
    let fallback = &made.body["onboarding"]["fallback"];
    assert_eq!(
        fallback["function_name"],
        format!("ringfence-fallback-{connection}")
    );
    assert_eq!(
        fallback["template_url"],
        "https://ringfence.example/templates/customer-fallback.yaml"
    );
    for form in ["quick_create_url", "cli_command"] {
        let text = fallback[form].as_str().expect("a text");
        assert!(
            text.contains(&connection) && !text.contains(&external_id),
            "{form}: {text}"
        );
    }
    let path = format!("/v1/instances/{}", made.text("/id"));
    assert_eq!(world.get(&path, &cast.admin).await.ok(200).body, made.body);
}

#[sqlx::test(migrations = "../migrations")]
async fn the_external_id_is_shown_to_those_only_who_manage_instances(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let made = world
        .post("/v1/instances", &cast.admin, json!({ "instance_arn": ARN }))
        .await
        .ok(201);
    let external_id = made.text("/onboarding/external_id");
    let path = format!("/v1/instances/{}", made.text("/id"));
    for key in [&cast.viewer, &cast.editor] {
        assert!(
            !world
                .get(&path, key)
                .await
                .ok(200)
                .text
                .contains(&external_id)
        );
    }
    assert!(
        !world
            .get("/v1/instances", &cast.owner)
            .await
            .ok(200)
            .text
            .contains(&external_id)
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn instances_of_one_account_share_a_connection_and_tenants_never_do(pool: PgPool) {
    let world = World::new(pool).await;
    let (one, other) = (world.tenant("One").await, world.tenant("Other").await);
    let second = ARN.replace("us-east-1", "eu-west-2");
    let register = async |key: &str, arn: &str| {
        let made = world
            .post("/v1/instances", key, json!({ "instance_arn": arn }))
            .await
            .ok(201);
        (
            made.text("/connection/id"),
            made.text("/onboarding/external_id"),
        )
    };
    let first = register(&one.owner, ARN).await;
    assert_eq!(register(&one.owner, &second).await, first);
    let others = register(&other.owner, ARN).await;
    assert_ne!(others.0, first.0);
    assert_ne!(others.1, first.1);
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_is_registered_once_per_tenant_and_an_unproved_claim_blocks_nobody(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let (one, other) = (world.tenant("One").await, world.tenant("Other").await);
    let id = world.instance(&one.owner, ARN).await;
    let body = json!({ "instance_arn": ARN });
    world
        .post("/v1/instances", &one.owner, body.clone())
        .await
        .problem(409, "instance_registered");
    world.mark_verified(&one, &id).await;
    // Whether it is another's is told to who proves it, which only AWS can say: here it does not answer.
    let others = world.instance(&other.owner, ARN).await;
    let verify = format!("/v1/instances/{others}/verify");
    world
        .post(&verify, &other.owner, json!({}))
        .await
        .problem(502, "aws_unavailable");
}

#[sqlx::test(migrations = "../migrations")]
async fn an_arn_that_cannot_be_served_is_refused_with_the_reason(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    for (arn, code, said) in [
        (
            ARN.replace("us-east-1", "ap-southeast-2"),
            "not_supported",
            "us-east-1, eu-west-2",
        ),
        (ARN.replace("aws:", "aws-cn:"), "invalid", "partition"),
        (ARN.replace(":connect:", ":lambda:"), "invalid", "lambda"),
        (format!("{ARN}/queue/x"), "invalid", "instance itself"),
        (
            ARN.replace("111122223333", "1111"),
            "invalid",
            "arn:aws:connect",
        ),
        (
            "arn:aws:connect:us-east-1:111122223333:instance/sales".to_owned(),
            "invalid",
            "id of an instance",
        ),
        ("nonsense".to_owned(), "invalid", "arn:aws:connect"),
    ] {
        let answer = world
            .post("/v1/instances", &cast.owner, json!({ "instance_arn": arn }))
            .await;
        let answer = answer.problem(422, "validation_failed");
        assert_eq!(answer.pointers(), ["/instance_arn"], "{arn}");
        assert_eq!(answer.body["errors"][0]["code"], code, "{arn}");
        assert!(
            answer.text("/errors/0/detail").contains(said),
            "{arn}: {}",
            answer.text
        );
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_is_deleted_only_when_nothing_is_installed(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &id).await;
    let path = format!("/v1/instances/{id}");
    let policy = format!("{path}/policy");
    world
        .put(&policy, &cast.owner, json!({ "rules": [] }))
        .await
        .ok(200);
    let installation = format!("{path}/installation");
    world
        .put(&installation, &cast.owner, json!({ "queues": "all" }))
        .await
        .ok(202);
    world
        .delete(&path, &cast.owner)
        .await
        .problem(409, "installation_exists");
    world.delete(&installation, &cast.owner).await.ok(202);
    world
        .delete(&path, &cast.owner)
        .await
        .problem(409, "installation_exists");

    let other = world
        .instance(&cast.owner, &ARN.replace("5f1d", "5f1e"))
        .await;
    let other = format!("/v1/instances/{other}");
    world
        .put(
            &format!("{other}/policy"),
            &cast.owner,
            json!({ "rules": [] }),
        )
        .await
        .ok(200);
    world.delete(&other, &cast.owner).await.ok(204);
    world
        .get(&other, &cast.owner)
        .await
        .problem(404, "not_found");
    world.get(&path, &cast.owner).await.ok(200);
}

/// More of them than go at once.
const HISTORY: &str = "
    insert into decisions (tenant_id, id, instance_id, contact_id, at, outcome, record)
    select tenant_id, gen_random_uuid(), id, 'contact-' || n, timestamptz '2026-11-01' + n * interval '1 second', 'allowed', '{}'
    from instances, generate_series(1, 20001) n";

async fn decisions_of(pool: &PgPool, id: &str) -> i64 {
    let id: InstanceId = id.parse().expect("an id");
    sqlx::query_scalar("select count(*) from decisions where instance_id = $1")
        .bind(id.0)
        .fetch_one(pool)
        .await
        .expect("a count")
}

#[sqlx::test(migrations = "../migrations")]
async fn an_instance_is_deleted_however_many_decisions_it_has_and_a_repeat_goes_on_where_it_ended(
    pool: PgPool,
) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    let other = ARN.replace("5f1d", "5f1e");
    let other = world.instance(&cast.owner, &other).await;
    let statement = async |statement: &'static str| {
        sqlx::query(statement)
            .execute(&pool)
            .await
            .expect(statement);
    };
    statement(HISTORY).await;
    let path = format!("/v1/instances/{id}");
    // The last step fails, as where the request runs out of time.
    statement(
        "alter table audit_log add constraint no_end check (action <> 'instance.delete') not valid",
    )
    .await;
    world
        .delete(&path, &cast.owner)
        .await
        .problem(500, "internal");
    assert_eq!(decisions_of(&pool, &id).await, 1);
    world.get(&path, &cast.owner).await.ok(200);
    statement("alter table audit_log drop constraint no_end").await;
    world.delete(&path, &cast.owner).await.ok(204);
    world
        .get(&path, &cast.owner)
        .await
        .problem(404, "not_found");
    assert_eq!(decisions_of(&pool, &id).await, 0);
    assert_eq!(decisions_of(&pool, &other).await, 20_001);
    let log = format!("/v1/audit-log?target={id}");
    let log = world.get(&log, &cast.owner).await.ok(200);
    let rows = log.body["data"].as_array().cloned().expect("a list");
    let actions: Vec<&str> = rows
        .iter()
        .filter_map(|row| row["action"].as_str())
        .filter(|action| action.starts_with("instance.delete"))
        .collect();
    assert_eq!(actions, ["instance.delete", "instance.delete_decisions"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn verifying_names_a_role_that_cannot_be_the_account_s_and_says_when_aws_is_away(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let id = world.instance(&cast.owner, ARN).await;
    let path = format!("/v1/instances/{id}/verify");
    let body = json!({ "installer_role_arn": "arn:aws:iam::444455556666:role/x" });
    let answer = world
        .post(&path, &cast.owner, body)
        .await
        .problem(422, "validation_failed");
    assert_eq!(answer.pointers(), ["/installer_role_arn"]);
    let queues = format!("/v1/instances/{id}/queues");
    world
        .get(&queues, &cast.viewer)
        .await
        .problem(409, "instance_not_verified");
}
