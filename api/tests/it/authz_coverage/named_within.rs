//! Ids that a request names beside the first one of its path: further on in the path, in its query and in its body.

use serde_json::{Value, json};
use sqlx::PgPool;

use super::table::Least::Operator as OperatorOnly;
use super::table::known_row;
use super::{ask, constant};
use crate::harness::World;
use crate::operations::{Operation, document, operations};
use crate::scene::{Scene, webhook};

/// Where an operation takes an id.
#[derive(Debug)]
enum Place {
    Query(String),
    /// The top of the body.
    Body(String),
}

/// The places of the description whose pattern is that of an instance's id. The only other ids there are tenants', in the
/// header that is tried elsewhere.
fn places(operation: &Operation) -> Vec<Place> {
    let document = document();
    let method = operation.method.as_str().to_lowercase();
    let described = &document["paths"][&operation.path][&method];
    let is_id = |schema: &Value| {
        let pattern = resolved(&document, schema)["pattern"].as_str();
        let pattern = pattern.filter(|pattern| pattern.contains("_[0-9a-f]{32}"));
        assert!(
            pattern.is_none_or(|pattern| pattern == "^ins_[0-9a-f]{32}$"),
            "another kind of id, {pattern:?}: {operation:?}"
        );
        pattern.is_some()
    };
    let parameters = described["parameters"].as_array().into_iter().flatten();
    let queries = parameters
        .filter(|parameter| parameter["in"] == "query" && is_id(&parameter["schema"]))
        .map(|parameter| Place::Query(parameter["name"].as_str().expect("a name").to_owned()));
    let body = &described["requestBody"]["content"]["application/json"]["schema"];
    let members = resolved(&document, body)["properties"].as_object();
    let members = members.into_iter().flatten();
    let bodies = members
        .filter(|(_, schema)| is_id(schema))
        .map(|(name, _)| Place::Body(name.clone()));
    queries.chain(bodies).collect()
}

fn resolved<'a>(document: &'a Value, schema: &'a Value) -> &'a Value {
    match schema["$ref"].as_str() {
        Some(name) => document.pointer(&name[1..]).expect("a schema"),
        None => schema,
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn another_tenant_s_id_in_a_query_or_a_body_is_like_one_that_does_not_exist(pool: PgPool) {
    let world = World::new(pool).await;
    let scene = Scene::build(&world, 1).await;
    let theirs = scene.id("instances");
    let nobodys = "ins_01890000000070008000000000000000";
    let stranger = world.tenant("Stranger").await;
    let mut tried = Vec::new();
    for operation in operations() {
        let row = known_row(&operation);
        // An operator may see both.
        if row.least == OperatorOnly {
            continue;
        }
        for place in places(&operation) {
            let answered = async |id: &str| {
                let (mut path, mut row) = (operation.at(""), row.clone());
                match &place {
                    Place::Query(name) => {
                        let sign = if path.contains('?') { '&' } else { '?' };
                        path = format!("{path}{sign}{name}={id}");
                    }
                    Place::Body(name) => {
                        let body = row.body.get_or_insert_with(|| json!({}));
                        body[name] = json!(id);
                    }
                }
                let answer = ask(&world, &operation, &path, &stranger.owner, &row).await;
                let (text, headers) = constant(&answer);
                (answer.status, text.replace(id, "ins"), headers)
            };
            let (foreign, missing) = (answered(theirs).await, answered(nobodys).await);
            assert_eq!(foreign, missing, "{} in {place:?}", operation.id);
            assert!(!scene.shows_in(&foreign.1), "{}", foreign.1);
            tried.push(operation.id.clone());
        }
    }
    for operation in [
        "checks_create",
        "decisions_export",
        "policies_replay",
        "stats_top",
    ] {
        assert!(tried.iter().any(|id| id == operation), "{tried:?}");
    }
}

/// What is the caller's own does not lead to what is another's.
#[sqlx::test(migrations = "../migrations")]
async fn another_tenant_s_event_under_a_webhook_of_one_s_own_is_like_one_that_does_not_exist(
    pool: PgPool,
) {
    let world = World::new(pool).await;
    let scene = Scene::build(&world, 1).await;
    let stranger = world.tenant("Stranger").await;
    let hook = world.post("/v1/webhooks", &stranger.owner, webhook()).await;
    let hook = hook.ok(201).text("/id");
    let nobodys = "evt_01890000000070008000000000000000";
    let mut tried = 0;
    for operation in operations() {
        if !operation.path.contains("{event_id}") {
            continue;
        }
        let row = known_row(&operation);
        let answered = async |event: &str| {
            let path = operation.at(&hook).replace("{event_id}", event);
            let answer = ask(&world, &operation, &path, &stranger.owner, &row).await;
            let (text, headers) = constant(&answer);
            (answer.status.as_u16(), text.replace(event, "evt"), headers)
        };
        let (foreign, missing) = (answered(&scene.event).await, answered(nobodys).await);
        assert_eq!(foreign.0, 404, "{}: {}", operation.id, foreign.1);
        assert_eq!(foreign, missing, "{}", operation.id);
        tried += 1;
    }
    assert_eq!(tried, 2);
}
