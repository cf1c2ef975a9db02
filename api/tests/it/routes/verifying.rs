//! Verifying against an account that answers: what a role is refused is named, and roles that another instance needs stay.

use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::to_bytes;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;
use sqlx::PgPool;
use tokio::net::TcpListener;

use crate::harness::{ARN, Cast, World};
use crate::scene::arn;

/// What the account refuses: the beginning of a role's name, and a part of the request.
type Denied = Arc<Mutex<Vec<(String, String)>>>;

#[derive(Clone)]
struct Account {
    external_id: String,
    denied: Denied,
    pool: PgPool,
    /// How often the connection is changed while somebody looks at the instance.
    overtakes: Arc<AtomicU32>,
}

impl Account {
    /// Whoever has the connection's external id is let in, and may do all that is not denied. There is nothing but instances.
    async fn open(pool: &PgPool) -> (String, Denied) {
        Self::open_overtaking(pool, 0).await
    }

    async fn open_overtaking(pool: &PgPool, times: u32) -> (String, Denied) {
        let external_id = sqlx::query_scalar("select external_id from connections")
            .fetch_one(pool)
            .await
            .expect("one connection");
        let denied = Denied::default();
        let account = Self {
            external_id,
            denied: Arc::clone(&denied),
            pool: pool.clone(),
            overtakes: Arc::new(AtomicU32::new(times)),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let endpoint = format!("http://{}", listener.local_addr().expect("an address"));
        let router = Router::new().fallback(answer).with_state(account);
        tokio::spawn(async move { axum::serve(listener, router).await });
        (endpoint, denied)
    }

    fn assume(&self, form: &str) -> Response {
        let field = |name: &str| {
            let mut fields = form.split('&').filter_map(|field| field.split_once('='));
            fields
                .find(|(field, _)| *field == name)
                .map(|(_, value)| value)
        };
        if field("ExternalId") != Some(&self.external_id) {
            let body = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
            return (StatusCode::FORBIDDEN, body).into_response();
        }
        let role = field("RoleArn").and_then(|arn| arn.rsplit("%2F").next());
        format!(
            "<AssumeRoleResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\"><AssumeRoleResult><Credentials>\
             <AccessKeyId>ASIA</AccessKeyId><SecretAccessKey>secret</SecretAccessKey><SessionToken>{}</SessionToken>\
             <Expiration>2100-01-01T00:00:00Z</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>",
            role.expect("a role")
        )
        .into_response()
    }

    async fn overtake(&self) {
        let left = |left: u32| left.checked_sub(1);
        let (set, fetch) = (Ordering::SeqCst, Ordering::SeqCst);
        if let Ok(left) = self.overtakes.fetch_update(set, fetch, left) {
            sqlx::query(
                "update connections set former_external_id = $1, access_changed_at = now()",
            )
            .bind(format!("former-{left}"))
            .execute(&self.pool)
            .await
            .expect("changed");
        }
    }

    fn denies(&self, role: &str, request: &str) -> bool {
        let denied = self.denied.lock().expect("no panic inside");
        denied
            .iter()
            .any(|(of, part)| role.starts_with(of) && request.contains(part))
    }
}

async fn answer(State(account): State<Account>, request: Request) -> Response {
    let (parts, body) = request.into_parts();
    let body = to_bytes(body, 100_000).await.expect("a body");
    let body = String::from_utf8(body.to_vec()).expect("text");
    let path = parts.uri.path();
    if path == "/" {
        return account.assume(&body);
    }
    let role = parts.headers["x-amz-security-token"].to_str();
    let request = format!("{} {path} {body}", parts.method);
    if account.denies(role.expect("a role"), &request) {
        return refused(StatusCode::FORBIDDEN, "AccessDeniedException");
    }
    match path.strip_prefix("/instance/") {
        Some(id) => {
            account.overtake().await;
            let arn = format!("arn:aws:connect:us-east-1:111122223333:instance/{id}");
            let instance = json!({
                "Id": id, "Arn": arn, "InstanceStatus": "ACTIVE", "OutboundCallsEnabled": true,
            });
            axum::Json(json!({ "Instance": instance })).into_response()
        }
        None => refused(StatusCode::NOT_FOUND, "ResourceNotFoundException"),
    }
}

fn refused(status: StatusCode, code: &'static str) -> Response {
    let body = axum::Json(json!({ "message": "no" }));
    (status, [("x-amzn-errortype", code)], body).into_response()
}

fn deny(denied: &Denied, role: &str, part: &str) {
    let mut denied = denied.lock().expect("no panic inside");
    denied.push((role.to_owned(), part.to_owned()));
}

fn allow_all(denied: &Denied) {
    denied.lock().expect("no panic inside").clear();
}

async fn install(world: &World, cast: &Cast, instance: &str, on_limiter_unavailable: &str) {
    let path = format!("/v1/instances/{instance}/installation");
    let wanted = json!({
        "queues": "all", "existing_whisper": "merge", "drift": "mend",
        "on_limiter_unavailable": on_limiter_unavailable,
    });
    world.put(&path, &cast.owner, wanted).await.ok(202);
}

async fn runtime_role(pool: &PgPool) -> String {
    sqlx::query_scalar("select runtime_role_arn from connections")
        .fetch_one(pool)
        .await
        .expect("one connection")
}

#[sqlx::test(migrations = "../migrations")]
async fn roles_that_fail_at_an_instance_that_goes_by_the_former_ones_do_not_take_their_place(
    pool: PgPool,
) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let first = world.instance(&cast.owner, ARN).await;
    let second = world.instance(&cast.owner, &arn(2)).await;
    world.shard().await;
    let (endpoint, denied) = Account::open(&pool).await;
    let world = world.with_aws(&endpoint);
    let verify = |instance: &str| format!("/v1/instances/{instance}/verify");
    world
        .post(&verify(&first), &cast.owner, json!({}))
        .await
        .ok(200);
    install(&world, &cast, &first, "allow").await;
    let former = runtime_role(&pool).await;

    // A role whose policy names the second instance alone.
    let (_, id) = ARN.split_once('/').expect("an id");
    deny(&denied, "other", id);
    let other = "arn:aws:iam::111122223333:role/other";
    let body = json!({ "runtime_role_arn": other });
    let answer = world
        .post(&verify(&second), &cast.owner, body.clone())
        .await
        .problem(422, "verification_failed");
    assert!(answer.pointers().contains(&"/runtime_role_arn".to_owned()));
    assert!(answer.text.contains(&first), "{}", answer.text);
    assert!(
        answer.text.contains("connect:StopContact"),
        "{}",
        answer.text
    );
    assert_eq!(runtime_role(&pool).await, former);

    allow_all(&denied);
    world
        .post(&verify(&second), &cast.owner, body)
        .await
        .ok(200);
    assert_eq!(runtime_role(&pool).await, other);
}

#[sqlx::test(migrations = "../migrations")]
async fn permissions_on_the_fallback_function_are_demanded_where_calls_are_to_be_denied(
    pool: PgPool,
) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let instance = world.instance(&cast.owner, ARN).await;
    world.shard().await;
    let (endpoint, denied) = Account::open(&pool).await;
    let world = world.with_aws(&endpoint);
    let verify = format!("/v1/instances/{instance}/verify");
    for (request, action) in [
        ("GET /2015-03-31/", "lambda:GetPolicy"),
        ("DELETE /2015-03-31/", "lambda:RemovePermission"),
    ] {
        deny(&denied, "ringfence-installer", request);
        let answer = world.post(&verify, &cast.owner, json!({})).await.ok(200);
        let checks = answer.body["connection"]["checks"].as_array();
        let mut checks = checks.expect("checks").iter();
        let check = checks.find(|check| check["name"] == action);
        assert_eq!(check.expect("the check")["status"], "warning");

        install(&world, &cast, &instance, "deny").await;
        let answer = world
            .post(&verify, &cast.owner, json!({}))
            .await
            .problem(422, "verification_failed");
        assert_eq!(answer.pointers(), ["/installer_role_arn"]);
        assert!(answer.text.contains(action), "{}", answer.text);
        allow_all(&denied);
        // The function is not there.
        world.post(&verify, &cast.owner, json!({})).await.ok(200);
        install(&world, &cast, &instance, "allow").await;
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_verification_that_is_overtaken_is_made_again_a_few_times(pool: PgPool) {
    let world = World::new(pool.clone()).await;
    let cast = world.tenant("Northwind").await;
    let instance = world.instance(&cast.owner, ARN).await;
    let path = format!("/v1/instances/{instance}/verify");
    let (endpoint, _) = Account::open_overtaking(&pool, 3).await;
    let busy = world.with_aws(&endpoint);
    busy.post(&path, &cast.admin, json!({}))
        .await
        .problem(409, "conflict");
    let (endpoint, _) = Account::open_overtaking(&pool, 2).await;
    let calm = busy.with_aws(&endpoint);
    calm.post(&path, &cast.admin, json!({})).await.ok(200);
}
