//! What a browser keeps while its user is away at the provider.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::clock::IdSource;

/// How long a user may take to sign in.
pub const ATTEMPT_LASTS: SignedDuration = SignedDuration::from_mins(15);

/// Kept by the browser itself, so that beginning to sign in costs us nothing to remember. Whoever changes it, changes it
/// for themselves: the state and the nonce have to fit what the provider returns.
#[derive(Clone, Serialize, Deserialize)]
pub struct Attempt {
    pub(super) state: String,
    pub(super) nonce: String,
    pub(super) verifier: String,
    pub return_to: String,
    begun_at: Timestamp,
}

impl std::fmt::Debug for Attempt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Attempt")
            .field("begun_at", &self.begun_at)
            .finish_non_exhaustive()
    }
}

impl Attempt {
    pub(super) fn new(ids: &IdSource, return_to: String, now: Timestamp) -> Self {
        let secret = || URL_SAFE_NO_PAD.encode(ids.secret());
        Self {
            state: secret(),
            nonce: secret(),
            verifier: secret(),
            return_to,
            begun_at: now,
        }
    }

    pub(super) fn is_answered_by(&self, state: &str, now: Timestamp) -> bool {
        let age = now.duration_since(self.begun_at);
        state == self.state && !age.is_negative() && age < ATTEMPT_LASTS
    }

    /// For a cookie.
    #[must_use]
    pub fn encode(&self) -> String {
        URL_SAFE_NO_PAD.encode(serde_json::to_vec(self).unwrap_or_default())
    }

    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn only_the_browser_that_began_may_finish_and_in_time() {
        let began = Timestamp::UNIX_EPOCH;
        let ids = IdSource::new(Clock::manual(began), [7; 32]);
        let attempt = Attempt::new(&ids, "/".to_owned(), began);
        let brought = Attempt::decode(&attempt.encode()).expect("what was kept");
        assert!(brought.is_answered_by(&attempt.state, began));
        assert!(!brought.is_answered_by("", began));
        assert!(!brought.is_answered_by(&attempt.nonce, began));
        assert!(!brought.is_answered_by(&attempt.state, began + ATTEMPT_LASTS));
        let before = began - SignedDuration::from_secs(1);
        assert!(!brought.is_answered_by(&attempt.state, before));
        let other = Attempt::new(&ids, "/".to_owned(), began);
        assert!(!brought.is_answered_by(&other.state, began));
        assert!(Attempt::decode("e30").is_none());
    }
}
