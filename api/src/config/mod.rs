//! The settings, read once from the environment; the only reader of it.
//!
//! Invariant: everything that is wrong is told at once, by the names of the variables. Secrets have no readable `Debug`.

mod identity;
mod reader;
mod secret;
mod settings;

pub use reader::{ConfigError, Fault};
pub use secret::Secret;
pub use settings::{DRAIN_SECONDS_MAX, JwtConfig, LimiterFunction, Settings, Tables};

use std::collections::BTreeMap;

use reader::Reader;

const PREFIX: &str = "RINGFENCE_";

/// What every command with a database needs.
pub fn database_url(lookup: impl Fn(&str) -> Option<String>) -> Result<Secret, ConfigError> {
    let mut reader = Reader::new(&lookup);
    let url = settings::database_url(&mut reader);
    reader.finish(url)
}

/// Everything that `serve` and `work` need.
pub fn settings(lookup: impl Fn(&str) -> Option<String>) -> Result<Settings, ConfigError> {
    let mut reader = Reader::new(&lookup);
    let settings = settings::read(&mut reader);
    reader.finish(settings)
}

/// What a look at the settings found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    /// Every variable that means something here, and whether it is set.
    pub known: BTreeMap<&'static str, bool>,
    /// Variables that look like ours and are none: mostly a slip of the pen, whose intended setting is not in effect.
    pub unknown: Vec<String>,
    pub outcome: Result<(), ConfigError>,
}

/// Reads all settings without using them. `names` are the variables that are set.
pub fn check(
    lookup: impl Fn(&str) -> Option<String>,
    names: impl IntoIterator<Item = String>,
) -> Check {
    let mut reader = Reader::new(&lookup);
    let settings = settings::read(&mut reader);
    let known = reader.asked();
    let unknown = names
        .into_iter()
        .filter(|name| name.starts_with(PREFIX) && !known.contains_key(name.as_str()))
        .collect();
    Check {
        known,
        unknown,
        outcome: reader.finish(settings).map(|_| ()),
    }
}

/// Whether an OpenTelemetry collector is named. The exporter reads the variables itself.
pub fn exports_spans(lookup: impl Fn(&str) -> Option<String>) -> bool {
    let is_set = |name: &str| lookup(name).is_some_and(|value| !value.trim().is_empty());
    let is_off =
        lookup("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    !is_off
        && (is_set("OTEL_EXPORTER_OTLP_ENDPOINT") || is_set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"))
}

/// The names of the process's own variables.
pub fn names_of_process() -> impl Iterator<Item = String> {
    std::env::vars_os().map(|(name, _)| name.to_string_lossy().into_owned())
}

/// The process's own environment. A variable that is not text counts as wrong where it is used, not as absent.
#[must_use]
pub fn from_process(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}
