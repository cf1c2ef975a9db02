//! Two limiter hosts on one store, one clock two seconds ahead and one two seconds behind, across the edges of windows and
//! days.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;
use ringfence_limiter::{Answer, Limiter};
use ringfence_policy::EntryStatus::Admitted;
use serde_json::{Value, json};

use crate::scene::{CUSTOMER, ManualClock, Scene, event, sliding};

const SKEW_MS: i64 = 2_000;
const WINDOW_MS: u64 = 60_000;

struct Host {
    clock: Arc<ManualClock>,
    limiter: Limiter,
}

struct Hosts {
    scene: Scene,
    ahead: Host,
    behind: Host,
    contacts: u64,
}

impl Hosts {
    async fn under(policy: Value) -> Self {
        let scene = Scene::new(policy).await;
        let host = |off_ms| {
            let clock = scene.clock.another(off_ms);
            let limiter = scene.limiter_by(clock.clone());
            Host { clock, limiter }
        };
        Self {
            ahead: host(SKEW_MS),
            behind: host(-SKEW_MS),
            scene,
            contacts: 0,
        }
    }

    fn pass(&self, ms: i64) {
        self.ahead.clock.advance_ms(ms);
        self.behind.clock.advance_ms(ms);
    }

    fn next(&mut self) -> Value {
        self.contacts += 1;
        event(self.contacts)
    }

    async fn ahead(&mut self) -> Answer {
        let event = self.next();
        dial(&self.ahead, event).await
    }

    async fn behind(&mut self) -> Answer {
        let event = self.next();
        dial(&self.behind, event).await
    }

    /// So many on each host, all at once; how many were let go.
    async fn both(&mut self, each: usize) -> usize {
        let events: Vec<Value> = (0..2 * each).map(|_| self.next()).collect();
        let hosts = [&self.ahead, &self.behind].into_iter().cycle();
        let answers = hosts
            .zip(events)
            .map(|(host, event)| dial(host, event))
            .collect::<Vec<_>>();
        let answers = join_all(answers).await;
        answers.iter().filter(|answer| answer.allowed()).count()
    }
}

async fn dial(host: &Host, event: Value) -> Answer {
    let lasts = Duration::from_secs(8);
    host.limiter.handle(event, lasts).await.unwrap()
}

/// Whoever reads the log sees the promise kept by the meter's own time, and time differs from it by no more than clocks do.
#[tokio::test]
async fn two_hosts_whose_clocks_differ_admit_no_more_than_the_limit_across_the_edge_of_a_window() {
    const MAX: usize = 2;
    let mut hosts = Hosts::under(json!({"rules": [sliding(&["customer"], 2, 60)]})).await;
    let mut admitted: Vec<(i64, usize)> = Vec::new();
    let mut now_ms = 0;
    let edges = [
        55_999, 56_000, 58_000, 59_999, 60_000, 60_001, 62_000, 64_000,
    ];
    for at_ms in [0]
        .into_iter()
        .chain(edges)
        .chain(edges.map(|ms| ms + 60_000))
    {
        hosts.pass(at_ms - now_ms);
        now_ms = at_ms;
        admitted.push((at_ms, hosts.both(3).await));
    }
    assert_eq!(admitted[0].1, MAX, "a crowd fills the window and no more");
    for (from_ms, _) in &admitted {
        let within = |at_ms: &i64| (*from_ms..from_ms + 60_000 - 2 * SKEW_MS).contains(at_ms);
        let count: usize = admitted
            .iter()
            .filter(|(at_ms, _)| within(at_ms))
            .map(|(_, count)| count)
            .sum();
        assert!(count <= MAX, "{count} from {from_ms} ms on: {admitted:?}");
    }
    let total: usize = admitted.iter().map(|(_, count)| count).sum();
    assert!(total >= 2 * MAX, "windows do end: {admitted:?}");
    let log = hosts.scene.log(&format!("customer|{CUSTOMER}")).await;
    let mut latest_ms = 0;
    let mut times_ms: Vec<u64> = Vec::new();
    for entry in log {
        latest_ms = entry.at_ms.max(latest_ms);
        if entry.status == Admitted {
            times_ms.push(latest_ms);
        }
    }
    for (index, at_ms) in times_ms.iter().enumerate() {
        let before = times_ms[..index]
            .iter()
            .filter(|other| **other + WINDOW_MS > *at_ms);
        assert!(before.count() < MAX, "{times_ms:?}");
    }
}

#[tokio::test]
async fn the_host_behind_admits_no_earlier_than_the_moment_that_the_one_ahead_has_told() {
    let mut hosts = Hosts::under(json!({"rules": [sliding(&["customer"], 1, 60)]})).await;
    assert!(hosts.ahead().await.allowed());
    let denied = hosts.behind().await;
    assert_eq!(
        denied.get("RetryAfterSeconds"),
        Some("64"),
        "by its own clock"
    );
    hosts.pass(63_999);
    assert_eq!(hosts.behind().await.get("RetryAfterSeconds"), Some("1"));
    hosts.pass(1);
    assert!(hosts.behind().await.allowed(), "exactly then");
}

#[tokio::test]
async fn the_host_ahead_admits_at_most_as_much_too_early_as_the_clocks_differ() {
    let mut hosts = Hosts::under(json!({"rules": [sliding(&["customer"], 1, 60)]})).await;
    assert!(hosts.behind().await.allowed());
    hosts.pass(60_000 - 2 * SKEW_MS - 1);
    assert!(!hosts.ahead().await.allowed());
    hosts.pass(1);
    assert!(
        hosts.ahead().await.allowed(),
        "a minute by the meter's time"
    );
    let denied = hosts.behind().await;
    assert!(!denied.allowed(), "and no time is won by asking the other");
    hosts.pass(60_000 - 1);
    assert!(!hosts.ahead().await.allowed());
}

#[tokio::test]
async fn a_day_that_has_begun_on_one_host_is_not_the_day_before_on_the_other() {
    let limit = json!({"kind": "calendar", "max": 1, "period": "day", "time_zone": "UTC"});
    let rule = json!({"id": "daily", "per": ["customer"], "limit": limit});
    let mut hosts = Hosts::under(json!({ "rules": [rule] })).await;
    let to_a_second_before_midnight = 6 * 3_600_000 - 1_000;
    hosts.pass(to_a_second_before_midnight);
    assert!(hosts.behind().await.allowed(), "today's only one");
    assert!(hosts.ahead().await.allowed(), "it shows tomorrow already");
    for _ in 0..4 {
        assert_eq!(hosts.both(1).await, 0, "tomorrow's is taken on both");
        hosts.pass(1_000);
    }
    hosts.pass(24 * 3_600_000 - 3_000 - SKEW_MS - 1);
    assert_eq!(hosts.both(1).await, 0);
    hosts.pass(1);
    assert!(
        hosts.ahead().await.allowed(),
        "the day after, by the clock ahead"
    );
    assert!(!hosts.behind().await.allowed());
}
