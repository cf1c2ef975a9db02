//! How fast Ringfence may ask Amazon Connect: at most half of what each customer account is granted in a region.
//!
//! The quota belongs to the customer, whose own software must never starve. Which requests share a bucket is not
//! documented beyond doubt; all operations of the default quota share one here, which is right either way.

use std::time::Duration;

/// Where Connect counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub account_id: String,
    pub region: String,
}

/// What Connect counts there, each on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Two a second, five at once: everything that installs, verifies and looks.
    Operations,
    /// StopContact and its kind: ten a second, fifteen at once.
    Contacts,
    /// StartTaskContact: two a second, five at once.
    Tasks,
}

impl Quota {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Contacts => "contacts",
            Self::Tasks => "tasks",
        }
    }

    /// How many times the default quota it is.
    fn factor(self) -> f64 {
        match self {
            Self::Operations | Self::Tasks => 1.0,
            Self::Contacts => 5.0,
        }
    }

    /// Half of what Connect lets through at once.
    fn burst(self) -> u32 {
        match self {
            Self::Operations | Self::Tasks => 2,
            Self::Contacts => 7,
        }
    }
}

/// Who waits for the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A person: may use the burst, and is told rather than kept waiting when the queue is long.
    Asked,
    /// Nobody: keeps the plain distance, so that the burst is there for people.
    Background,
}

/// The distance between requests of one quota, and how far they may run ahead of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    pub interval: Duration,
    pub tolerance: Duration,
    /// A longer wait is refused; without one, every wait is taken.
    pub wait_max: Option<Duration>,
}

/// Requests that a person waits for are refused when their turn is further off; the whole answer must come in time.
const ASKED_WAIT_MAX: Duration = Duration::from_secs(15);

impl Pace {
    /// `requests_per_second` is the share of the default quota.
    #[must_use]
    pub fn new(requests_per_second: f64, quota: Quota, urgency: Urgency) -> Self {
        let per_second = requests_per_second.clamp(0.01, 1000.0) * quota.factor();
        let interval = Duration::from_secs_f64(1.0 / per_second);
        match urgency {
            Urgency::Asked => Self {
                interval,
                tolerance: interval * (quota.burst() - 1),
                wait_max: Some(ASKED_WAIT_MAX.max(interval * quota.burst())),
            },
            Urgency::Background => Self {
                interval,
                tolerance: Duration::ZERO,
                wait_max: None,
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_each_documented_quota_is_the_most() {
        for (quota, per_second, burst) in [
            (Quota::Operations, 2.0, 5),
            (Quota::Tasks, 2.0, 5),
            (Quota::Contacts, 10.0, 15),
        ] {
            let pace = Pace::new(1.0, quota, Urgency::Asked);
            let ours = 1.0 / pace.interval.as_secs_f64();
            assert!(ours <= per_second / 2.0, "{quota:?}: {ours} a second");
            let at_once = pace.tolerance.as_secs_f64() / pace.interval.as_secs_f64() + 1.0;
            assert!(
                at_once <= f64::from(burst) / 2.0,
                "{quota:?}: {at_once} at once"
            );
        }
    }

    #[test]
    fn background_work_leaves_the_burst_to_people() {
        let pace = Pace::new(1.0, Quota::Operations, Urgency::Background);
        assert_eq!(pace.tolerance, Duration::ZERO);
        assert_eq!(pace.interval, Duration::from_secs(1));
    }
}
