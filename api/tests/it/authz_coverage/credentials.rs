//! The same table, asked with what else is taken from a caller: an issuer's tokens, and the sessions of people who signed in.

use axum::http::Method;
use serde_json::json;
use sqlx::PgPool;

use super::constant;
use super::table::Least::{self, Admin, Editor, Nobody, Operator as OperatorOnly, Person, Viewer};
use super::table::{Row, known_row};
use crate::browser::{Browser, person};
use crate::harness::{Answer, Cast, World};
use crate::issuer::Provider;
use crate::openid::OpenId;
use crate::operations::{Operation, operations};
use crate::routes::sessions::member;
use crate::scene::Scene;

const OPERATORS: &str = "groups=operators";

/// Where both kinds are taken.
struct Stage {
    world: World,
    openid: OpenId,
    issuer: Provider,
}

enum Caller<'a> {
    Token(&'a World, String),
    Session(Browser<'a>),
}

impl Caller<'_> {
    /// On behalf of a tenant, where one is named.
    async fn ask(
        &self,
        operation: &Operation,
        path: &str,
        row: &Row,
        tenant: Option<&str>,
    ) -> Answer {
        let named = tenant.map(|tenant| ("ringfence-tenant", tenant));
        let headers = named.as_slice();
        let (method, body) = (operation.method.clone(), row.body.clone());
        match self {
            Self::Token(world, token) => world.call_with(method, path, token, body, headers).await,
            Self::Session(browser) => browser.call_for(method, path, body, headers).await,
        }
    }

    fn name(&self) -> &'static str {
        match self {
            Self::Token(..) => "token",
            Self::Session(_) => "session",
        }
    }

    /// What who may is answered. What only people do, no token does.
    fn answer(&self, operation: &Operation, row: &Row) -> u16 {
        match (self, operation.id.as_str()) {
            (Self::Session(_), "session_end") => 204,
            // The token of the table's body invites nobody.
            (Self::Session(_), "invitations_accept") => 404,
            _ => row.answer,
        }
    }
}

impl Stage {
    async fn new(pool: PgPool) -> Self {
        let issuer = Provider::start().await;
        let jwt = Some(issuer.verifier());
        let (world, openid) = World::with_sign_in_and_jwt(pool, &[OPERATORS], jwt).await;
        Self {
            world,
            openid,
            issuer,
        }
    }

    async fn members(&self, cast: &Cast, role: Least) -> [Caller<'_>; 2] {
        let role = format!("{role:?}").to_lowercase();
        let claims = json!({ "ringfence_tenant": cast.id, "ringfence_role": role });
        let name = format!("{role} of {}", cast.id);
        let of = [(cast, role.as_str())];
        [
            Caller::Token(&self.world, self.issuer.token(&claims)),
            Caller::Session(member(&self.world, &self.openid, &name, &of).await),
        ]
    }

    async fn operators(&self) -> [Caller<'_>; 2] {
        let claims = json!({ "ringfence_role": "operator" });
        let mut root = person("Root");
        root["groups"] = json!(["operators"]);
        [
            Caller::Token(&self.world, self.issuer.token(&claims)),
            Caller::Session(Browser::signed_in(&self.world, &self.openid, &root).await),
        ]
    }
}

fn closed() -> impl Iterator<Item = (Operation, Row)> {
    operations().into_iter().filter_map(|operation| {
        let row = known_row(&operation);
        (row.least != Nobody).then_some((operation, row))
    })
}

#[sqlx::test(migrations = "../migrations")]
async fn tokens_and_sessions_may_what_their_role_may_and_no_more(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let still = Scene::build(&stage.world, 0).await;
    let mut number = 0;
    for role in [Viewer, Editor, Admin, Least::Owner] {
        let kept = stage.members(&still.cast, role).await;
        for (operation, row) in closed() {
            let may = role >= row.least || row.least == Person;
            let changes = may && operation.method != Method::GET;
            for (kind, kept) in kept.iter().enumerate() {
                let fresh;
                let (scene, members);
                let caller = if changes {
                    number += 1;
                    fresh = Scene::build(&stage.world, number).await;
                    scene = &fresh;
                    members = stage.members(&fresh.cast, role).await;
                    &members[kind]
                } else {
                    scene = &still;
                    kept
                };
                let (path, tenant) = (scene.path(&operation), Some(scene.cast.id.as_str()));
                let answer = caller.ask(&operation, &path, &row, tenant).await;
                let wanted = if may {
                    caller.answer(&operation, &row)
                } else {
                    403
                };
                let (id, name) = (&operation.id, caller.name());
                assert_eq!(
                    answer.status, wanted,
                    "{id} by {name} as {role:?}: {}",
                    answer.text
                );
            }
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn operators_tokens_and_sessions_do_everything_in_the_tenant_that_they_name(pool: PgPool) {
    let stage = Stage::new(pool).await;
    for (number, (operation, row)) in (0..).zip(closed()) {
        for (kind, caller) in stage.operators().await.iter().enumerate() {
            let scene = Scene::build(&stage.world, 2 * number + u32::from(kind > 0)).await;
            let (id, name, path) = (&operation.id, caller.name(), scene.path(&operation));
            if !matches!(row.least, OperatorOnly | Person) && id != "me_get" {
                let unnamed = caller.ask(&operation, &path, &row, None).await;
                assert_eq!(unnamed.status, 400, "{id} by {name}: {}", unnamed.text);
            }
            let tenant = Some(scene.cast.id.as_str());
            let answer = caller.ask(&operation, &path, &row, tenant).await;
            let wanted = caller.answer(&operation, &row);
            assert_eq!(answer.status, wanted, "{id} by {name}: {}", answer.text);
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn tokens_and_sessions_of_another_tenant_find_nothing(pool: PgPool) {
    let stage = Stage::new(pool).await;
    let scene = Scene::build(&stage.world, 1).await;
    for (operation, row) in closed() {
        if matches!(row.least, OperatorOnly | Person) {
            continue;
        }
        for kind in [0, 1] {
            // Every time a tenant that has nothing, so that all it could show would be the other's.
            let stranger = stage.world.tenant("Stranger").await;
            let caller = &stage.members(&stranger, Admin).await[kind];
            let (id, name, path) = (&operation.id, caller.name(), scene.path(&operation));
            let theirs = caller.ask(&operation, &path, &row, None).await;
            assert!(
                !scene.shows_in(&theirs.text),
                "{id} by {name}: {}",
                theirs.text
            );
            if operation.names_something() {
                let missing = scene.missing(&operation);
                let nobodys = caller.ask(&operation, &missing, &row, None).await;
                assert_eq!(theirs.status, 404, "{id} by {name}: {}", theirs.text);
                assert_eq!(constant(&theirs), constant(&nobodys), "{id} by {name}");
            } else {
                let wanted = row.answer_elsewhere;
                assert_eq!(theirs.status, wanted, "{id} by {name}: {}", theirs.text);
            }
            // Naming the tenant does not help, and does not tell whether it is there.
            let named = Some(scene.cast.id.as_str());
            let named = caller.ask(&operation, &path, &row, named).await;
            let nobody = Some("ten_01890000000070008000000000000000");
            let nobody = caller.ask(&operation, &path, &row, nobody).await;
            assert_eq!(named.status, 404, "{id} by {name}: {}", named.text);
            assert_eq!(constant(&named), constant(&nobody), "{id} by {name}");
        }
    }
}
