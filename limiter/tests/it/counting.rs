//! What is admitted, charged and kept, when many dial at once, again, or with clocks that differ.

use std::time::Duration;

use aws_sdk_dynamodb::primitives::Blob;
use aws_sdk_dynamodb::types::AttributeValue;
use futures::future::join_all;
use ringfence_limiter::Answer;
use ringfence_policy::EntryStatus::{Admitted, Denied, Void};
use ringfence_policy::wire::v1::{Outcome, StopStatus};
use serde_json::json;

use crate::cloud::Fault;
use crate::scene::{
    CALLER, CUSTOMER, Scene, event, event_of, refused_with_item, sliding, until_quiet,
};

fn admitted(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.allowed()).count()
}

#[tokio::test]
async fn thirty_at_once_on_two_limiters_admit_exactly_max() {
    let scene = Scene::new(
        json!({"rules": [sliding(&["customer"], 7, 60), sliding(&["caller_id"], 25, 60)]}),
    )
    .await;
    let limiters = [scene.limiter.clone(), scene.another_limiter()];
    let dials = (0..30_u64).map(|contact| {
        let limiter = limiters[contact as usize % 2].clone();
        tokio::spawn(async move {
            limiter
                .handle(event(contact), Duration::from_secs(8))
                .await
                .unwrap()
        })
    });
    let answers: Vec<Answer> = join_all(dials)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    assert_eq!(admitted(&answers), 7, "{answers:?}");
    let counting = |statuses: Vec<_>| {
        statuses
            .into_iter()
            .filter(|status| *status == Admitted)
            .count()
    };
    assert_eq!(
        counting(scene.statuses(&format!("customer|{CUSTOMER}")).await),
        7
    );
    assert_eq!(
        counting(scene.statuses(&format!("caller_id|{CALLER}")).await),
        7,
        "a denied call is not charged anywhere"
    );
}

#[tokio::test]
async fn an_allowed_call_costs_one_round_of_one_write_per_meter_and_one_record() {
    let scene = Scene::new(
        json!({"rules": [sliding(&["customer"], 7, 60), sliding(&["caller_id"], 40, 60)]}),
    )
    .await;
    scene.dial(1).await;
    scene.cloud.forget();
    let answer = scene.dial(2).await;
    assert!(answer.allowed() && answer.get("Reason").is_none());
    assert_eq!(answer.get("PolicyVersion"), Some("1"));
    let requests =
        ["UpdateItem", "PutItem", "GetItem"].map(|operation| scene.cloud.seen(operation).len());
    assert_eq!(requests, [2, 1, 0]);
    let record = scene.record(2).await.unwrap();
    assert_eq!(
        (record.outcome, record.rules.len(), record.rules[0].count),
        (Outcome::Allowed, 2, None)
    );
    assert_eq!(record.customer_number.as_deref(), Some(CUSTOMER));
    assert_eq!(
        scene.ttl(&format!("customer|{CUSTOMER}")).await,
        record.at.as_second() + 60 + 86_400
    );
}

#[tokio::test]
async fn the_same_contact_thrice_is_charged_once_and_answered_alike() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 2, 60)]})).await;
    let thrice = [
        scene.dial(1).await,
        scene.dial(1).await,
        scene.dial(1).await,
    ];
    assert_eq!(admitted(&thrice), 3);
    assert!(
        scene.dial(2).await.allowed(),
        "the repetitions took no place"
    );
    let denied = [
        scene.dial(3).await,
        scene.dial(3).await,
        scene.dial(3).await,
    ];
    assert_eq!(admitted(&denied), 0);
    assert!(
        denied
            .iter()
            .all(|answer| answer.get("RuleId") == Some("customer-rule")
                && answer.get("Stopped") == Some("true"))
    );
    assert_eq!(
        scene.cloud.seen("StopContact").len(),
        3,
        "each delivery stops the contact again"
    );
    assert_eq!(scene.cloud.tasks(), 1);
    let counting = scene.statuses(&format!("customer|{CUSTOMER}")).await;
    assert!(
        counting[4..].iter().all(|status| *status == Void),
        "{counting:?}"
    );
}

#[tokio::test]
async fn deliveries_of_one_contact_at_the_same_instant_agree() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 1, 60)]})).await;
    scene.dial(1).await;
    let answers = join_all((0..3).map(|_| scene.dial(2))).await;
    assert_eq!(admitted(&answers), 0);
    assert_eq!(scene.cloud.tasks(), 1);
    let statuses = scene.statuses(&format!("customer|{CUSTOMER}")).await;
    assert_eq!(statuses, [Admitted, Void, Void, Void]);
}

#[tokio::test]
async fn a_denied_contact_that_comes_back_after_a_place_is_free_stays_denied() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 1, 2)]})).await;
    scene.dial(1).await;
    assert!(!scene.dial(2).await.allowed());
    scene.clock.advance_ms(3_000);
    assert!(!scene.dial(2).await.allowed(), "its decision stands");
    assert!(scene.dial(3).await.allowed(), "and took no place");
}

#[tokio::test]
async fn a_place_is_free_again_exactly_when_the_answer_says() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 1, 60)]})).await;
    scene.dial(1).await;
    scene.clock.advance_ms(20_500);
    let denied = scene.dial(2).await;
    assert_eq!(denied.get("Reason"), Some("customer"));
    assert_eq!(
        denied.get("RetryAfterSeconds"),
        Some("40"),
        "39.5 s, rounded up"
    );
    scene.clock.advance_ms(39_499);
    assert!(!scene.dial(3).await.allowed());
    scene.clock.advance_ms(1);
    assert!(scene.dial(4).await.allowed());
}

#[tokio::test]
async fn until_quiet_counts_what_it_denied() {
    let scene = Scene::new(json!({"rules": [until_quiet(2)]})).await;
    assert!(scene.dial(1).await.allowed());
    scene.clock.advance_ms(59_000);
    assert!(!scene.dial(2).await.allowed());
    scene.clock.advance_ms(60_000);
    assert!(!scene.dial(3).await.allowed());
    assert_eq!(
        scene.statuses(&format!("customer|{CUSTOMER}")).await,
        [Admitted, Denied, Denied]
    );
    scene.clock.advance_ms(60_001);
    assert!(scene.dial(4).await.allowed());
}

#[tokio::test]
async fn a_lost_answer_is_not_charged_twice() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 2, 60)]})).await;
    scene.cloud.fault("UpdateItem", Fault::LoseAnswer, 2);
    assert!(scene.dial(1).await.allowed());
    assert_eq!(
        scene.log(&format!("customer|{CUSTOMER}")).await.len(),
        3,
        "the request was repeated"
    );
    assert!(scene.dial(2).await.allowed());
    scene.cloud.fault("UpdateItem", Fault::LoseAnswer, 1);
    assert!(!scene.dial(3).await.allowed());
    let statuses = scene.statuses(&format!("customer|{CUSTOMER}")).await;
    assert_eq!(
        statuses[4..],
        [Void, Void],
        "all of one's own entries are released"
    );
}

#[tokio::test]
async fn lost_answers_errors_and_repeated_deliveries_at_once_never_over_admit() {
    let rule = sliding(&["customer"], 5, 60);
    let scene = Scene::new(json!({"on_unavailable": "deny", "rules": [rule]})).await;
    for (operation, fault) in [
        ("UpdateItem", Fault::LoseAnswer),
        ("PutItem", Fault::LoseAnswer),
        ("UpdateItem", Fault::Refuse(500, "InternalServerError")),
        ("PutItem", Fault::Refuse(400, "ThrottlingException")),
    ] {
        scene.cloud.fault(operation, fault, 8);
    }
    let another = scene.another_limiter();
    let dials = (0..40_u64).map(|dial| {
        let limiter = if dial % 3 == 0 {
            another.clone()
        } else {
            scene.limiter.clone()
        };
        tokio::spawn(async move {
            limiter
                .handle(event(dial / 2), Duration::from_secs(8))
                .await
                .unwrap()
        })
    });
    let answers: Vec<Answer> = join_all(dials)
        .await
        .into_iter()
        .map(Result::unwrap)
        .collect();
    let by_contact: Vec<usize> = answers.chunks(2).map(admitted).collect();
    let contacts = by_contact.iter().filter(|times| **times > 0).count();
    assert!(contacts <= 5, "{by_contact:?}");
    let unavailable = answers
        .iter()
        .any(|answer| answer.get("Reason") == Some("unavailable"));
    assert!(
        unavailable || contacts == 5,
        "{by_contact:?}: a place was lost"
    );
    assert!(
        unavailable || by_contact.iter().all(|times| *times != 1),
        "{by_contact:?}: two answers for one contact"
    );
}

#[tokio::test]
async fn clocks_two_seconds_apart_never_over_admit() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 3, 10)]})).await;
    let mut answers = Vec::new();
    for contact in 0..12 {
        scene
            .clock
            .advance_ms(if contact % 2 == 0 { 2_000 } else { -2_000 });
        answers.push(scene.dial(contact).await);
    }
    assert_eq!(admitted(&answers), 3);
}

#[tokio::test]
async fn redialling_leaves_a_short_log_and_the_count_exact() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 3, 86_400)]})).await;
    let mut all = Vec::new();
    for round in 0..60_u64 {
        scene.clock.advance_ms(4_000);
        all.extend(join_all((0..4).map(|one| scene.dial(round * 4 + one))).await);
    }
    assert_eq!(admitted(&all), 3);
    let statuses = scene.statuses(&format!("customer|{CUSTOMER}")).await;
    assert_eq!(
        statuses
            .iter()
            .filter(|status| **status == Admitted)
            .count(),
        3
    );
    assert!(
        statuses.len() < 3 + 60 + 2 * 32 + 4,
        "{} entries",
        statuses.len()
    );
}

#[tokio::test]
async fn entries_that_cannot_be_read_stop_nobody() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 1, 60)]})).await;
    let rubbish = ["", "short", "twenty-three bytes but no status", "x"];
    let mut entries: Vec<_> = rubbish
        .iter()
        .map(|text| AttributeValue::B(Blob::new(*text)))
        .collect();
    entries.push(AttributeValue::S("text".to_owned()));
    scene
        .put_log(&format!("customer|{CUSTOMER}"), entries)
        .await;
    assert!(scene.dial(1).await.allowed());
    assert!(!scene.dial(2).await.allowed());
}

#[tokio::test]
async fn emergency_numbers_are_recorded_and_counted_nowhere() {
    let scene = Scene::new(json!({"rules": [sliding(&["caller_id"], 1, 60)]})).await;
    scene.dial(1).await;
    scene.cloud.forget();
    for (contact, number) in [(2, "911"), (3, "+1911"), (4, "933")] {
        let answer = scene
            .dial_event(event_of(contact, number, ""))
            .await
            .unwrap();
        assert!(answer.allowed(), "{number}");
        assert_eq!(answer.get("Reason"), Some("emergency"));
        assert_eq!(
            scene.record(contact).await.unwrap().outcome,
            Outcome::Emergency
        );
    }
    assert!(scene.cloud.seen("UpdateItem").is_empty());
}

#[tokio::test]
async fn spellings_of_one_number_share_a_meter_and_text_has_its_own() {
    let scene = Scene::new(json!({"rules": [sliding(&["customer"], 1, 60)]})).await;
    scene.dial(1).await;
    let dial = |contact, number| scene.dial_event(event_of(contact, number, ""));
    assert!(!dial(2, "(206) 555-0100").await.unwrap().allowed());
    assert!(dial(3, "sip:someone").await.unwrap().allowed());
    assert!(!dial(4, "sip:someone").await.unwrap().allowed());
    let record = scene.record(4).await.unwrap();
    assert!(!record.customer_number_valid);
}

#[tokio::test]
async fn shadow_tells_what_it_would_have_done_and_lets_the_call_out() {
    let scene =
        Scene::new(json!({"mode": "shadow", "rules": [sliding(&["customer"], 1, 60)]})).await;
    scene.dial(1).await;
    let answer = scene.dial(2).await;
    assert!(answer.allowed());
    assert_eq!(
        (answer.get("Reason"), answer.get("Mode")),
        (None, Some("shadow"))
    );
    let record = scene.record(2).await.unwrap();
    assert_eq!(
        (record.outcome, record.stop),
        (Outcome::WouldDeny, StopStatus::NotNeeded)
    );
    assert_eq!(record.rules[0].count, Some(1));
    assert!(scene.cloud.seen("StopContact").is_empty());
}

#[tokio::test]
async fn a_policy_without_rules_touches_no_meter_and_still_leaves_a_record() {
    let scene = Scene::new(json!({"rules": []})).await;
    assert!(scene.dial(1).await.allowed());
    assert!(scene.cloud.seen("UpdateItem").is_empty());
    assert_eq!(scene.record(1).await.unwrap().outcome, Outcome::Allowed);
}

#[tokio::test]
async fn the_store_hands_back_what_made_it_refuse() {
    let scene = Scene::new(json!({})).await;
    assert!(refused_with_item(&scene).await);
}
