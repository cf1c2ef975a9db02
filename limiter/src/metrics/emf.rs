//! The embedded metric format: one JSON object whose `_aws` member says which other members are metrics, and by which
//! dimensions CloudWatch keeps them.

use jiff::Timestamp;
use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

pub const NAMESPACE: &str = "Ringfence";

#[derive(Clone, Copy, Debug, Serialize)]
pub(super) struct Metric {
    #[serde(rename = "Name")]
    name: &'static str,
    #[serde(rename = "Unit")]
    unit: &'static str,
    #[serde(skip)]
    value: f64,
}

impl Metric {
    pub(super) fn count(name: &'static str, value: u32) -> Self {
        let (unit, value) = ("Count", f64::from(value));
        Self { name, unit, value }
    }

    /// To the microsecond; more digits say nothing.
    pub(super) fn milliseconds(name: &'static str, value: std::time::Duration) -> Self {
        let (unit, value) = ("Milliseconds", (value.as_secs_f64() * 1e6).round() / 1e3);
        Self { name, unit, value }
    }
}

/// Some metrics, and the sets of dimensions by each of which they are kept. The empty set means: as a whole.
#[derive(Debug, Serialize)]
pub(super) struct Directive {
    #[serde(rename = "Namespace")]
    namespace: &'static str,
    #[serde(rename = "Dimensions")]
    sets: Vec<Vec<&'static str>>,
    #[serde(rename = "Metrics")]
    metrics: Vec<Metric>,
}

impl Directive {
    pub(super) fn new(sets: Vec<Vec<&'static str>>, metrics: Vec<Metric>) -> Self {
        let namespace = NAMESPACE;
        Self {
            namespace,
            sets,
            metrics,
        }
    }
}

#[derive(Serialize)]
struct Metadata<'a> {
    #[serde(rename = "Timestamp")]
    timestamp: i64,
    #[serde(rename = "CloudWatchMetrics")]
    directives: &'a [Directive],
}

/// All that one log event says.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) at: Timestamp,
    /// Name and value of every dimension that a set refers to.
    pub(super) dimensions: Vec<(&'static str, &'a str)>,
    pub(super) directives: Vec<Directive>,
}

impl Serialize for Document<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut root = serializer.serialize_map(None)?;
        let metadata = Metadata {
            timestamp: self.at.as_millisecond(),
            directives: &self.directives,
        };
        root.serialize_entry("_aws", &metadata)?;
        for (name, value) in &self.dimensions {
            root.serialize_entry(name, value)?;
        }
        for metric in self
            .directives
            .iter()
            .flat_map(|directive| &directive.metrics)
        {
            root.serialize_entry(metric.name, &metric.value)?;
        }
        root.end()
    }
}
