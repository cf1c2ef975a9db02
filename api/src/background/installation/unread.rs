//! Queues and whispers of the customer's that cannot be read, while others can: what becomes of the others does not wait for
//! them, and nothing that they may need is taken away. Pure.

use std::collections::{BTreeMap, BTreeSet};

use crate::aws::{AwsError, AwsErrorKind};

/// More that fail are no matter of single objects: the service is down.
const FAILED_MAX: usize = 5;
/// More that are denied before any could be read are none either: the role lacks the permission.
const DENIED_MAX: usize = 25;

/// What a look could not read, by id, and why.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Unread {
    pub queues: BTreeMap<String, UnreadQueue>,
    /// Whispers that a copy is to be made of, or was.
    pub originals: BTreeMap<String, AwsError>,
    /// Whispers that queues are to get back, as far as they are still there.
    pub formers: BTreeSet<String>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnreadQueue {
    pub name: String,
    pub err: AwsError,
}

/// How reading the objects of one kind goes.
#[derive(Debug, Default)]
pub(super) struct Reading {
    read: usize,
    failed: BTreeMap<String, AwsError>,
}

impl Reading {
    pub(super) fn succeeded(&mut self) {
        self.read += 1;
    }

    /// Why this object could not be read a moment ago.
    pub(super) fn failure(&self, id: &str) -> Option<&AwsError> {
        self.failed.get(id)
    }

    /// Whether the look goes on without the object that this failed for; the error, when it does not.
    pub(super) fn bear(&mut self, id: &str, err: AwsError) -> Result<AwsError, AwsError> {
        self.failed.insert(id.to_owned(), err.clone());
        let is_denial = |err: &AwsError| err.kind == AwsErrorKind::AccessDenied;
        let denied = self.failed.values().filter(|err| is_denial(err)).count();
        let is_one_of_many = match err.kind {
            // A policy of the customer's may deny any number of them.
            AwsErrorKind::AccessDenied => self.read > 0 || denied <= DENIED_MAX,
            AwsErrorKind::Transient | AwsErrorKind::NotSent | AwsErrorKind::Invalid => {
                self.failed.len() - denied <= FAILED_MAX
            }
            _ => false,
        };
        // A role that lets nobody in does so for every object.
        if is_one_of_many && err.action.starts_with("connect:") {
            Ok(err)
        } else {
            Err(err)
        }
    }

    /// Where nothing at all could be read it is the role, or the service, that fails.
    pub(super) fn ended(self) -> Result<(), AwsError> {
        match self.failed.into_values().next() {
            Some(err) if self.read == 0 => Err(err),
            _ => Ok(()),
        }
    }
}

/// In words for the queue, or the whisper, that it is about.
#[must_use]
pub fn told(err: &AwsError) -> String {
    let denied = match err.kind {
        AwsErrorKind::AccessDenied => {
            "; where others can be read, a policy of yours denies it for this one"
        }
        _ => "",
    };
    format!("could not be read: {err}{denied}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn failing(action: &'static str, kind: AwsErrorKind) -> AwsError {
        AwsError {
            action,
            kind,
            message: String::new(),
        }
    }

    #[test]
    fn a_role_or_a_service_that_fails_as_a_whole_is_no_matter_of_single_objects() {
        let denied = || failing("connect:DescribeQueue", AwsErrorKind::AccessDenied);
        let failed = || failing("connect:DescribeQueue", AwsErrorKind::Transient);
        let mut reading = Reading::default();
        for number in 0..DENIED_MAX {
            assert!(reading.bear(&number.to_string(), denied()).is_ok());
        }
        assert!(reading.bear("one more", denied()).is_err(), "none was read");
        reading.succeeded();
        assert!(reading.bear("another", denied()).is_ok());
        for number in 0..FAILED_MAX {
            let id = format!("failing {number}");
            assert!(reading.bear(&id, failed()).is_ok(), "denials do not count");
            assert!(reading.bear(&id, failed()).is_ok(), "nor does it twice");
        }
        assert!(reading.bear("one more", failed()).is_err());
        assert!(reading.ended().is_ok());
        let mut reading = Reading::default();
        assert!(reading.bear("the only one", failed()).is_ok());
        assert_eq!(reading.failure("the only one"), Some(&failed()));
        assert_eq!(reading.ended(), Err(failed()), "none was read at all");
        for whole in [
            failing("connect:DescribeQueue", AwsErrorKind::Throttled),
            failing("sts:AssumeRole", AwsErrorKind::AccessDenied),
        ] {
            let mut reading = Reading::default();
            reading.succeeded();
            assert!(reading.bear("one", whole.clone()).is_err(), "{whole}");
        }
    }
}
