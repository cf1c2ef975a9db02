//! The policy of a limiter function, which many instances share, against a Lambda that loses one of two changes made at once.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use axum::Router;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use axum::routing::{delete, get};
use futures::future::join_all;
use ringfence_api::aws::{
    AwsErrorKind, FunctionPermissions as _, InvokePermission, SdkFunctionPermissions,
};
use ringfence_api::store::Store;
use serde_json::{Value, json};
use sqlx::PgPool;
use tokio::sync::Notify;
use tokio::time::timeout;

use crate::centre::{Centre, answer, at_rest, refused};

const FUNCTION: &str = "arn:aws:lambda:us-east-1:999988887777:function:limiter";
/// How long a change of a policy stays open for another to come in between.
const OPEN_FOR: Duration = Duration::from_millis(100);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Adding {
    Works,
    Conflicts,
    IsLost,
}

#[derive(Clone)]
struct Lambda {
    inside: Arc<Mutex<Inside>>,
    another: Arc<Notify>,
}

struct Inside {
    statements: Vec<Value>,
    adding: Adding,
    hides_policy: bool,
    changing: usize,
    changing_most: usize,
}

impl Lambda {
    async fn start(store: Store) -> (Self, SdkFunctionPermissions) {
        let lambda = Self {
            inside: Arc::new(Mutex::new(Inside {
                statements: Vec::new(),
                adding: Adding::Works,
                hides_policy: false,
                changing: 0,
                changing_most: 0,
            })),
            another: Arc::default(),
        };
        let policy = get(get_policy).post(add_permission);
        let routes = Router::new()
            .route("/2015-03-31/functions/{function}/policy", policy)
            .route(
                "/2015-03-31/functions/{function}/policy/{statement}",
                delete(remove_permission),
            )
            .with_state(lambda.clone());
        let centre = Centre::start_with(store, at_rest(), |_| routes).await;
        (lambda, centre.aws.function_permissions("us-east-1"))
    }

    fn inside(&self) -> MutexGuard<'_, Inside> {
        self.inside.lock().expect("no panic inside")
    }

    /// The policy that one change began with is what it writes, whatever came in between.
    async fn change(&self, change: impl FnOnce(&mut Vec<Value>)) {
        let mut statements = {
            let mut inside = self.inside();
            inside.changing += 1;
            inside.changing_most = inside.changing_most.max(inside.changing);
            inside.statements.clone()
        };
        self.another.notify_waiters();
        drop(timeout(OPEN_FOR, self.another.notified()).await);
        change(&mut statements);
        let mut inside = self.inside();
        inside.statements = statements;
        inside.changing -= 1;
    }

    fn names(&self) -> Vec<String> {
        let inside = self.inside();
        let names = inside.statements.iter();
        let mut names: Vec<String> = names
            .map(|statement| statement["Sid"].as_str().expect("a name").to_owned())
            .collect();
        names.sort_unstable();
        names
    }
}

async fn get_policy(State(lambda): State<Lambda>) -> Response {
    if lambda.inside().hides_policy {
        return refused(403, "AccessDeniedException");
    }
    let statements = lambda.inside().statements.clone();
    if statements.is_empty() {
        return refused(404, "ResourceNotFoundException");
    }
    let policy = json!({ "Version": "2012-10-17", "Statement": statements });
    let body = json!({ "Policy": policy.to_string(), "RevisionId": "1" });
    answer(200, "application/json", body.to_string())
}

async fn add_permission(
    State(lambda): State<Lambda>,
    Path(function): Path<String>,
    body: Bytes,
) -> Response {
    let asked: Value = serde_json::from_slice(&body).expect("JSON");
    let statement = json!({
        "Sid": asked["StatementId"],
        "Effect": "Allow",
        "Principal": { "Service": asked["Principal"] },
        "Action": asked["Action"],
        "Resource": function,
        "Condition": {
            "StringEquals": { "AWS:SourceAccount": asked["SourceAccount"] },
            "ArnLike": { "AWS:SourceArn": asked["SourceArn"] },
        },
    });
    let adding = {
        let inside = lambda.inside();
        let mut present = inside.statements.iter();
        match present.any(|present| present["Sid"] == statement["Sid"]) {
            true => Adding::Conflicts,
            false => inside.adding,
        }
    };
    let text = statement.to_string();
    match adding {
        Adding::Conflicts => return refused(409, "ResourceConflictException"),
        Adding::IsLost => {}
        Adding::Works => lambda.change(|statements| statements.push(statement)).await,
    }
    let body = json!({ "Statement": text });
    answer(201, "application/json", body.to_string())
}

async fn remove_permission(
    State(lambda): State<Lambda>,
    Path((_, name)): Path<(String, String)>,
) -> Response {
    lambda
        .change(|statements| statements.retain(|statement| statement["Sid"] != *name))
        .await;
    answer(204, "application/json", String::new())
}

fn permission(number: u32) -> InvokePermission {
    InvokePermission {
        function_arn: FUNCTION.to_owned(),
        statement_id: format!("ins_{number}"),
        instance_arn: format!("arn:aws:connect:us-east-1:111122223333:instance/{number}"),
        account_id: "111122223333".to_owned(),
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn changes_of_one_functions_policy_are_made_one_at_a_time_and_none_is_lost(pool: PgPool) {
    let (lambda, permissions) = Lambda::start(Store::from_pool(pool)).await;
    permissions.grant(&permission(0)).await.expect("granted");
    let mut granted: Vec<InvokePermission> = (1..=3).map(permission).collect();
    let grants = granted
        .iter()
        .map(|permission| permissions.grant(permission));
    let revoked = permissions.revoke(FUNCTION, "ins_0");
    let (grants, revoked) = tokio::join!(join_all(grants), revoked);
    for outcome in grants {
        outcome.expect("granted");
    }
    revoked.expect("revoked");
    assert_eq!(lambda.inside().changing_most, 1);
    assert_eq!(lambda.names(), ["ins_1", "ins_2", "ins_3"]);
    for permission in granted.drain(..) {
        assert!(permissions.is_granted(&permission).await.expect("read"));
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn a_dead_process_keeps_others_from_a_functions_policy_for_a_while_but_not_its_successor(
    pool: PgPool,
) {
    let store = Store::from_pool(pool);
    let lease = async |statement_id, lease| {
        let taken = store.function_policy_lease(FUNCTION, statement_id, lease);
        taken.await.expect("an answer")
    };
    let long = Duration::from_hours(1);
    assert!(lease("ins_1", long).await);
    assert!(!lease("ins_2", long).await);
    assert!(lease("ins_1", Duration::ZERO).await, "its successor");
    assert!(lease("ins_2", long).await, "it has ended");
    assert!(!lease("ins_1", long).await);
    let given_back = store.function_policy_release(FUNCTION, "ins_1").await;
    given_back.expect("an answer");
    assert!(!lease("ins_1", long).await, "it was another's to give back");
    let given_back = store.function_policy_release(FUNCTION, "ins_2").await;
    given_back.expect("given back");
    assert!(lease("ins_1", long).await);
}

#[sqlx::test(migrations = "../migrations")]
async fn only_a_statement_that_is_there_counts_as_granted(pool: PgPool) {
    let (lambda, permissions) = Lambda::start(Store::from_pool(pool)).await;
    for adding in [Adding::Conflicts, Adding::IsLost] {
        lambda.inside().adding = adding;
        let refused = permissions.grant(&permission(1)).await;
        let refused = refused.expect_err("it is not there");
        assert!(refused.is_retryable(), "{adding:?}: {refused}");
    }
    lambda.inside().adding = Adding::Works;
    permissions.grant(&permission(1)).await.expect("granted");
    permissions.grant(&permission(1)).await.expect("as it was");
    assert_eq!(lambda.names(), ["ins_1"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_statement_of_an_instances_id_that_admits_another_is_replaced(pool: PgPool) {
    let (lambda, permissions) = Lambda::start(Store::from_pool(pool)).await;
    let other = InvokePermission {
        statement_id: "ins_1".to_owned(),
        ..permission(2)
    };
    permissions.grant(&other).await.expect("granted");
    assert!(!permissions.is_granted(&permission(1)).await.expect("read"));
    permissions.grant(&permission(1)).await.expect("granted");
    assert!(permissions.is_granted(&permission(1)).await.expect("read"));
    assert!(!permissions.is_granted(&other).await.expect("read"));
    assert_eq!(lambda.names(), ["ins_1"]);
}

#[sqlx::test(migrations = "../migrations")]
async fn requests_about_functions_take_turns_in_the_functions_account(pool: PgPool) {
    let (_lambda, permissions) = Lambda::start(Store::from_pool(pool.clone())).await;
    permissions.grant(&permission(1)).await.expect("granted");
    let taken: Vec<(String, String, String)> =
        sqlx::query_as("select account_id, region, quota from request_paces order by quota")
            .fetch_all(&pool)
            .await
            .expect("turns");
    let here = |quota: &str| {
        let place = ("999988887777".to_owned(), "us-east-1".to_owned());
        (place.0, place.1, quota.to_owned())
    };
    assert_eq!(
        taken,
        [here("function_changes"), here("function_policy_reads")]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn a_permission_that_was_added_and_cannot_be_read_back_may_have_been_given(pool: PgPool) {
    let (lambda, permissions) = Lambda::start(Store::from_pool(pool)).await;
    lambda.inside().hides_policy = true;
    let unsure = permissions.grant(&permission(1)).await;
    let unsure = unsure.expect_err("nobody has seen it");
    assert_eq!(unsure.kind, AwsErrorKind::Transient);
    assert_eq!(lambda.names(), ["ins_1"]);
}
