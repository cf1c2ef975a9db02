//! Settings from the environment; all that is wrong is told together.

use std::time::Duration;

use tracing::level_filters::LevelFilter;

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub policies_table: String,
    pub meters_table: String,
    pub decisions_table: String,
    /// From the event to the decision; what comes after a denial has the rest of the invocation.
    pub decision_deadline: Duration,
    /// How long a policy is served before it is read again.
    pub policy_max_age: Duration,
    /// None in a release build, whatever the environment says.
    pub test_panic: Option<TestPanic>,
}

/// Where the limiter panics at each invocation, so that a test through the real program sees what becomes of it:
/// `RINGFENCE_TEST_PANIC` is `counting`, `concluding` or `notice`, and is read by a debug build alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TestPanic {
    Counting,
    Concluding,
    Notice,
}

impl TestPanic {
    fn read(variable: impl Fn(&str) -> Option<String>) -> Option<Self> {
        if !cfg!(debug_assertions) {
            return None;
        }
        match variable("RINGFENCE_TEST_PANIC")?.as_str() {
            "counting" => Some(Self::Counting),
            "concluding" => Some(Self::Concluding),
            "notice" => Some(Self::Notice),
            _ => None,
        }
    }

    #[expect(clippy::panic, reason = "what a test has asked for")]
    pub(crate) fn strike(self, asked_for: Option<Self>) {
        if cfg!(debug_assertions) && asked_for == Some(self) {
            panic!("as a test has asked for");
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            policies_table: "ringfence-policies".to_owned(),
            meters_table: "ringfence-meters".to_owned(),
            decisions_table: "ringfence-decisions".to_owned(),
            decision_deadline: Duration::from_millis(1500),
            policy_max_age: Duration::from_secs(5),
            test_panic: None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
#[error("wrong settings: {}", .0.join("; "))]
pub struct SettingsError(Vec<String>);

impl Settings {
    /// `RUST_LOG` is one level for all; filters by module would be work for every event that is not logged. Never below
    /// `info`, where the libraries may show what they send: numbers, and the external id.
    pub fn log_level() -> LevelFilter {
        Self::read_log_level(std::env::var("RUST_LOG").ok())
    }

    fn read_log_level(named: Option<String>) -> LevelFilter {
        named
            .and_then(|name| name.parse().ok())
            .map_or(LevelFilter::INFO, |level: LevelFilter| {
                level.min(LevelFilter::INFO)
            })
    }

    pub fn from_environment() -> Result<Self, SettingsError> {
        Self::read(|name| std::env::var(name).ok())
    }

    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self, SettingsError> {
        let defaults = Self::default();
        let mut faults = Vec::new();
        let table = |name: &str, default: String| {
            variable(name)
                .filter(|text| !text.is_empty())
                .unwrap_or(default)
        };
        let policies_table = table("RINGFENCE_POLICIES_TABLE", defaults.policies_table);
        let meters_table = table("RINGFENCE_METERS_TABLE", defaults.meters_table);
        let decisions_table = table("RINGFENCE_DECISIONS_TABLE", defaults.decisions_table);
        let mut number = |name: &str, least: u64, most: u64, default: u64| {
            let Some(text) = variable(name).filter(|text| !text.is_empty()) else {
                return default;
            };
            match text.parse::<u64>() {
                Ok(value) if (least..=most).contains(&value) => value,
                _ => {
                    faults.push(format!(
                        "{name} must be a whole number from {least} to {most}"
                    ));
                    default
                }
            }
        };
        let decision_deadline_ms = number("RINGFENCE_DECISION_DEADLINE_MS", 50, 6000, 1500);
        let policy_max_age_seconds = number("RINGFENCE_POLICY_MAX_AGE_SECONDS", 0, 3600, 5);
        if !faults.is_empty() {
            return Err(SettingsError(faults));
        }
        Ok(Self {
            policies_table,
            meters_table,
            decisions_table,
            decision_deadline: Duration::from_millis(decision_deadline_ms),
            policy_max_age: Duration::from_secs(policy_max_age_seconds),
            test_panic: TestPanic::read(&variable),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_environment_gives_the_defaults() {
        assert_eq!(Settings::read(|_| None).unwrap(), Settings::default());
    }

    #[test]
    fn no_environment_makes_libraries_show_what_they_send() {
        for (named, level) in [
            (None, LevelFilter::INFO),
            (Some("trace"), LevelFilter::INFO),
            (Some("debug"), LevelFilter::INFO),
            (Some("aws_smithy_runtime=trace"), LevelFilter::INFO),
            (Some("warn"), LevelFilter::WARN),
            (Some("off"), LevelFilter::OFF),
        ] {
            let named = named.map(str::to_owned);
            assert_eq!(Settings::read_log_level(named.clone()), level, "{named:?}");
        }
    }

    #[test]
    fn all_faults_are_told_together() {
        let told = Settings::read(|name| {
            name.contains("_MS")
                .then(|| "soon".to_owned())
                .or(Some("-1".to_owned()))
        });
        let told = told.unwrap_err().to_string();
        assert!(
            told.contains("RINGFENCE_DECISION_DEADLINE_MS")
                && told.contains("RINGFENCE_POLICY_MAX_AGE_SECONDS")
        );
    }
}
