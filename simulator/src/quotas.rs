//! Request quotas of Amazon Connect, per operation, and of Lambda's control plane: token buckets per account and Region, as
//! documented. On by default.
//!
//! The other services' quotas are far above what one machine can ask for, and so are Lambda's for invocations and GetFunction.
//! How many requests at once Lambda lets through is not documented: it is taken to be as many as in a second.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use jiff::Timestamp;

use crate::aws::AwsError;

/// Requests per second, and how many at once after a pause.
#[derive(Debug, Clone, Copy)]
struct Limit {
    per_second: f64,
    burst: f64,
}

const DEFAULT: Limit = Limit {
    per_second: 2.0,
    burst: 5.0,
};

const LAMBDA: Limit = Limit {
    per_second: 15.0,
    burst: 15.0,
};

/// The bucket that a request is taken from, and its size.
fn bucket<'a>(service: &str, operation: &'a str) -> Option<(&'a str, Limit)> {
    match (service, operation) {
        ("connect", _) => Some((operation, connect(operation))),
        ("lambda", "Invoke" | "GetFunction") => None,
        ("lambda", "GetPolicy") => Some((operation, LAMBDA)),
        ("lambda", _) => Some(("the rest of Lambda's control plane", LAMBDA)),
        _ => None,
    }
}

fn connect(operation: &str) -> Limit {
    let (per_second, burst) = match operation {
        "StopContact"
        | "DescribeContact"
        | "UpdateContactAttributes"
        | "GetContactAttributes"
        | "UpdateContact" => (10.0, 15.0),
        "GetCurrentMetricData" => (5.0, 8.0),
        "SearchContacts" => (0.5, 1.0),
        "TagContact" => (20.0, 25.0),
        _ => return DEFAULT,
    };
    Limit { per_second, burst }
}

#[derive(Debug)]
struct Bucket {
    tokens: f64,
    at: Timestamp,
}

type Key = (String, String, String);

#[derive(Debug)]
pub struct Quotas(Mutex<Inner>);

#[derive(Debug)]
struct Inner {
    enabled: bool,
    scale: f64,
    buckets: HashMap<Key, Bucket>,
}

impl Default for Quotas {
    fn default() -> Self {
        Self(Mutex::new(Inner {
            enabled: true,
            scale: 1.0,
            buckets: HashMap::new(),
        }))
    }
}

impl Quotas {
    /// Takes one request out of its bucket; false when the bucket is empty.
    pub fn take(
        &self,
        service: &str,
        operation: &str,
        account_id: &str,
        region: &str,
        now: Timestamp,
    ) -> bool {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some((bucket, documented)) = bucket(service, operation).filter(|_| inner.enabled)
        else {
            return true;
        };
        let limit = Limit {
            per_second: documented.per_second * inner.scale,
            burst: documented.burst * inner.scale,
        };
        let key = (bucket.to_owned(), account_id.to_owned(), region.to_owned());
        let bucket = inner.buckets.entry(key).or_insert(Bucket {
            tokens: limit.burst,
            at: now,
        });
        let passed = now.duration_since(bucket.at).as_secs_f64().max(0.0);
        bucket.tokens = (bucket.tokens + passed * limit.per_second).min(limit.burst);
        bucket.at = bucket.at.max(now);
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }

    /// Switching on starts with full buckets.
    pub fn switch(&self, enabled: bool, scale: f64) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Inner {
            enabled,
            scale,
            buckets: HashMap::new(),
        };
    }

    /// Whether they are on, and how many times the documented size.
    pub fn switched(&self) -> (bool, f64) {
        let inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (inner.enabled, inner.scale)
    }
}

/// What a service answers to one request too many. For StopContact, whose model names no such error, it is the name
/// that the operation's siblings use.
pub fn throttled(service: &str, operation: &str) -> AwsError {
    match (service, operation) {
        ("connect", "StopContact" | "UpdateContactAttributes") | ("lambda", _) => {
            AwsError::new(429, "TooManyRequestsException", "Too Many Requests")
        }
        ("connect", _) => AwsError::new(429, "ThrottlingException", "Rate exceeded"),
        ("dynamodb", _) => AwsError::new(
            400,
            "ThrottlingException",
            "Rate of requests exceeds the allowed throughput.",
        ),
        _ => AwsError::new(400, "Throttling", "Rate exceeded"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::SignedDuration;

    fn start() -> Timestamp {
        Timestamp::UNIX_EPOCH
    }

    fn admitted(
        quotas: &Quotas,
        operation: &str,
        account: &str,
        region: &str,
        now: Timestamp,
    ) -> usize {
        (0..50)
            .filter(|_| quotas.take("connect", operation, account, region, now))
            .count()
    }

    #[test]
    fn a_burst_and_then_the_rate() {
        let quotas = Quotas::default();
        assert_eq!(
            admitted(&quotas, "DescribeQueue", "1", "us-east-1", start()),
            5
        );
        let later = start() + SignedDuration::from_secs(1);
        assert_eq!(
            admitted(&quotas, "DescribeQueue", "1", "us-east-1", later),
            2
        );
        assert_eq!(
            admitted(&quotas, "StopContact", "1", "us-east-1", start()),
            15
        );
        assert_eq!(
            admitted(&quotas, "StopContact", "1", "us-east-1", later),
            10
        );
        let much_later = start() + SignedDuration::from_hours(1);
        assert_eq!(
            admitted(&quotas, "DescribeQueue", "1", "us-east-1", much_later),
            5
        );
    }

    #[test]
    fn accounts_regions_and_operations_have_buckets_of_their_own() {
        let quotas = Quotas::default();
        assert_eq!(
            admitted(&quotas, "StartTaskContact", "1", "us-east-1", start()),
            5
        );
        assert_eq!(
            admitted(&quotas, "StartTaskContact", "2", "us-east-1", start()),
            5
        );
        assert_eq!(
            admitted(&quotas, "StartTaskContact", "1", "eu-west-2", start()),
            5
        );
        assert_eq!(
            admitted(&quotas, "ListQueues", "1", "us-east-1", start()),
            5
        );
        assert_eq!(
            admitted(&quotas, "StartTaskContact", "1", "us-east-1", start()),
            0
        );
    }

    #[test]
    fn lambda_counts_readings_of_policies_and_all_its_other_control_operations() {
        let quotas = Quotas::default();
        let admitted = |operation: &str, now| {
            (0..50)
                .filter(|_| quotas.take("lambda", operation, "1", "us-east-1", now))
                .count()
        };
        assert_eq!(admitted("GetPolicy", start()), 15);
        assert_eq!(admitted("AddPermission", start()), 15);
        assert_eq!(admitted("RemovePermission", start()), 0);
        assert_eq!(admitted("Invoke", start()), 50);
        assert_eq!(admitted("GetFunction", start()), 50);
        let later = start() + SignedDuration::from_millis(200);
        assert_eq!(admitted("GetPolicy", later), 3);
    }

    #[test]
    fn switched_off_or_of_another_service_nothing_is_refused() {
        let quotas = Quotas::default();
        assert!((0..500).all(|_| quotas.take("dynamodb", "PutItem", "1", "us-east-1", start())));
        quotas.switch(false, 1.0);
        assert_eq!(
            admitted(&quotas, "DescribeQueue", "1", "us-east-1", start()),
            50
        );
        quotas.switch(true, 1.0);
        assert_eq!(
            admitted(&quotas, "DescribeQueue", "1", "us-east-1", start()),
            5
        );
        quotas.switch(true, 2.0);
        assert_eq!(
            admitted(&quotas, "DescribeQueue", "1", "us-east-1", start()),
            10
        );
    }
}
