//! Whole decisions through the limiter's own adapters: what a caller is told, and what then stands in the store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use futures::future::join_all;
use jiff::Timestamp;
use ringfence_limiter::adapters::Aws;
use ringfence_limiter::{Answer, Clock, Limiter, Settings};
use serde_json::{Value, json};

use crate::place::{Item, Place, in_store, text};

const INSTANCE: &str = "arn:aws:connect:us-east-1:111122223333:instance/one";
const CUSTOMER: &str = "+12065550100";
const CALLER: &str = "+12065550199";

const ADMITTED: u8 = 0;
const VOID: u8 = 1;
const VOID_ALONE: u8 = 4;
const DENIED: u8 = 2;

struct StandingClock(AtomicI64);

impl Clock for StandingClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millisecond(self.0.load(Ordering::SeqCst)).unwrap()
    }
}

/// An instance under a policy, and three limiters that share nothing but the tables.
struct Desk<'a> {
    place: &'a Place,
    clock: Arc<StandingClock>,
    settings: Settings,
    limiters: Vec<Arc<Limiter>>,
}

impl<'a> Desk<'a> {
    async fn new(place: &'a Place, rules: Value) -> Self {
        let start: Timestamp = "2026-11-25T18:00:00Z".parse().unwrap();
        let clock = Arc::new(StandingClock(AtomicI64::new(start.as_millisecond())));
        let settings = Settings {
            policies_table: place.table.clone(),
            meters_table: place.new_table().await,
            decisions_table: place.new_table().await,
            // A slow store is no part of what is tried here.
            decision_deadline: Duration::from_secs(6),
            ..Settings::default()
        };
        let limiter = |_| {
            let aws = Aws::new(place.config.clone());
            Arc::new(Limiter::new(settings.clone(), aws, clock.clone()))
        };
        let limiters = (0..3).map(limiter).collect();
        let snapshot = json!({
            "schema": 1, "tenant_id": "ten_1", "instance_id": "ins_1", "instance_arn": INSTANCE, "status": "active",
            "revision": 1, "policy_id": "pol_1", "policy_version": 1, "policy": {"rules": rules},
            "runtime_role_arn": "arn:aws:iam::111122223333:role/runtime", "external_id": "external",
            "notice_flow_id": "flow", "published_at": "2026-11-25T17:00:00Z"
        });
        let item = [
            ("pk", text(INSTANCE)),
            ("snapshot", text(&snapshot.to_string())),
        ];
        place
            .put(item.map(|(name, value)| (name.to_owned(), value)).into())
            .await;
        Self {
            place,
            clock,
            settings,
            limiters,
        }
    }

    async fn dial(&self, contact: usize) -> Answer {
        let limiter = &self.limiters[contact % self.limiters.len()];
        self.deliver(limiter, contact).await
    }

    async fn deliver(&self, limiter: &Limiter, contact: usize) -> Answer {
        let event = json!({"Name": "ContactFlowEvent", "Details": {
            "ContactData": {
                "Attributes": {}, "Channel": "VOICE", "ContactId": format!("4a573372-1f28-4e26-b97b-{contact:012}"),
                "CustomerEndpoint": {"Address": CUSTOMER, "Type": "TELEPHONE_NUMBER"}, "InstanceARN": INSTANCE,
                "Queue": {"ARN": format!("{INSTANCE}/queue/q"), "OutboundCallerId": {"Address": CALLER}},
                "SystemEndpoint": null
            },
            "Parameters": {"AgentARN": format!("{INSTANCE}/agent/one")}
        }});
        limiter.handle(event, Duration::from_secs(8)).await.unwrap()
    }

    fn advance_ms(&self, by: i64) {
        self.clock.0.fetch_add(by, Ordering::SeqCst);
    }

    async fn meter(&self, selector: &str) -> Item {
        let pk = format!("{INSTANCE}|{selector}");
        self.place
            .item(&self.settings.meters_table, &pk)
            .await
            .expect("a meter")
    }

    /// The first byte of each entry: what has become of it.
    async fn statuses(&self, selector: &str) -> Vec<u8> {
        let meter = self.meter(selector).await;
        let places = meter["log"].as_l().unwrap().iter();
        places
            .map(|place| place.as_b().unwrap().as_ref()[0])
            .collect()
    }
}

fn sliding(per: &[&str], max: u32) -> Value {
    json!({"id": per.join("-").replace('_', "-"), "per": per, "limit": {"kind": "sliding", "max": max, "window_seconds": 60}})
}

fn allowed(answers: &[Answer]) -> usize {
    answers.iter().filter(|answer| answer.allowed()).count()
}

fn count(statuses: &[u8], wanted: u8) -> usize {
    statuses.iter().filter(|status| **status == wanted).count()
}

#[tokio::test]
async fn sliding_admits_exactly_its_maximum_and_charges_no_meter_for_what_was_denied() {
    in_store(async |place| {
        let rules = json!([sliding(&["customer"], 4), sliding(&["caller_id"], 30)]);
        let desk = Desk::new(place, rules).await;
        let answers = join_all((0..30).map(|contact| desk.dial(contact))).await;
        assert_eq!(allowed(&answers), 4, "{answers:?}");
        for selector in [
            format!("customer|{CUSTOMER}"),
            format!("caller_id|{CALLER}"),
        ] {
            let statuses = desk.statuses(&selector).await;
            // A store that is slow under thirty at once may take a place back before the record of its denial.
            let released = count(&statuses, VOID) + count(&statuses, VOID_ALONE);
            assert_eq!(
                (count(&statuses, ADMITTED), released),
                (4, 26),
                "{selector}"
            );
        }
        desk.advance_ms(59_999);
        assert!(!desk.dial(100).await.allowed());
        desk.advance_ms(1);
        assert!(desk.dial(101).await.allowed());
    })
    .await;
}

#[tokio::test]
async fn until_quiet_denies_until_it_is_quiet_and_keeps_what_it_denied() {
    in_store(async |place| {
        let rule = json!({"id": "quiet", "per": ["customer"], "limit": {"kind": "until_quiet", "block_at": 3, "quiet_seconds": 60}});
        let desk = Desk::new(place, json!([rule])).await;
        let mut answers = Vec::new();
        for contact in 0..4 {
            answers.push(desk.dial(contact).await.allowed());
            desk.advance_ms(30_000);
        }
        assert_eq!(answers, [true, true, false, false]);
        let statuses = desk.statuses(&format!("customer|{CUSTOMER}")).await;
        assert_eq!(statuses, [ADMITTED, ADMITTED, DENIED, DENIED]);
        desk.advance_ms(30_001);
        assert!(desk.dial(10).await.allowed());
    })
    .await;
}

#[tokio::test]
async fn a_contact_delivered_several_times_is_charged_once_and_answered_alike() {
    in_store(async |place| {
        let desk = Desk::new(place, json!([sliding(&["customer"], 2)])).await;
        let one = join_all(desk.limiters.iter().map(|limiter| desk.deliver(limiter, 1))).await;
        assert_eq!(allowed(&one), 3);
        assert!(
            desk.dial(2).await.allowed(),
            "the repetitions took no place"
        );
        for _ in 0..2 {
            let denied =
                join_all(desk.limiters.iter().map(|limiter| desk.deliver(limiter, 3))).await;
            assert_eq!(allowed(&denied), 0, "{denied:?}");
        }
        assert!(desk.deliver(&desk.limiters[2], 1).await.allowed());
    })
    .await;
}

#[tokio::test]
async fn a_long_line_is_shortened_and_the_limit_holds_all_the_same() {
    in_store(async |place| {
        let desk = Desk::new(place, json!([sliding(&["customer"], 3)])).await;
        let mut admitted = 0;
        for contact in 0..80 {
            admitted += usize::from(desk.dial(contact).await.allowed());
            desk.advance_ms(10_000);
        }
        // Three of the six calls in each minute, and two more.
        assert_eq!(admitted, 13 * 3 + 2);
        let places = desk.statuses(&format!("customer|{CUSTOMER}")).await.len();
        assert!(places < 60, "{places}");
    })
    .await;
}
