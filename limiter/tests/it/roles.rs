//! While the external id or the runtime role is changed, whichever way in is open is found, and none is clung to.

use serde_json::{Value, json};

use crate::cloud::Fault;
use crate::scene::Scene;

const DENIED: Fault = Fault::Refuse(403, "AccessDenied");

fn policy() -> Value {
    json!({"rules": [{"id": "day", "per": ["customer"],
        "limit": {"kind": "sliding", "max": 1, "window_seconds": 86_400}}]})
}

fn changing() -> Value {
    json!({"external_id": "first", "other_runtime_access": [
        {"role_arn": "arn:aws:iam::111122223333:role/ringfence-runtime-con_1", "external_id": "second"},
        {"role_arn": "arn:aws:iam::111122223333:role/former", "external_id": "first"},
    ]})
}

async fn full(changes: Value) -> Scene {
    let scene = Scene::new(policy()).await;
    scene.publish(2, policy(), changes).await;
    scene.clock.advance_ms(60_000);
    scene.dial(1).await;
    scene
}

/// Role and external id of each attempt to get in so far.
fn attempts(scene: &Scene) -> Vec<(String, String)> {
    let seen = scene.cloud.seen("AssumeRole");
    let text = |body: &Value, name: &str| body[name].as_str().unwrap().to_owned();
    let role = |body: &Value| text(body, "RoleArn").rsplit('/').next().unwrap().to_owned();
    seen.iter()
        .map(|seen| (role(&seen.body), text(&seen.body, "ExternalId")))
        .collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    let own = |(role, id): &(&str, &str)| ((*role).to_owned(), (*id).to_owned());
    expected.iter().map(own).collect()
}

#[tokio::test]
async fn a_call_is_stopped_and_told_by_whichever_external_id_or_role_is_accepted() {
    let way = "ringfence-runtime-con_1";
    for (refusals, expected) in [
        (0, pairs(&[(way, "first")])),
        (1, pairs(&[(way, "first"), (way, "second")])),
        (
            2,
            pairs(&[(way, "first"), (way, "second"), ("former", "first")]),
        ),
    ] {
        let scene = full(changing()).await;
        if refusals > 0 {
            scene.cloud.fault("AssumeRole", DENIED, refusals);
        }
        let answer = scene.dial(2).await;
        assert_eq!(answer.get("Stopped"), Some("true"), "{refusals}");
        assert_eq!(scene.cloud.tasks(), 1, "{refusals}");
        assert_eq!(attempts(&scene), expected);
        // What was refused a moment ago is not asked again before every call.
        scene.dial(3).await;
        assert_eq!(attempts(&scene).len(), expected.len());
    }
}

#[tokio::test]
async fn the_present_external_id_is_tried_again_once_it_was_refused_for_a_while() {
    let scene = full(changing()).await;
    scene.cloud.fault("AssumeRole", DENIED, 1);
    scene.dial(2).await;
    scene.clock.advance_ms(61_000);
    scene.dial(3).await;
    let ids: Vec<String> = attempts(&scene).into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids, ["first", "second", "first"]);
}

#[tokio::test]
async fn a_session_of_the_former_role_is_given_up_once_another_is_published() {
    let scene = full(json!({})).await;
    scene.dial(2).await;
    let moved = json!({"runtime_role_arn": "arn:aws:iam::111122223333:role/present"});
    scene.publish(3, policy(), moved).await;
    scene.clock.advance_ms(60_000);
    let answer = scene.dial(3).await;
    assert_eq!(answer.get("Stopped"), Some("true"));
    let roles: Vec<String> = attempts(&scene).into_iter().map(|(role, _)| role).collect();
    assert_eq!(roles, ["ringfence-runtime-con_1", "present"]);
}

#[tokio::test]
async fn what_was_published_a_moment_ago_is_found_before_a_call_rings() {
    let scene = full(json!({})).await;
    // The snapshot at hand is young, so that the next call goes by it.
    scene
        .publish(3, policy(), json!({"external_id": "newer"}))
        .await;
    scene.cloud.fault("AssumeRole", DENIED, 1);
    let answer = scene.dial(2).await;
    assert_eq!(answer.get("Stopped"), Some("true"));
    let ids: Vec<String> = attempts(&scene).into_iter().map(|(_, id)| id).collect();
    assert_eq!(ids, ["external", "newer"]);
}

#[tokio::test]
async fn refused_by_every_way_is_told_as_the_refusal_it_is() {
    let scene = full(changing()).await;
    scene.cloud.fault("AssumeRole", DENIED, 1000);
    let answer = scene.dial(2).await;
    assert_eq!(
        (answer.get("CallAllowed"), answer.get("Stopped")),
        (Some("false"), Some("false"))
    );
}
