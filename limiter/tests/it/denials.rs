//! What follows a denial: the stop, the notice, the record.

use futures::future::join_all;
use ringfence_policy::EntryStatus::{Admitted, Charged, Void};
use ringfence_policy::wire::v1::{NoticeStatus, Outcome, StopStatus};
use serde_json::{Value, json};

use crate::cloud::Fault;
use crate::scene::{CUSTOMER, INSTANCE, Scene, contact_id, event_of, sliding, until_quiet};

async fn full() -> Scene {
    let rule = json!({"id": "day", "name": "Once a day", "per": ["customer"],
        "limit": {"kind": "sliding", "max": 1, "window_seconds": 86_400}});
    let scene = Scene::new(json!({"rules": [rule]})).await;
    scene.dial(1).await;
    scene
}

#[tokio::test]
async fn the_contact_itself_is_stopped_and_the_agent_is_told_when_to_try_again() {
    let scene = full().await;
    let answer = scene.dial(2).await;
    assert_eq!(
        (answer.get("CallAllowed"), answer.get("Stopped")),
        (Some("false"), Some("true"))
    );
    assert_eq!(
        (answer.get("RuleId"), answer.get("RetryAfterSeconds")),
        (Some("day"), Some("86400"))
    );
    let stop = &scene.cloud.seen("StopContact")[0].body;
    assert_eq!(
        (&stop["ContactId"], &stop["InstanceId"]),
        (&json!(contact_id(2)), &json!("one"))
    );
    let task = &scene.cloud.seen("StartTaskContact")[0].body;
    assert_eq!(task["ContactFlowId"], "notice-flow");
    assert_eq!(task["RelatedContactId"], contact_id(2));
    assert_eq!(
        task["Description"],
        "The call to +12065550100 was not placed, because a limit was reached. Once a day: At most 1 call to a customer \
         in any 24 hours. Try again at 18:00:00 UTC on 26 November 2026, in 24 hours."
    );
    let expected = json!({
        "AgentARN": format!("{INSTANCE}/agent/one"), "CustomerNumber": CUSTOMER, "RuleId": "day",
        "RetryAt": "2026-11-26T18:00:00Z", "DecisionContactId": contact_id(2)
    });
    assert_eq!(task["Attributes"], expected);
    let record = scene.record(2).await.unwrap();
    assert_eq!(
        (record.outcome, record.stop, record.notice),
        (Outcome::Denied, StopStatus::Stopped, NoticeStatus::Sent)
    );
    assert_eq!(record.task_contact_id.as_deref(), Some("task-0"));
    assert_eq!(
        (
            record.rules[0].count,
            record.rules[0].limit,
            record.rules[0].denied
        ),
        (Some(1), 1, true)
    );
}

#[tokio::test]
async fn one_task_per_agent_number_and_stretch_of_denials() {
    let scene = Scene::new(json!({"rules": [until_quiet(2)]})).await;
    let agent = |name: &str| format!("{INSTANCE}/agent/{name}");
    let dial = async |contact, number: &str, agent: &str| {
        scene.clock.advance_ms(10_000);
        scene
            .dial_event(event_of(contact, number, agent))
            .await
            .unwrap()
            .allowed()
    };
    assert!(dial(1, CUSTOMER, &agent("one")).await);
    for contact in 2..7 {
        assert!(!dial(contact, CUSTOMER, &agent("one")).await);
    }
    assert_eq!(scene.cloud.tasks(), 1, "redialling makes no second task");
    assert!(!dial(7, CUSTOMER, &agent("two")).await);
    assert_eq!(scene.cloud.tasks(), 2, "another agent is told too");
    scene.clock.advance_ms(60_001);
    assert!(dial(8, CUSTOMER, &agent("one")).await);
    assert!(!dial(9, CUSTOMER, &agent("one")).await);
    assert_eq!(scene.cloud.tasks(), 3, "a new stretch is told anew");
}

#[tokio::test]
async fn the_session_is_narrowed_to_the_instance_and_used_until_shortly_before_its_end() {
    let scene = full().await;
    scene.dial(2).await;
    scene.dial(3).await;
    let assumed = scene.cloud.seen("AssumeRole");
    assert_eq!(assumed.len(), 1);
    assert_eq!(assumed[0].body["ExternalId"], "external");
    assert_eq!(assumed[0].body["RoleSessionName"], "ringfence-limiter");
    let policy: Value = serde_json::from_str(assumed[0].body["Policy"].as_str().unwrap()).unwrap();
    for statement in policy["Statement"].as_array().unwrap() {
        assert!(statement["Resource"].to_string().contains(INSTANCE));
    }
    scene.clock.advance_ms(55 * 60_000);
    scene.dial(4).await;
    assert_eq!(scene.cloud.seen("AssumeRole").len(), 2);
}

#[tokio::test]
async fn a_changed_role_is_assumed_as_soon_as_it_is_known() {
    let scene = full().await;
    scene.dial(2).await;
    let policy = json!({"rules": [sliding(&["customer"], 1, 86_400)]});
    scene
        .publish(
            2,
            policy,
            json!({"runtime_role_arn": "arn:aws:iam::111122223333:role/new"}),
        )
        .await;
    scene.clock.advance_ms(16_000);
    scene.dial(3).await;
    assert_eq!(
        scene.cloud.seen("AssumeRole")[1].body["RoleArn"],
        "arn:aws:iam::111122223333:role/new"
    );
}

#[tokio::test]
async fn a_contact_that_has_ended_already_counts_as_stopped() {
    let scene = full().await;
    scene.cloud.fault(
        "StopContact",
        Fault::Refuse(410, "ContactNotFoundException"),
        1,
    );
    assert_eq!(scene.dial(2).await.get("Stopped"), Some("true"));
    assert_eq!(
        scene.record(2).await.unwrap().stop,
        StopStatus::AlreadyEnded
    );
}

#[tokio::test]
async fn throttled_stops_and_tasks_are_repeated() {
    let scene = full().await;
    scene.cloud.fault(
        "StopContact",
        Fault::Refuse(429, "TooManyRequestsException"),
        3,
    );
    scene.cloud.fault(
        "StartTaskContact",
        Fault::Refuse(429, "ThrottlingException"),
        1,
    );
    assert_eq!(scene.dial(2).await.get("Stopped"), Some("true"));
    assert_eq!(
        (
            scene.cloud.seen("StopContact").len(),
            scene.cloud.seen("StartTaskContact").len()
        ),
        (4, 2)
    );
    assert_eq!(scene.record(2).await.unwrap().notice, NoticeStatus::Sent);
}

#[tokio::test]
async fn a_burst_of_denials_is_stopped_to_the_last_one() {
    let scene = full().await;
    scene.cloud.fault(
        "StopContact",
        Fault::Refuse(429, "TooManyRequestsException"),
        60,
    );
    let answers = join_all((2..32).map(|contact| scene.dial(contact))).await;
    assert!(
        answers
            .iter()
            .all(|answer| answer.get("Stopped") == Some("true"))
    );
}

#[tokio::test]
async fn a_stop_that_is_refused_still_denies_and_says_so() {
    let scene = full().await;
    scene.cloud.fault(
        "StopContact",
        Fault::Refuse(403, "AccessDeniedException"),
        1,
    );
    let answer = scene.dial(2).await;
    assert_eq!(
        (answer.get("CallAllowed"), answer.get("Stopped")),
        (Some("false"), Some("false"))
    );
    let record = scene.record(2).await.unwrap();
    assert_eq!(record.stop, StopStatus::Failed);
    assert_eq!(
        record.stop_error.as_deref(),
        Some("stopping the contact: AccessDeniedException")
    );
    assert_eq!(record.notice, NoticeStatus::Sent);
}

/// The flow may well dial after a stop that failed: a customer whose phone rang was called.
#[tokio::test]
async fn a_call_that_could_not_be_stopped_counts_and_its_agent_is_told_to_hang_up() {
    let scene = full().await;
    scene.cloud.fault(
        "StopContact",
        Fault::Refuse(403, "AccessDeniedException"),
        1,
    );
    scene.dial(2).await;
    let description = scene.cloud.seen("StartTaskContact")[0].body["Description"].clone();
    let description = description.as_str().unwrap();
    assert!(description.contains("hang up"), "{description}");
    assert!(!description.contains("not placed"), "{description}");
    assert_eq!(
        scene.statuses(&format!("customer|{CUSTOMER}")).await,
        [Admitted, Void, Charged],
        "a place that was released is not given back: the call counts from now on"
    );
    assert!(!scene.dial(2).await.allowed(), "the same contact again");
    assert_eq!(
        scene.record(2).await.unwrap().stop,
        StopStatus::Stopped,
        "and this time the stop came through"
    );
}

/// Whoever is delivered again while the first delivery still waits for its stop must find the denial, not a free place.
#[tokio::test]
async fn the_denial_is_on_record_before_the_stop_has_come_to_an_end() {
    let scene = full().await;
    scene.cloud.fault("StopContact", Fault::Hang, 9);
    let denied = scene.limiter.clone();
    let running = tokio::spawn(async move {
        let event = event_of(2, CUSTOMER, &format!("{INSTANCE}/agent/one"));
        denied
            .handle(event, std::time::Duration::from_secs(8))
            .await
    });
    let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while scene
        .record(2)
        .await
        .is_none_or(|record| record.outcome != Outcome::Denied)
    {
        assert!(std::time::Instant::now() < deadline, "no denial on record");
    }
    assert!(!running.is_finished(), "the stop still hangs");
    running.abort();
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_denies_without_stopping() {
    let scene = full().await;
    scene
        .cloud
        .fault("AssumeRole", Fault::Refuse(403, "AccessDenied"), 9);
    let answer = scene.dial(2).await;
    assert_eq!(
        (answer.get("CallAllowed"), answer.get("Stopped")),
        (Some("false"), Some("false"))
    );
    let record = scene.record(2).await.unwrap();
    assert_eq!(
        record.stop_error.as_deref(),
        Some("assuming the runtime role: AccessDenied")
    );
    assert_eq!(
        (record.stop, record.notice),
        (StopStatus::Failed, NoticeStatus::Deferred),
        "a role can be put right"
    );
}

#[tokio::test]
async fn expired_credentials_are_renewed_and_the_contact_is_stopped() {
    let scene = full().await;
    scene.dial(2).await;
    scene.cloud.fault(
        "StopContact",
        Fault::Refuse(403, "ExpiredTokenException"),
        1,
    );
    assert_eq!(scene.dial(3).await.get("Stopped"), Some("true"));
    assert_eq!(scene.cloud.seen("AssumeRole").len(), 2);
}

#[tokio::test]
async fn a_task_for_which_there_is_no_room_now_is_left_for_later_and_not_asked_for_again_at_once() {
    let scene = full().await;
    scene.cloud.fault(
        "StartTaskContact",
        Fault::Refuse(402, "ServiceQuotaExceededException"),
        9,
    );
    assert_eq!(scene.dial(2).await.get("Stopped"), Some("true"));
    let record = scene.record(2).await.unwrap();
    assert_eq!(record.notice, NoticeStatus::Deferred);
    assert!(record.deferred_notice.is_some());
    assert_eq!(scene.cloud.seen("StartTaskContact").len(), 1);
}

#[tokio::test]
async fn a_task_that_is_refused_is_told_on_the_record() {
    let scene = full().await;
    scene.cloud.fault(
        "StartTaskContact",
        Fault::Refuse(400, "InvalidParameterException"),
        9,
    );
    assert_eq!(scene.dial(2).await.get("Stopped"), Some("true"));
    let record = scene.record(2).await.unwrap();
    assert_eq!(record.notice, NoticeStatus::Failed);
    assert_eq!(
        record.notice_error.as_deref(),
        Some("starting the task: InvalidParameterException")
    );
}

#[tokio::test]
async fn without_an_agent_or_a_flow_nobody_is_told_and_the_record_says_why() {
    let scene = full().await;
    scene
        .dial_event(event_of(
            2,
            CUSTOMER,
            "arn:aws:connect:us-east-1:111122223333:instance/two/agent/x",
        ))
        .await
        .unwrap();
    assert_eq!(scene.record(2).await.unwrap().notice, NoticeStatus::NoAgent);
    let policy = json!({"rules": [sliding(&["customer"], 1, 86_400)]});
    scene
        .publish(2, policy, json!({"notice_flow_id": null}))
        .await;
    scene.clock.advance_ms(16_000);
    scene.dial(3).await;
    assert_eq!(scene.record(3).await.unwrap().notice, NoticeStatus::NoFlow);
    assert!(scene.cloud.seen("StartTaskContact").is_empty());
}
