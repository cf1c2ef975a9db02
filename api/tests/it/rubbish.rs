//! Rubbish in every place where a caller can put some, in every operation of the description.

use axum::body::Body;
use axum::http::Request;
use sqlx::PgPool;

use crate::harness::{ARN, World};
use crate::operations::{Operation, operations};

#[sqlx::test(migrations = "../migrations")]
async fn rubbish_never_makes_an_operation_fail_on_our_side(pool: PgPool) {
    let world = World::new(pool).await;
    let cast = world.tenant("Northwind").await;
    let instance = world.instance(&cast.owner, ARN).await;
    world.mark_verified(&cast, &instance).await;
    let bodies: [&[u8]; 14] = [
        b"",
        b"{",
        b"null",
        b"[]",
        b"\"text\"",
        b"1e999",
        b"{\"name\": \"\\u0000\", \"instance_arn\": \"\\u0000\", \"queues\": [\"\\u0000\"], \"rules\": [{\"id\": \"a\", \"name\": \"\\u0000\"}]}",
        // Rules and notices that are all right but for this character.
        b"{\"rules\": [{\"id\": \"a\", \"name\": \"\\u0000\", \"per\": [\"customer\"], \"limit\": {\"kind\": \"sliding\", \"max\": 1, \"window_seconds\": 60}}]}",
        b"{\"rules\": [], \"notices\": {\"agent_time_zones\": {\"arn:aws\\u0000:connect:us-east-1:1:instance/i/agent/a\": \"America/New_York\"}}}",
        b"{\"name\": 5, \"role\": [], \"expires_at\": {}, \"queues\": 7, \"rules\": {}, \"status\": null}",
        b"{\"name\": \"x\", \"name\": \"y\", \"status\": \"gone\", \"home_region\": \"mars\"}",
        b"\xff\xfe",
        b"{\"rules\": [[[[[[]]]]]], \"mode\": \"\xf0\x9f\x98\x80\"}",
        b"{\"name\": \"a\\u0000b\", \"role\": \"owner\"}",
    ];
    let queries = [
        "",
        "?limit=0",
        "?limit=-9223372036854775808",
        "?cursor=%00",
        "?cursor=AAAA",
        // Well-formed, but of a time that Postgres does not reach.
        "?cursor=LTM3NzcwNTAyMzIwMTAwMDAwMCBkZWNfMDE4OTAwMDAwMDAwNzAwMDgwMDAwMDAwMDAwMDAwMDA",
        "?x=%ff&y",
        "?limit=1&limit=2",
        "?rule_id=%00",
        "?outcome=x",
        "?instance_id=ten_1",
        "?number=%00",
        "?number=+",
    ];
    let ids = [
        "%00",
        "..%2f..",
        "ins_",
        "ins_01890000000070008000000000000000",
        instance.as_str(),
        "🙂",
    ];
    for operation in operations() {
        let key = match operation.permission.as_deref() {
            Some("operator") => &world.operator,
            _ => &cast.owner,
        };
        for id in ids {
            let path = operation
                .path
                .replace("{id}", id)
                .replace("{number}", id)
                .replace("{version}", "9223372036854775807");
            let path: String = url_safe(&path);
            for query in queries {
                // What is well understood stays open for minutes.
                if operation.id == "decisions_live" && query.is_empty() {
                    continue;
                }
                check(&world, key, &operation, &format!("{path}{query}"), b"").await;
            }
            // Asks AWS, which nobody answers for here.
            let asks_aws =
                operation.id == "instances_verify" || operation.id == "instances_queues_list";
            if operation.takes_body() && !asks_aws {
                for body in bodies {
                    check(&world, key, &operation, &path, body).await;
                }
            }
        }
    }
}

fn url_safe(path: &str) -> String {
    path.replace('🙂', "%F0%9F%99%82")
}

async fn check(world: &World, key: &str, operation: &Operation, path: &str, body: &[u8]) {
    for if_match in ["", "\"1\"", "W/\"x\"", "\u{e9}"] {
        let mut request = Request::builder()
            .method(operation.method.clone())
            .uri(path)
            .header("content-type", "application/json")
            .header("authorization", format!("Bearer {key}"));
        if !if_match.is_empty() {
            request = request.header("if-match", if_match);
        }
        let answer = world
            .send(request.body(Body::from(body.to_vec())).expect("a request"))
            .await;
        let status = answer.status.as_u16();
        // Unreachable AWS is told as such; everything else would be ours.
        assert!(
            status < 500 || status == 502,
            "{} {path} {body:?}: {}",
            operation.id,
            answer.text
        );
        if status >= 400 {
            assert_eq!(
                answer.header("content-type"),
                "application/problem+json",
                "{}",
                operation.id
            );
            assert_eq!(answer.text("/request_id"), answer.header("x-request-id"));
        }
    }
}
