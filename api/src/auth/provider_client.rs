//! Requests to the operator's own identity provider, which may be anywhere that the operator says. What tenants name is
//! read through [`crate::outbound`], which refuses addresses that are not public.

use std::error::Error;
use std::time::Duration;

use http::{Request, Response};
use reqwest::redirect::Policy;

const WITHIN: Duration = Duration::from_secs(5);
const ANSWER_BYTES_MAX: usize = 256 * 1024;

/// Follows no redirects: an answer that the named address does not give itself is none. Clones share it.
#[derive(Debug, Clone)]
pub struct ProviderClient(reqwest::Client);

#[derive(Debug, thiserror::Error)]
pub enum ProviderError {
    #[error("{}", chain(.0))]
    Http(#[from] reqwest::Error),
    #[error("the answer is too large")]
    TooLarge,
}

impl ProviderClient {
    pub fn new() -> Result<Self, ProviderError> {
        let client = reqwest::Client::builder()
            .timeout(WITHIN)
            .redirect(Policy::none())
            .build()?;
        Ok(Self(client))
    }

    pub async fn send(
        &self,
        request: Request<Vec<u8>>,
    ) -> Result<Response<Vec<u8>>, ProviderError> {
        let mut answer = self.0.execute(request.try_into()?).await?;
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if body.len() + chunk.len() > ANSWER_BYTES_MAX {
                return Err(ProviderError::TooLarge);
            }
            body.extend_from_slice(&chunk);
        }
        let mut whole = Response::new(body);
        *whole.status_mut() = answer.status();
        std::mem::swap(whole.headers_mut(), answer.headers_mut());
        Ok(whole)
    }
}

/// An error with its causes.
pub(super) fn chain(err: &dyn Error) -> String {
    let mut text = err.to_string();
    let mut source = err.source();
    while let Some(err) = source {
        text = format!("{text}: {err}");
        source = err.source();
    }
    text
}
