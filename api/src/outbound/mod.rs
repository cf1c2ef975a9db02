//! Requests to addresses that tenants name. They must not become a way into the network that we run in.
//!
//! Invariants: https only, and to public addresses only ([`Reach`]; this machine and plain http only where the operator
//! asked for it for development); names are resolved by us, and the connection goes to an address that was looked at;
//! redirects are answers like any other and never followed; no proxy of the environment stands between, since it would
//! resolve names anew; each request has a connection of its own, so that no look is older than its request; time and
//! size of the answer are bounded. Failure: an error that says which of these it was, without the address, which may
//! hold a secret of the receiver's.

mod address;
mod destination;
mod names;

use std::error::Error as _;
use std::time::Duration;

use http::{Request, Response};
use reqwest::redirect::Policy;
use url::Url;

pub use address::is_public;
pub use destination::{Reach, Refused, URL_CHARS_MAX};
pub use names::Names;

use names::Guarded;

const USER_AGENT: &str = concat!("Ringfence/", env!("CARGO_PKG_VERSION"));

/// Sends requests; clones share it.
#[derive(Debug, Clone)]
pub struct Outbound {
    http: reqwest::Client,
    reach: Reach,
}

/// What an answer may take.
#[derive(Debug, Clone, Copy)]
pub struct Bounds {
    /// From the look-up of the name to the last byte.
    pub within: Duration,
    pub body_bytes_max: usize,
    pub oversize: Oversize,
}

/// What becomes of a body that is larger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Oversize {
    /// The answer is an error.
    Refuse,
    /// Only its beginning is read.
    Cut,
}

#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    #[error("the address {0}")]
    Refused(#[from] Refused),
    #[error("the request cannot be written")]
    Malformed,
    #[error("no answer within {} s", .0.as_secs())]
    TooSlow(Duration),
    #[error("no connection: {0}")]
    NoConnection(String),
    #[error("the answer broke off: {0}")]
    BrokenOff(String),
    #[error("the answer is larger than {0} bytes")]
    TooLarge(usize),
    /// The system has no trust store, or none that can be read.
    #[error("no HTTP client can be made: {0}")]
    Client(String),
}

impl Outbound {
    pub fn new(reach: Reach) -> Result<Self, OutboundError> {
        Self::with_names(reach, Names::System)
    }

    pub fn with_names(reach: Reach, names: Names) -> Result<Self, OutboundError> {
        let http = reqwest::Client::builder()
            .user_agent(USER_AGENT)
            .redirect(Policy::none())
            .no_proxy()
            .referer(false)
            .retry(reqwest::retry::never())
            .pool_max_idle_per_host(0)
            .dns_resolver(Guarded { names, reach })
            .build()
            .map_err(|err| OutboundError::Client(innermost(&err)))?;
        Ok(Self { http, reach })
    }

    /// How far requests reach: addresses are checked by it when tenants name them.
    #[must_use]
    pub fn reach(&self) -> Reach {
        self.reach
    }

    /// Whatever the other side answers is an answer, redirects and errors too.
    pub async fn send(
        &self,
        request: Request<Vec<u8>>,
        bounds: Bounds,
    ) -> Result<Response<Vec<u8>>, OutboundError> {
        let mut request =
            reqwest::Request::try_from(request).map_err(|_| OutboundError::Malformed)?;
        let url: &Url = request.url();
        self.reach.check(url)?;
        *request.timeout_mut() = Some(bounds.within);
        let mut answer = self
            .http
            .execute(request)
            .await
            .map_err(|err| refused(&err, bounds, OutboundError::NoConnection))?;
        let (mut parts, ()) = Response::new(()).into_parts();
        parts.status = answer.status();
        parts.version = answer.version();
        parts.headers = std::mem::take(answer.headers_mut());
        let mut body = Vec::new();
        while let Some(chunk) = answer
            .chunk()
            .await
            .map_err(|err| refused(&err, bounds, OutboundError::BrokenOff))?
        {
            let room = bounds.body_bytes_max.saturating_sub(body.len());
            if chunk.len() > room && bounds.oversize == Oversize::Refuse {
                return Err(OutboundError::TooLarge(bounds.body_bytes_max));
            }
            body.extend(chunk.iter().take(room));
            if chunk.len() > room {
                break;
            }
        }
        Ok(Response::from_parts(parts, body))
    }
}

fn refused(
    err: &reqwest::Error,
    bounds: Bounds,
    otherwise: fn(String) -> OutboundError,
) -> OutboundError {
    let mut source = err.source();
    while let Some(err) = source {
        if let Some(refused) = err.downcast_ref::<Refused>() {
            return (*refused).into();
        }
        source = err.source();
    }
    if err.is_timeout() {
        return OutboundError::TooSlow(bounds.within);
    }
    otherwise(innermost(err))
}

/// The cause alone: what stands round it repeats the address.
fn innermost(err: &reqwest::Error) -> String {
    let mut text = "the request failed".to_owned();
    let mut source = err.source();
    while let Some(err) = source {
        text = err.to_string();
        source = err.source();
    }
    text
}

#[cfg(test)]
mod tests;
