//! `Idempotency-Key`: a request that is sent again is answered again, and not done again.
//!
//! The key is claimed in the transaction that does the work, so effect, audit row and answer are there together or not at
//! all. A duplicate that comes meanwhile waits for that transaction, then gets its answer. Only what succeeded is kept, for
//! 24 hours: a refusal changed nothing and is worked out anew.
//!
//! Answers may hold new keys and phone numbers. They are kept sealed, each for its own key: what is stolen of the database
//! tells nothing, and a row that is copied elsewhere opens for nobody.

use std::fmt;
use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, PoisonError};

use axum::body::Body;
use axum::extract::Request;
use axum::http::{Extensions, HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body_util::BodyExt as _;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::etag::etag;
use super::problem::{ApiError, ApiResult, Code};
use super::state::AppState;
use crate::aws::AwsError;
use crate::store::{ANSWERS_KEPT_FOR, AnswerClaim, AnswerStore, Claimed, StoreError};

static IDEMPOTENCY_KEY: HeaderName = HeaderName::from_static("idempotency-key");
static REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
const KEY_CHARS_MAX: usize = 255;

/// The key that came with a request, and a hash of the request that is complete once its body has been read.
#[derive(Clone)]
struct SentKey {
    key: String,
    request: Arc<Mutex<Sha256>>,
}

/// Reads the header, and hashes the body while it is read by whoever reads it.
pub(super) async fn note_key(mut request: Request, next: Next) -> Response {
    if request.method() != Method::POST {
        return next.run(request).await;
    }
    let key = match sent_key(request.headers()) {
        Ok(Some(key)) => key,
        Ok(None) => return next.run(request).await,
        Err(err) => return err.into_response(),
    };
    let mut hash = Sha256::new();
    if let Some(path) = request.uri().path_and_query() {
        hash.update(path.as_str());
        hash.update([0]);
    }
    let hash = Arc::new(Mutex::new(hash));
    request.extensions_mut().insert(SentKey {
        key,
        request: Arc::clone(&hash),
    });
    let request = request.map(|body| {
        Body::new(body.map_frame(move |frame| {
            if let Some(data) = frame.data_ref() {
                hash.lock()
                    .unwrap_or_else(PoisonError::into_inner)
                    .update(data);
            }
            frame
        }))
    });
    next.run(request).await
}

fn sent_key(headers: &HeaderMap) -> ApiResult<Option<String>> {
    let mut values = headers.get_all(&IDEMPOTENCY_KEY).iter();
    let Some(value) = values.next() else {
        return Ok(None);
    };
    let key = value.to_str().unwrap_or_default();
    if values.next().is_some() || key.is_empty() || key.len() > KEY_CHARS_MAX {
        return Err(ApiError::new(
            Code::MalformedRequest,
            format!(
                "the header Idempotency-Key must stand once and have 1 to {KEY_CHARS_MAX} visible ASCII characters"
            ),
        ));
    }
    Ok(Some(key.to_owned()))
}

/// What a request is done once under.
pub(super) struct Once {
    key_sha256: [u8; 32],
    request: Arc<Mutex<Sha256>>,
}

impl fmt::Debug for Once {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Once").finish_non_exhaustive()
    }
}

impl Once {
    /// None where the request has no key. Keys of different callers have nothing to do with each other.
    pub fn of(extensions: &Extensions, actor: &str) -> Option<Self> {
        let sent = extensions.get::<SentKey>()?;
        let mut key = Sha256::new();
        key.update(actor);
        key.update([0]);
        key.update(&sent.key);
        Some(Self {
            key_sha256: key.finalize().into(),
            request: Arc::clone(&sent.request),
        })
    }

    fn claim(&self, app: &AppState) -> AnswerClaim {
        let request = self.request.lock().unwrap_or_else(PoisonError::into_inner);
        let now = app.now();
        AnswerClaim {
            key_sha256: self.key_sha256,
            request_sha256: request.clone().finalize().into(),
            now,
            forgotten_before: now.checked_sub(ANSWERS_KEPT_FOR).unwrap_or(now),
        }
    }
}

/// Why a handler ends before its work.
#[derive(Debug)]
pub(super) enum Early {
    DoneBefore(Response),
    Failed(ApiError),
}

/// What a handler answers whose work is done once.
pub(super) type OnceResult = Result<Response, Early>;

impl From<ApiError> for Early {
    fn from(err: ApiError) -> Self {
        Self::Failed(err)
    }
}

impl From<StoreError> for Early {
    fn from(err: StoreError) -> Self {
        Self::Failed(err.into())
    }
}

impl From<AwsError> for Early {
    fn from(err: AwsError) -> Self {
        Self::Failed(err.into())
    }
}

impl IntoResponse for Early {
    fn into_response(self) -> Response {
        match self {
            Self::DoneBefore(answer) => answer,
            Self::Failed(err) => err.into_response(),
        }
    }
}

/// A transaction whose answer is kept with what it does.
#[derive(Debug)]
pub(super) struct OnceTx<T> {
    tx: T,
    keep: Option<Keep>,
}

#[derive(Debug)]
struct Keep {
    claim: AnswerClaim,
    app: AppState,
}

impl<T> Deref for OnceTx<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.tx
    }
}

impl<T> DerefMut for OnceTx<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.tx
    }
}

#[derive(Serialize, Deserialize)]
struct KeptAnswer {
    status: u16,
    version: Option<i64>,
    body: String,
}

/// Claims the key, if there is one, or ends early with the answer of the first time.
pub(super) async fn begin<T: AnswerStore>(
    mut tx: T,
    once: Option<&Once>,
    app: &AppState,
) -> Result<OnceTx<T>, Early> {
    let Some(once) = once else {
        return Ok(OnceTx { tx, keep: None });
    };
    let claim = once.claim(app);
    match tx.answer_claim(&claim).await? {
        Claimed::Now => {
            let app = app.clone();
            let keep = Some(Keep { claim, app });
            Ok(OnceTx { tx, keep })
        }
        Claimed::Before {
            request_sha256,
            answer,
        } => {
            if request_sha256 != claim.request_sha256 {
                return Err(Early::Failed(ApiError::new(
                    Code::IdempotencyKeyReused,
                    "another request was sent with this Idempotency-Key; take a new one for each request",
                )));
            }
            let mut answer = open(app, &claim, &answer)?.into_response();
            answer
                .headers_mut()
                .insert(REPLAYED.clone(), HeaderValue::from_static("true"));
            Err(Early::DoneBefore(answer))
        }
    }
}

impl<T: AnswerStore> OnceTx<T> {
    /// Commits, and answers.
    pub async fn answer(self, status: StatusCode, body: &impl Serialize) -> ApiResult<Response> {
        self.finish(status, None, body).await
    }

    /// As [`OnceTx::answer`], with an `ETag`.
    pub async fn answer_version(
        self,
        status: StatusCode,
        version: i64,
        body: &impl Serialize,
    ) -> ApiResult<Response> {
        self.finish(status, Some(version), body).await
    }

    async fn finish(
        mut self,
        status: StatusCode,
        version: Option<i64>,
        body: &impl Serialize,
    ) -> ApiResult<Response> {
        let body =
            serde_json::to_string(body).map_err(|err| ApiError::internal(err.to_string()))?;
        let answer = KeptAnswer {
            status: status.as_u16(),
            version,
            body,
        };
        if let Some(Keep { claim, app }) = self.keep {
            let sealed = seal(&app, &claim, &answer)?;
            self.tx.answer_keep(&claim, &sealed).await?;
        }
        self.tx.commit().await?;
        Ok(answer.into_response())
    }
}

fn seal(app: &AppState, claim: &AnswerClaim, answer: &KeptAnswer) -> ApiResult<Vec<u8>> {
    let text = serde_json::to_vec(answer).map_err(|err| ApiError::internal(err.to_string()))?;
    let sealed = app.settings.sealer.seal(&text, &purpose(claim), &app.ids);
    sealed.map_err(|err| ApiError::internal(format!("an answer: {err}")))
}

fn open(app: &AppState, claim: &AnswerClaim, sealed: &[u8]) -> ApiResult<KeptAnswer> {
    let opened = app.settings.sealer.open(sealed, &purpose(claim));
    let text = opened.map_err(|err| ApiError::internal(format!("a kept answer: {err}")))?;
    serde_json::from_slice(&text).map_err(|err| ApiError::internal(err.to_string()))
}

fn purpose(claim: &AnswerClaim) -> String {
    format!("answer kept for {}", hex::encode(claim.key_sha256))
}

impl IntoResponse for KeptAnswer {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::OK);
        let json = HeaderValue::from_static("application/json");
        let headers = [(header::CONTENT_TYPE, json)];
        match self.version {
            Some(version) => (status, headers, etag(version), self.body).into_response(),
            None => (status, headers, self.body).into_response(),
        }
    }
}
