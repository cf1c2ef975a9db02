//! What cannot be read as a request, and how that is answered.

use axum::body::Body;
use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, Method, StatusCode, Version, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::{ApiError, Code};

/// Why a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Unreadable {
    Head,
    Address,
    Headers,
    Host,
}

impl Unreadable {
    pub(super) fn of_status(status: StatusCode) -> Option<Self> {
        match status {
            StatusCode::BAD_REQUEST => Some(Self::Head),
            StatusCode::URI_TOO_LONG => Some(Self::Address),
            StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE => Some(Self::Headers),
            _ => None,
        }
    }

    /// RFC 9112, section 3.2: exactly one valid `Host`, from HTTP/1.1 on.
    pub(super) fn of_request<B>(request: &Request<B>) -> Option<Self> {
        let is_named = request.version() < Version::HTTP_11 || has_one_host(request.headers());
        (!is_named).then_some(Self::Host)
    }

    /// A request that says why another one could not be read, for which nothing else of it is known.
    pub(super) fn request(self) -> Request {
        let mut request = Request::new(Body::empty());
        if let Ok(unknown) = Method::from_bytes(b"-") {
            *request.method_mut() = unknown;
        }
        request.extensions_mut().insert(self);
        request
    }

    pub(super) fn error(self) -> ApiError {
        match self {
            Self::Head => ApiError::new(
                Code::MalformedRequest,
                "the request line or a header is not as HTTP/1.1 has it",
            ),
            Self::Address => ApiError::new(Code::UriTooLong, "the address may have 64 KiB"),
            Self::Headers => ApiError::new(
                Code::HeadersTooLarge,
                "a request may have 100 headers, and 400 KiB of them",
            ),
            Self::Host => ApiError::new(
                Code::MalformedRequest,
                "an HTTP/1.1 request has exactly one Host header, which names a host",
            ),
        }
    }
}

fn has_one_host(headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return false;
    };
    let is_host = |text: &str| text.is_empty() || (is_authority(text) && !text.contains('@'));
    host.to_str().is_ok_and(is_host)
}

fn is_authority(text: &str) -> bool {
    text.parse::<Authority>().is_ok()
}

/// Answers what [`Unreadable::request`] made, and what was found to be no valid request.
pub(super) async fn refuse(request: Request, next: Next) -> Response {
    match request.extensions().get::<Unreadable>() {
        Some(why) => why.error().into_response(),
        None => next.run(request).await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_valid_host_is_asked_of_whoever_speaks_http_1_1() {
        let asked = |version, hosts: &[&str]| {
            let mut request = Request::builder().version(version);
            for host in hosts {
                request = request.header(header::HOST, *host);
            }
            Unreadable::of_request(&request.body(()).expect("a request"))
        };
        for hosts in [
            ["ringfence.example"].as_slice(),
            &["[::1]:8080"],
            &["x:80"],
            &[""],
        ] {
            assert_eq!(asked(Version::HTTP_11, hosts), None, "{hosts:?}");
        }
        for hosts in [&[][..], &["a", "a"], &["a b"], &["me@a"], &["a/b"]] {
            let refused = Some(Unreadable::Host);
            assert_eq!(asked(Version::HTTP_11, hosts), refused, "{hosts:?}");
            assert_eq!(asked(Version::HTTP_10, hosts), None, "{hosts:?}");
        }
    }
}
