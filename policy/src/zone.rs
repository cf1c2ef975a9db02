//! A time zone, by its IANA name.
//!
//! Zones come from the database within the program and never from the host's, so that every program that reads a policy
//! counts the same days.

use std::fmt;

use jiff::tz::{TimeZone, TimeZoneDatabase};
use serde::{Serialize, Serializer};

/// The name of a zone that jiff knows and IANA does not: it stands for "unknown".
const UNKNOWN: &str = "Etc/Unknown";

#[derive(Clone)]
pub struct Zone(TimeZone);

impl Zone {
    pub const UTC: Self = Self(TimeZone::UTC);

    /// The zone of this name, whatever its capitals.
    pub fn parse(name: &str) -> Option<Self> {
        let zone = TimeZoneDatabase::bundled().get(name).ok()?;
        zone.iana_name().filter(|name| *name != UNKNOWN)?;
        Some(Self(zone))
    }

    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }

    pub fn time_zone(&self) -> &TimeZone {
        &self.0
    }
}

impl Default for Zone {
    fn default() -> Self {
        Self::UTC
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Zone {}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Serialize for Zone {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_has_the_name_it_was_asked_by_in_its_usual_capitals() {
        for (asked, name) in [
            ("Europe/London", "Europe/London"),
            ("america/new_york", "America/New_York"),
            ("UTC", "UTC"),
            ("US/Pacific", "US/Pacific"),
        ] {
            assert_eq!(Zone::parse(asked).unwrap().name(), name);
        }
    }

    #[test]
    fn what_is_no_zone_is_none() {
        for name in [
            "",
            "Mars/Olympus",
            "UTC+1",
            "EST5EDT,M3.2.0,M11.1.0",
            UNKNOWN,
            "../etc/passwd",
        ] {
            assert!(Zone::parse(name).is_none(), "{name}");
        }
    }
}
