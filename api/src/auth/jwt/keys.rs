//! The provider's public keys, read from its key set and kept.
//!
//! The set is read again when a key is unknown or the set has grown old, at most once a minute, failures included, so that
//! made-up key ids cannot be used to hammer the provider. One request reads. Whoever needs a key that is not known waits
//! for that; a known key of an old set answers at once, only the request that reads gives the provider a second first, so
//! that a withdrawn key is found out where the provider answers as usual. A set that could not be read again for a day is
//! believed no more.

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
use tokio::sync::{Mutex, OwnedMutexGuard};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use url::Url;

use super::JwtError;
use crate::auth::provider_client::{ProviderClient, ProviderError};
use crate::outbound::{Bounds, Outbound, OutboundError, Oversize};

const BETWEEN_READS: SignedDuration = SignedDuration::from_secs(60);
/// A key that the provider withdrew stops working this much later, if the provider says so.
const OLD_AFTER: SignedDuration = SignedDuration::from_mins(15);
/// How long keys go on working of which the provider says nothing.
const BELIEVED_FOR: SignedDuration = SignedDuration::from_hours(24);
/// What a request with a known key gives the provider to answer.
const PATIENCE: Duration = Duration::from_secs(1);
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
    set: RwLock<Set>,
    /// When the set was last asked for, successfully or not. Held by who reads.
    asked: Arc<Mutex<Asked>>,
}

type Asked = Option<Timestamp>;

/// As it was last read.
#[derive(Default)]
struct Set {
    keys: Keys,
    read_at: Option<Timestamp>,
}

/// What is known of a key, by a set that was read so long ago.
enum Known {
    Fresh(Option<Arc<Key>>),
    Old(Option<Arc<Key>>),
    Nothing,
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
            set: RwLock::default(),
            asked: Arc::default(),
        }
    }

    pub async fn find(
        self: &Arc<Self>,
        key_id: &str,
        now: Timestamp,
    ) -> Result<Arc<Key>, JwtError> {
        match self.look(key_id, now) {
            Known::Fresh(Some(key)) => return Ok(key),
            Known::Old(Some(_)) => self.read_in_passing(now).await,
            Known::Fresh(None) | Known::Old(None) | Known::Nothing => {
                self.read_and_wait(key_id, now).await;
            }
        }
        match self.look(key_id, now) {
            Known::Fresh(Some(key)) | Known::Old(Some(key)) => Ok(key),
            Known::Fresh(None) | Known::Old(None) => Err(JwtError::UnknownKey),
            Known::Nothing => Err(JwtError::KeysUnavailable),
        }
    }

    fn look(&self, key_id: &str, now: Timestamp) -> Known {
        let set = self.set.read().unwrap_or_else(PoisonError::into_inner);
        let key = set.keys.get(key_id).cloned();
        match set.read_at.map(|read_at| now.duration_since(read_at)) {
            Some(age) if age < OLD_AFTER => Known::Fresh(key),
            Some(age) if age < BELIEVED_FOR => Known::Old(key),
            Some(_) | None => Known::Nothing,
        }
    }

    /// Waits for somebody else's reading too.
    async fn read_and_wait(self: &Arc<Self>, key_id: &str, now: Timestamp) {
        let asked = Arc::clone(&self.asked).lock_owned().await;
        // Somebody else may have read it while we waited.
        if !matches!(self.look(key_id, now), Known::Fresh(Some(_))) {
            let _ = self.reading(asked, now).await;
        }
    }

    /// Waits for nobody else, and for the provider only for a moment; the reading goes on behind the request.
    async fn read_in_passing(self: &Arc<Self>, now: Timestamp) {
        let Ok(asked) = Arc::clone(&self.asked).try_lock_owned() else {
            return;
        };
        let _ = timeout(PATIENCE, self.reading(asked, now)).await;
    }

    /// A task of its own: a caller who goes away must not break off a reading that counts as the one of this minute.
    fn reading(
        self: &Arc<Self>,
        mut asked: OwnedMutexGuard<Asked>,
        now: Timestamp,
    ) -> JoinHandle<()> {
        let set = Arc::clone(self);
        tokio::spawn(async move { set.read_again(&mut asked, now).await })
    }

    /// Reads the set unless that was tried a moment ago.
    async fn read_again(&self, asked: &mut Asked, now: Timestamp) {
        if asked.is_some_and(|at| now.duration_since(at) < BETWEEN_READS) {
            return;
        }
        *asked = Some(now);
        match self.read().await {
            Ok(keys) => {
                *self.set.write().unwrap_or_else(PoisonError::into_inner) = Set {
                    keys,
                    read_at: Some(now),
                }
            }
            Err(err) => {
                tracing::warn!(error = %err, "an identity provider's keys could not be read")
            }
        }
    }

    async fn read(&self) -> Result<Keys, KeySetError> {
        let answer = self.reader.get(&self.url).await?;
        if !answer.status().is_success() {
            return Err(KeySetError::Status(answer.status().as_u16()));
        }
        let set: Sent = serde_json::from_slice(answer.body()).map_err(|_| KeySetError::NotASet)?;
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
struct Sent {
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
