//! The settings, read once from the environment; the only reader of it.
//!
//! Invariant: everything that is wrong is told at once, by the names of the variables. Secrets have no readable `Debug`.

mod reader;
mod secret;
mod settings;

pub use reader::{ConfigError, Fault};
pub use secret::Secret;
pub use settings::{JwtConfig, LimiterFunction, Settings, Tables};

use reader::Reader;

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

/// The process's own environment. A variable that is not text counts as wrong where it is used, not as absent.
#[must_use]
pub fn from_process(name: &str) -> Option<String> {
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}
