//! Seals secrets that have to be used again, and so cannot be kept as a hash: AES-256-GCM with a key of the settings.
//!
//! Invariants: what is sealed says which key sealed it, so that keys can be changed one after the other (the first of the
//! settings seals, all of them open); it opens only for the purpose it was sealed for, so that a row copied to another
//! tenant is worth nothing; no number is used twice with a key, except by a chance of 2⁻³² after four thousand million
//! seals. Failure: a key that is gone, or a changed byte, is an error; never a wrong secret.

use std::fmt;

use aws_lc_rs::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::clock::IdSource;

const KEY_BYTES: usize = 32;
/// How much of a key's hash tells it from others.
const MARK_BYTES: usize = 4;

#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    #[error(
        "must list keys of {KEY_BYTES} bytes in base64, as `openssl rand -base64 32` prints them"
    )]
    NoKey,
    #[error("was sealed with a key that is not among those of the settings")]
    UnknownKey,
    #[error("does not open: it was changed, or belongs to something else")]
    Broken,
}

/// The keys, the sealing one first.
#[derive(Clone)]
pub struct Sealer {
    first: SealingKey,
    others: Vec<SealingKey>,
}

#[derive(Clone)]
struct SealingKey {
    mark: [u8; MARK_BYTES],
    bytes: [u8; KEY_BYTES],
}

impl fmt::Debug for Sealer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealer")
            .field("keys", &(1 + self.others.len()))
            .finish()
    }
}

impl Sealer {
    /// From keys in base64, separated by commas.
    pub fn read(text: &str) -> Result<Self, SealError> {
        let mut keys = text.split(',').map(|key| SealingKey::read(key.trim()));
        let first = keys.next().ok_or(SealError::NoKey)??;
        let others = keys.collect::<Result<_, _>>()?;
        Ok(Self { first, others })
    }

    /// `purpose` says what the secret is for and whose; it must be the same when it is opened.
    pub fn seal(&self, secret: &[u8], purpose: &str, ids: &IdSource) -> Result<Vec<u8>, SealError> {
        let nonce = ids.nonce();
        let mut body = secret.to_vec();
        self.first
            .aead()?
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(purpose.as_bytes()),
                &mut body,
            )
            .map_err(|_| SealError::Broken)?;
        let mut sealed = Vec::with_capacity(MARK_BYTES + NONCE_LEN + body.len());
        sealed.extend(self.first.mark);
        sealed.extend(nonce);
        sealed.extend(body);
        Ok(sealed)
    }

    pub fn open(&self, sealed: &[u8], purpose: &str) -> Result<Vec<u8>, SealError> {
        let (mark, rest) = sealed
            .split_first_chunk::<MARK_BYTES>()
            .ok_or(SealError::Broken)?;
        let (nonce, body) = rest
            .split_first_chunk::<NONCE_LEN>()
            .ok_or(SealError::Broken)?;
        let key = std::iter::once(&self.first)
            .chain(&self.others)
            .find(|key| key.mark == *mark)
            .ok_or(SealError::UnknownKey)?;
        let mut body = body.to_vec();
        let secret = key
            .aead()?
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(purpose.as_bytes()),
                &mut body,
            )
            .map_err(|_| SealError::Broken)?;
        Ok(secret.to_vec())
    }
}

impl SealingKey {
    fn read(text: &str) -> Result<Self, SealError> {
        let bytes = STANDARD.decode(text).map_err(|_| SealError::NoKey)?;
        let bytes: [u8; KEY_BYTES] = bytes.try_into().map_err(|_| SealError::NoKey)?;
        let hash: [u8; 32] = Sha256::digest(bytes).into();
        let (mark, _) = hash
            .split_first_chunk::<MARK_BYTES>()
            .ok_or(SealError::NoKey)?;
        Ok(Self { mark: *mark, bytes })
    }

    fn aead(&self) -> Result<LessSafeKey, SealError> {
        UnboundKey::new(&AES_256_GCM, &self.bytes)
            .map(LessSafeKey::new)
            .map_err(|_| SealError::NoKey)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
    const NEW: &str = "/////////////////////////////////////////w8=";

    fn ids() -> IdSource {
        IdSource::new(Clock::manual(jiff::Timestamp::UNIX_EPOCH), [7; 32])
    }

    #[test]
    fn what_is_sealed_opens_for_its_purpose_alone() {
        let sealer = Sealer::read(OLD).expect("a key");
        let sealed = sealer.seal(b"whsec", "one", &ids()).expect("sealed");
        assert_eq!(sealer.open(&sealed, "one").as_deref(), Ok(&b"whsec"[..]));
        assert_eq!(sealer.open(&sealed, "other"), Err(SealError::Broken));
        for position in MARK_BYTES..sealed.len() {
            let mut changed = sealed.clone();
            changed[position] ^= 1;
            assert_eq!(sealer.open(&changed, "one"), Err(SealError::Broken));
        }
        for length in 0..sealed.len() {
            assert!(sealer.open(&sealed[..length], "one").is_err());
        }
    }

    #[test]
    fn the_same_secret_is_never_sealed_to_the_same_bytes() {
        let (sealer, ids) = (Sealer::read(OLD).expect("a key"), ids());
        let seal = || sealer.seal(b"whsec", "one", &ids).expect("sealed");
        assert_ne!(seal(), seal());
    }

    #[test]
    fn a_key_is_changed_by_putting_a_new_one_before_it() {
        let before = Sealer::read(OLD).expect("a key");
        let both = Sealer::read(&format!("{NEW}, {OLD}")).expect("keys");
        let after = Sealer::read(NEW).expect("a key");
        let sealed = before.seal(b"old", "x", &ids()).expect("sealed");
        assert_eq!(both.open(&sealed, "x").as_deref(), Ok(&b"old"[..]));
        assert_eq!(after.open(&sealed, "x"), Err(SealError::UnknownKey));
        let sealed = both.seal(b"new", "x", &ids()).expect("sealed");
        assert_eq!(after.open(&sealed, "x").as_deref(), Ok(&b"new"[..]));
    }

    #[test]
    fn keys_of_another_length_are_refused_and_none_is_shown() {
        for text in ["", ",", "c2hvcnQ=", "no base64!", &format!("{OLD},")] {
            assert!(Sealer::read(text).is_err(), "{text:?}");
        }
        let sealer = Sealer::read(&format!("{NEW},{OLD}")).expect("keys");
        assert_eq!(format!("{sealer:?}"), "Sealer { keys: 2 }");
    }
}
