//! Secrets that we make: keys, sessions, invitations. A prefix that says what it is, then 256 random bits. Only a hash is
//! kept.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::clock::IdSource;

pub const OPERATOR_PREFIX: &str = "rf_op_";
pub const API_PREFIX: &str = "rf_live_";
const SESSION_PREFIX: &str = "rf_ses_";
const INVITATION_PREFIX: &str = "rf_inv_";
/// Characters of the random part that are shown in lists.
const SHOWN: usize = 6;

/// A key in clear: shown once to whoever asked for it.
#[derive(Clone)]
pub struct NewKey {
    text: String,
    prefix_chars: usize,
}

impl NewKey {
    #[must_use]
    pub fn operator(ids: &IdSource) -> Self {
        Self::make(OPERATOR_PREFIX, ids)
    }

    #[must_use]
    pub fn api(ids: &IdSource) -> Self {
        Self::make(API_PREFIX, ids)
    }

    /// For the cookie of a signed-in browser.
    #[must_use]
    pub fn session(ids: &IdSource) -> Self {
        Self::make(SESSION_PREFIX, ids)
    }

    /// For the link of an invitation.
    #[must_use]
    pub fn invitation(ids: &IdSource) -> Self {
        Self::make(INVITATION_PREFIX, ids)
    }

    fn make(prefix: &str, ids: &IdSource) -> Self {
        Self {
            text: format!("{prefix}{}", URL_SAFE_NO_PAD.encode(ids.secret())),
            prefix_chars: prefix.len() + SHOWN,
        }
    }

    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.text
    }

    /// How the key begins: enough to tell keys apart, too little to guess one.
    #[must_use]
    pub fn prefix(&self) -> String {
        self.text.chars().take(self.prefix_chars).collect()
    }

    #[must_use]
    pub fn sha256(&self) -> [u8; 32] {
        sha256(&self.text)
    }
}

impl fmt::Debug for NewKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("NewKey").field(&self.prefix()).finish()
    }
}

/// What is kept of a key. Looked up by value: what time a look-up takes tells at most of the hash of a guess.
#[must_use]
pub fn sha256(key: &str) -> [u8; 32] {
    Sha256::digest(key.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    fn ids() -> IdSource {
        IdSource::new(Clock::manual(jiff::Timestamp::UNIX_EPOCH), [7; 32])
    }

    #[test]
    fn two_keys_are_never_alike_and_their_debug_hides_them() {
        let ids = ids();
        let (one, other) = (NewKey::api(&ids), NewKey::api(&ids));
        assert_ne!(one.reveal(), other.reveal());
        assert_ne!(one.sha256(), other.sha256());
        assert_eq!(one.reveal().len(), API_PREFIX.len() + 43);
        assert!(one.reveal().starts_with(&one.prefix()));
        assert!(!format!("{one:?}").contains(one.reveal()));
    }
}
