//! What agents are told: in which words, by which clock, now or later, and what the decision claims of it.

use ringfence_policy::wire::v1::{DecisionRecord, NoticeStatus};
use serde_json::{Value, json};

use crate::cloud::Fault;
use crate::scene::{CUSTOMER, INSTANCE, Scene, contact_id, event_of, sliding, until_quiet};

const AGENT: &str = "arn:aws:connect:us-east-1:111122223333:instance/one/agent/one";

fn once_a_day(notice: Option<&str>) -> Value {
    let mut rule = json!({"id": "day", "name": "Once a day", "per": ["customer"],
        "limit": {"kind": "sliding", "max": 1, "window_seconds": 86_400}});
    if let Some(notice) = notice {
        rule["notice"] = json!(notice);
    }
    rule
}

/// The customer has been called once: the next call is one too many.
async fn full(policy: Value) -> Scene {
    let scene = Scene::new(policy).await;
    assert!(scene.dial(1).await.allowed());
    scene
}

/// Name and description of the latest task.
fn told(scene: &Scene) -> (String, String) {
    let tasks = scene.cloud.seen("StartTaskContact");
    let task = &tasks.last().unwrap().body;
    let text = |name: &str| task[name].as_str().unwrap().to_owned();
    (text("Name"), text("Description"))
}

#[tokio::test]
async fn an_agent_is_told_in_the_tenants_language_and_by_the_agents_own_clock() {
    let notices = json!({"language": "es", "time_zone": "America/New_York",
        "agent_time_zones": {AGENT: "America/Sao_Paulo"}});
    let scene = full(json!({"notices": notices, "rules": [once_a_day(None)]})).await;
    scene.dial(2).await;
    let (name, description) = told(&scene);
    assert_eq!(name, "Llamada no realizada: límite alcanzado");
    assert!(
        description
            .contains("26 de noviembre de 2026 a las 15:00:00 UTC-03:00, dentro de 24 horas"),
        "{description}"
    );
    let other = format!("{INSTANCE}/agent/two");
    scene
        .dial_event(event_of(3, CUSTOMER, &other))
        .await
        .unwrap();
    let (_, description) = told(&scene);
    assert!(description.contains("a las 13:00:00 EST"), "{description}");
}

#[tokio::test]
async fn a_rules_own_words_replace_the_built_in_ones() {
    let template = "{rule}! Not {number}. {limit}. Wait until {retry_at} ({wait}).";
    let scene = full(json!({"rules": [once_a_day(Some(template))]})).await;
    scene.dial(2).await;
    assert_eq!(
        told(&scene).1,
        "Once a day! Not +12065550100. At most 1 call to a customer in any 24 hours. Wait until 18:00:00 UTC on 26 \
         November 2026 (in 24 hours)."
    );
}

/// Whoever hears a phone ring must be asked to hang up, whatever the tenant wrote about calls that are not placed.
#[tokio::test]
async fn a_call_that_could_not_be_stopped_is_told_in_built_in_words() {
    let scene = full(json!({"rules": [once_a_day(Some("not placed"))]})).await;
    scene.cloud.fault(
        "StopContact",
        Fault::Refuse(403, "AccessDeniedException"),
        1,
    );
    scene.dial(2).await;
    assert!(told(&scene).1.contains("hang up"));
}

#[tokio::test]
async fn a_description_is_cut_to_what_connect_takes() {
    let long = "{limit}".repeat(140);
    let scene = full(json!({"rules": [once_a_day(Some(&long))]})).await;
    scene.dial(2).await;
    assert_eq!(told(&scene).1.chars().count(), 4096);
}

/// What the control plane needs to send the very same task.
fn deferred(record: &DecisionRecord, scene: &Scene) {
    assert_eq!(record.notice, NoticeStatus::Deferred);
    let deferred = record.deferred_notice.as_ref().unwrap();
    let request = &scene.cloud.seen("StartTaskContact")[0].body;
    assert_eq!(request["ClientToken"], deferred.client_token.as_str());
    assert_eq!(request["Name"], deferred.name.as_str());
    assert_eq!(request["Description"], deferred.description.as_str());
    assert_eq!(request["Attributes"], json!(deferred.attributes));
}

#[tokio::test]
async fn what_may_pass_later_is_left_to_the_control_plane_with_all_it_needs() {
    for (fault, code) in [
        (
            Fault::Refuse(429, "ThrottlingException"),
            "ThrottlingException",
        ),
        (
            Fault::Refuse(500, "InternalServiceException"),
            "InternalServiceException",
        ),
        (Fault::LoseAnswer, "not_reached"),
        (Fault::Hang, "timeout"),
    ] {
        let scene = full(json!({"rules": [once_a_day(None)]})).await;
        scene.cloud.fault("StartTaskContact", fault, 9);
        let answer = scene.dial(2).await;
        assert_eq!(answer.get("Stopped"), Some("true"), "{fault:?}");
        let record = scene.record(2).await.unwrap();
        deferred(&record, &scene);
        let error = record.notice_error.unwrap();
        assert!(
            error.contains(code) || fault == Fault::LoseAnswer,
            "{error}"
        );
        assert!(
            scene.cloud.seen("StartTaskContact").len() <= 2,
            "an agent waits meanwhile"
        );
    }
}

#[tokio::test]
async fn a_role_that_cannot_be_assumed_defers_the_notice() {
    let scene = full(json!({"rules": [once_a_day(None)]})).await;
    scene
        .cloud
        .fault("AssumeRole", Fault::Refuse(403, "AccessDenied"), 9);
    scene.dial(2).await;
    let record = scene.record(2).await.unwrap();
    assert_eq!(record.notice, NoticeStatus::Deferred);
    let deferred = record.deferred_notice.unwrap();
    assert_eq!(deferred.attributes["DecisionContactId"], contact_id(2));
    assert!(
        deferred.description.contains("hang up"),
        "the call was not stopped either"
    );
}

#[tokio::test]
async fn a_deferred_notice_is_not_told_by_a_second_delivery_and_later_redials_share_its_token() {
    let scene = Scene::new(json!({"rules": [until_quiet(2)]})).await;
    assert!(scene.dial(1).await.allowed());
    scene.cloud.fault(
        "StartTaskContact",
        Fault::Refuse(429, "ThrottlingException"),
        2,
    );
    scene.dial(2).await;
    let asked = scene.cloud.seen("StartTaskContact").len();
    scene.dial(2).await;
    assert_eq!(scene.cloud.seen("StartTaskContact").len(), asked);
    let first = scene.record(2).await.unwrap().deferred_notice.unwrap();
    scene.clock.advance_ms(10_000);
    scene.dial(3).await;
    let tasks = scene.cloud.seen("StartTaskContact");
    assert_eq!(
        tasks.last().unwrap().body["ClientToken"],
        first.client_token.as_str()
    );
}

/// As the notice flow sends it: the task's own contact, and what the flow passes.
fn report(of: u64, channel: &str) -> Value {
    json!({
        "Name": "ContactFlowEvent",
        "Details": {
            "ContactData": {
                "Attributes": {"DecisionContactId": contact_id(of)}, "Channel": channel,
                "ContactId": "4a573372-1f28-4e26-b97b-0000000fffff", "InstanceARN": INSTANCE,
                "CustomerEndpoint": null, "SystemEndpoint": null, "Queue": null
            },
            "Parameters": {"NoticeOf": contact_id(of), "NoticeProblem": "queue_full"}
        }
    })
}

#[tokio::test]
async fn a_full_queue_is_told_on_the_decision_and_counts_nothing() {
    let scene = full(json!({"rules": [once_a_day(None)]})).await;
    scene.dial(2).await;
    let before = scene.record(2).await.unwrap();
    scene.cloud.forget();
    let answer = scene.dial_event(report(2, "TASK")).await.unwrap();
    assert_eq!(
        (answer.get("Result"), answer.get("CallAllowed")),
        (Some("SUCCESS"), None)
    );
    let after = scene.record(2).await.unwrap();
    let expected = DecisionRecord {
        notice: NoticeStatus::QueueFull,
        ..before
    };
    assert!(after == expected, "{after:?}");
    assert!(
        scene.cloud.seen("UpdateItem").is_empty() && scene.cloud.seen("StopContact").is_empty()
    );
    scene.dial(2).await;
    assert_eq!(
        scene.record(2).await.unwrap().notice,
        NoticeStatus::QueueFull,
        "another delivery of the call tells no second time"
    );
    assert!(scene.cloud.seen("StartTaskContact").is_empty());
}

#[tokio::test]
async fn a_report_touches_nothing_but_a_notice_that_went_out_in_its_own_instance() {
    let scene = full(json!({"rules": [once_a_day(None)]})).await;
    scene.cloud.fault(
        "StartTaskContact",
        Fault::Refuse(400, "InvalidRequestException"),
        1,
    );
    scene.dial(2).await;
    scene.dial_event(report(2, "TASK")).await.unwrap();
    assert_eq!(scene.record(2).await.unwrap().notice, NoticeStatus::Failed);
    scene.dial_event(report(7, "TASK")).await.unwrap();
    assert!(
        scene.record(7).await.is_none(),
        "a contact that nobody knows"
    );
    scene.dial(3).await;
    let mut foreign = report(3, "TASK");
    foreign["Details"]["ContactData"]["InstanceARN"] =
        json!("arn:aws:connect:us-east-1:111122223333:instance/two");
    scene.dial_event(foreign).await.unwrap();
    assert_eq!(scene.record(3).await.unwrap().notice, NoticeStatus::Sent);
}

#[tokio::test]
async fn a_call_is_counted_though_it_says_that_it_is_about_a_notice() {
    let scene = full(json!({"rules": [once_a_day(None)]})).await;
    let mut call = event_of(2, CUSTOMER, AGENT);
    call["Details"]["Parameters"] =
        json!({"NoticeOf": contact_id(1), "NoticeProblem": "queue_full"});
    assert!(!scene.dial_event(call).await.unwrap().allowed());
}

/// The task's flow may be faster than the last write of the limiter that started it.
#[tokio::test]
async fn a_report_that_comes_before_the_decisions_last_word_is_not_overwritten_by_it() {
    let scene = full(json!({"rules": [once_a_day(None)]})).await;
    scene.dial(2).await;
    let last_word = scene.record(2).await.unwrap();
    let unfinished = DecisionRecord {
        notice: NoticeStatus::NotNeeded,
        ..last_word.clone()
    };
    scene.put_record(&unfinished).await;
    let limiter = scene.limiter.clone();
    let reporting = tokio::spawn(async move {
        limiter
            .handle(report(2, "TASK"), std::time::Duration::from_secs(8))
            .await
    });
    let bound = std::time::Instant::now() + std::time::Duration::from_secs(5);
    while scene.cloud.seen("GetItem").len() < 2 {
        assert!(std::time::Instant::now() < bound, "the report never looked");
        tokio::task::yield_now().await;
    }
    scene.put_record(&last_word).await;
    reporting.await.unwrap().unwrap();
    assert_eq!(
        scene.record(2).await.unwrap().notice,
        NoticeStatus::QueueFull
    );
}

/// A repeated delivery that has looked at the record before the first one's last word ends after it, and after the report.
#[tokio::test]
async fn a_report_is_not_overwritten_by_a_repeat_that_knows_less() {
    let scene = full(json!({"rules": [once_a_day(None)]})).await;
    let dialling = || {
        let limiter = scene.limiter.clone();
        let lasts = std::time::Duration::from_secs(8);
        tokio::spawn(async move { limiter.handle(crate::scene::event(2), lasts).await.unwrap() })
    };
    let task = scene.cloud.hold("StartTaskContact", "");
    let first = dialling();
    scene.until(async || task.waiting() == 1).await;
    let stop = scene.cloud.hold("StopContact", "");
    let repeat = dialling();
    scene.until(async || stop.waiting() == 1).await;
    task.let_go();
    assert!(!first.await.unwrap().allowed());
    assert_eq!(scene.record(2).await.unwrap().notice, NoticeStatus::Sent);
    scene.dial_event(report(2, "TASK")).await.unwrap();
    let noted = scene.record(2).await.unwrap();
    assert_eq!(noted.notice, NoticeStatus::QueueFull);
    scene.cloud.forget();
    stop.let_go();
    assert!(!repeat.await.unwrap().allowed());
    assert_eq!(
        scene.cloud.seen("PutItem").len(),
        1,
        "the repeat has a last word of its own"
    );
    assert!(scene.record(2).await.unwrap() == noted, "it is not taken");
}

/// The agent's tasks so far: redialling makes no second one, another number or rule does.
#[tokio::test]
async fn another_number_or_another_rule_is_told_by_itself() {
    let policy = |id: &str| {
        let mut rule = sliding(&["caller_id"], 1, 600);
        rule["id"] = json!(id);
        json!({ "rules": [rule] })
    };
    let scene = Scene::new(policy("one")).await;
    assert!(scene.dial(1).await.allowed());
    for contact in [2, 3] {
        assert!(!scene.dial(contact).await.allowed());
    }
    assert_eq!(scene.cloud.tasks(), 1, "redialled");
    let other = event_of(4, "+12065550111", AGENT);
    assert!(!scene.dial_event(other).await.unwrap().allowed());
    assert_eq!(scene.cloud.tasks(), 2, "another number");
    // The place becomes free at the same time, whatever the rule is called.
    scene.publish(2, policy("other"), json!({})).await;
    scene.clock.advance_ms(60_000);
    assert!(!scene.dial(5).await.allowed());
    assert_eq!(scene.cloud.tasks(), 3, "another rule");
}
