//! Reads variables one by one and collects what is wrong with them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt;
use std::str::FromStr;

/// One variable that is missing or wrong. The text never repeats the value, which may be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub variable: &'static str,
    pub problem: String,
}

/// All that is wrong with the settings.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub struct ConfigError(pub Vec<Fault>);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the settings are not complete:")?;
        for Fault { variable, problem } in &self.0 {
            write!(f, "\n  {variable} {problem}")?;
        }
        Ok(())
    }
}

pub(super) struct Reader<'a> {
    lookup: &'a dyn Fn(&str) -> Option<String>,
    faults: Vec<Fault>,
    /// Every variable that was looked for, and whether it was there.
    asked: RefCell<BTreeMap<&'static str, bool>>,
}

impl<'a> Reader<'a> {
    pub fn new(lookup: &'a dyn Fn(&str) -> Option<String>) -> Self {
        Self {
            lookup,
            faults: Vec::new(),
            asked: RefCell::default(),
        }
    }

    pub fn fault(&mut self, variable: &'static str, problem: impl Into<String>) {
        self.faults.push(Fault {
            variable,
            problem: problem.into(),
        });
    }

    /// The value; an empty one counts as not set.
    pub fn optional(&self, variable: &'static str) -> Option<String> {
        let value = (self.lookup)(variable)
            .map(|value| value.trim().to_owned())
            .filter(|value| !value.is_empty());
        self.asked.borrow_mut().insert(variable, value.is_some());
        value
    }

    /// The variables that were looked for, and whether each was set.
    pub fn asked(&self) -> BTreeMap<&'static str, bool> {
        self.asked.borrow().clone()
    }

    pub fn required(&mut self, variable: &'static str) -> Option<String> {
        let value = self.optional(variable);
        if value.is_none() {
            self.fault(variable, "is not set");
        }
        value
    }

    pub fn parsed_or<T: FromStr>(&mut self, variable: &'static str, default: T, wanted: &str) -> T {
        let Some(text) = self.optional(variable) else {
            return default;
        };
        text.parse().unwrap_or_else(|_| {
            self.fault(variable, format!("must be {wanted}"));
            default
        })
    }

    pub fn finish<T>(self, value: Option<T>) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.faults.is_empty() => Ok(value),
            _ => Err(ConfigError(self.faults)),
        }
    }
}
