//! The provider's public keys, read from its key set and kept.
//!
//! Known keys answer without waiting. The set is read again when a key is unknown or the set has grown old, at most once
//! a minute, failures included, so that made-up key ids cannot be used to hammer the provider. One request reads; the
//! others wait for it.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use http::header::ACCEPT;
use http::{Request, Response};
use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::jwk::{AlgorithmParameters, Jwk, PublicKeyUse};
use jsonwebtoken::{Algorithm, DecodingKey};
use serde::Deserialize;
use serde_json::Value;
use tokio::sync::Mutex;
use url::Url;

use super::JwtError;
use crate::auth::provider_client::{ProviderClient, ProviderError};
use crate::outbound::{Bounds, Outbound, OutboundError, Oversize};

const BETWEEN_READS: SignedDuration = SignedDuration::from_secs(60);
/// A key that the provider withdrew stops working this much later.
const OLD_AFTER: SignedDuration = SignedDuration::from_mins(15);
const BOUNDS: Bounds = Bounds {
    within: Duration::from_secs(5),
    body_bytes_max: 256 * 1024,
    oversize: Oversize::Refuse,
};

pub(super) struct Key {
    pub key: DecodingKey,
    /// The only algorithm that the provider uses the key for, where it says so.
    pub algorithm: Option<Algorithm>,
}

type Keys = HashMap<String, Arc<Key>>;

pub(super) struct KeySet {
    url: Url,
    reader: KeyReader,
    known: RwLock<Known>,
    /// When the set was last asked for, successfully or not.
    asked: Mutex<Option<Timestamp>>,
}

#[derive(Default)]
struct Known {
    keys: Keys,
    read_at: Option<Timestamp>,
}

impl std::fmt::Debug for KeySet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("KeySet")
            .field("url", &self.url.as_str())
            .finish_non_exhaustive()
    }
}

impl KeySet {
    pub fn new(url: Url, reader: KeyReader) -> Self {
        Self {
            url,
            reader,
            known: RwLock::default(),
            asked: Mutex::new(None),
        }
    }

    pub async fn find(&self, key_id: &str, now: Timestamp) -> Result<Arc<Key>, JwtError> {
        if let (Some(key), false) = self.look(key_id, now) {
            return Ok(key);
        }
        let reachable = self.read_again(key_id, now).await;
        match (self.look(key_id, now).0, reachable) {
            (Some(key), _) => Ok(key),
            (None, true) => Err(JwtError::UnknownKey),
            (None, false) => Err(JwtError::KeysUnavailable),
        }
    }

    /// The key, and whether what is known has grown old.
    fn look(&self, key_id: &str, now: Timestamp) -> (Option<Arc<Key>>, bool) {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let old = known
            .read_at
            .is_none_or(|read_at| now.duration_since(read_at) >= OLD_AFTER);
        (known.keys.get(key_id).cloned(), old)
    }

    /// Reads the set unless that was tried a moment ago; answers whether a set has been read at all.
    async fn read_again(&self, key_id: &str, now: Timestamp) -> bool {
        let mut asked = self.asked.lock().await;
        // Somebody else may have read it while we waited.
        if let (Some(_), false) = self.look(key_id, now) {
            return true;
        }
        if asked.is_none_or(|at| now.duration_since(at) >= BETWEEN_READS) {
            *asked = Some(now);
            match self.read().await {
                Ok(keys) => {
                    *self.known.write().unwrap_or_else(PoisonError::into_inner) = Known {
                        keys,
                        read_at: Some(now),
                    }
                }
                Err(err) => {
                    tracing::warn!(error = %err, "an identity provider's keys could not be read")
                }
            }
        }
        self.known
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .read_at
            .is_some()
    }

    async fn read(&self) -> Result<Keys, KeySetError> {
        let answer = self.reader.get(&self.url).await?;
        if !answer.status().is_success() {
            return Err(KeySetError::Status(answer.status().as_u16()));
        }
        let set: Set = serde_json::from_slice(answer.body()).map_err(|_| KeySetError::NotASet)?;
        // A key of a kind that we do not know must not take the others with it.
        Ok(set.keys.iter().filter_map(usable).collect())
    }
}

/// How a key set is read: by whom it was named decides where it may be.
#[derive(Debug, Clone)]
pub enum KeyReader {
    /// The operator's own provider.
    Operator(ProviderClient),
    /// An issuer that a tenant registered.
    Tenant(Outbound),
}

impl KeyReader {
    async fn get(&self, url: &Url) -> Result<Response<Vec<u8>>, KeySetError> {
        let request = Request::get(url.as_str()).header(ACCEPT, "application/json");
        let request = request.body(Vec::new()).map_err(|_| KeySetError::Address)?;
        match self {
            Self::Operator(client) => Ok(client.send(request).await?),
            Self::Tenant(outbound) => Ok(outbound.send(request, BOUNDS).await?),
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum KeySetError {
    #[error(transparent)]
    Provider(#[from] ProviderError),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("its address cannot be asked")]
    Address,
    #[error("the answer has the status {0}")]
    Status(u16),
    #[error("the answer is not a key set")]
    NotASet,
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<Value>,
}

fn usable(key: &Value) -> Option<(String, Arc<Key>)> {
    let jwk = Jwk::deserialize(key).ok()?;
    let public = matches!(
        jwk.algorithm,
        AlgorithmParameters::RSA(_)
            | AlgorithmParameters::EllipticCurve(_)
            | AlgorithmParameters::OctetKeyPair(_)
    );
    let signs = jwk
        .common
        .public_key_use
        .as_ref()
        .is_none_or(|purpose| *purpose == PublicKeyUse::Signature);
    if !public || !signs {
        return None;
    }
    let algorithm = match jwk.common.key_algorithm {
        Some(named) => Some(Algorithm::try_from(named).ok()?),
        None => None,
    };
    let key = DecodingKey::from_jwk(&jwk).ok()?;
    Some((jwk.common.key_id?, Arc::new(Key { key, algorithm })))
}
