//! How fast Ringfence may ask Amazon Connect, and Lambda about functions: at most half of what each account is granted in a
//! region.
//!
//! The quota belongs to the customer, whose own software must never starve; the operator's account has other software, too. Which requests share a bucket is not
//! documented beyond doubt; all operations of the default quota share one here, which is right either way.

use std::time::Duration;

/// Where the service counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub account_id: String,
    pub region: String,
}

/// What is counted there, each on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quota {
    /// Two a second, five at once: everything that installs, verifies and looks.
    Operations,
    /// StopContact and its kind: ten a second, fifteen at once.
    Contacts,
    /// StartTaskContact: two a second, five at once.
    Tasks,
    /// Lambda's GetPolicy: fifteen a second, which cannot be raised.
    FunctionPolicyReads,
    /// All other operations of Lambda's control plane together: fifteen a second, which cannot be raised.
    FunctionChanges,
}

impl Quota {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Operations => "operations",
            Self::Contacts => "contacts",
            Self::Tasks => "tasks",
            Self::FunctionPolicyReads => "function_policy_reads",
            Self::FunctionChanges => "function_changes",
        }
    }

    /// How many times the default quota of Connect it is.
    fn factor(self) -> f64 {
        match self {
            Self::Operations | Self::Tasks => 1.0,
            Self::Contacts => 5.0,
            Self::FunctionPolicyReads | Self::FunctionChanges => 7.0,
        }
    }

    /// Half of what is let through at once.
    fn burst(self) -> u32 {
        match self {
            Self::Operations | Self::Tasks => 2,
            Self::Contacts | Self::FunctionPolicyReads | Self::FunctionChanges => 7,
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
    /// How far requests of all kinds of callers together may run ahead.
    pub burst: Duration,
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
        let burst = interval * (quota.burst() - 1);
        match urgency {
            Urgency::Asked => Self {
                interval,
                tolerance: burst,
                burst,
                wait_max: Some(ASKED_WAIT_MAX.max(interval * quota.burst())),
            },
            Urgency::Background => Self {
                interval,
                tolerance: Duration::ZERO,
                burst,
                wait_max: None,
            },
        }
    }

    /// How long to wait for turns that were just taken.
    #[must_use]
    pub fn wait(&self, taken: Taken) -> Duration {
        // The last turn lies one interval before the time at which the next is free.
        let turn = taken.next.saturating_sub(self.interval + self.tolerance);
        // Two that go out together use the burst up, which nobody can do once more right after them.
        let room = taken.level.saturating_sub(self.interval + self.burst);
        turn.max(room).max(taken.pause)
    }
}

/// Where an account stands with turns just taken, as spans from now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Taken {
    /// Until the next turn is free.
    pub next: Duration,
    /// Until all that was let through is made up for.
    pub level: Duration,
    /// Until anybody may ask again after a throttle.
    pub pause: Duration,
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
            (Quota::FunctionPolicyReads, 15.0, 15),
            (Quota::FunctionChanges, 15.0, 15),
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

    #[test]
    fn a_turn_is_as_late_as_its_place_the_burst_and_a_pause_have_it() {
        let asked = Pace::new(1.0, Quota::Operations, Urgency::Asked);
        let background = Pace::new(1.0, Quota::Operations, Urgency::Background);
        for (pace, next, level, pause, wait) in [
            (background, 1, 1, 0, 0),
            (background, 3, 3, 0, 2),
            (asked, 2, 2, 0, 0),
            (asked, 3, 3, 0, 1),
            // Right after two that go out together a second from now.
            (background, 3, 4, 0, 2),
            (asked, 3, 4, 0, 2),
            (asked, 1, 1, 5, 5),
            (background, 7, 7, 5, 6),
        ] {
            let seconds = Duration::from_secs;
            let taken = Taken {
                next: seconds(next),
                level: seconds(level),
                pause: seconds(pause),
            };
            assert_eq!(pace.wait(taken), seconds(wait), "{pace:?} {taken:?}");
        }
    }
}
