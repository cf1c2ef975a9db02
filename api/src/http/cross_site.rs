//! Keeps other sites from acting through a signed-in person's browser, which sends the cookie whoever made it ask.
//!
//! A request with the cookie that may change something must come from a page of ours, as the browser itself says, and
//! must bring a token that only such a page can have read. Keys and tokens are not sent by themselves, so they need
//! neither.

use axum::http::{HeaderMap, Method, header};
use url::Url;

use super::problem::{ApiError, ApiResult, Code};
use crate::auth::session::csrf_token;

const CSRF_HEADER: &str = "x-csrf-token";

/// `secret`: the cookie's.
pub(super) fn refuse_cross_site(
    method: &Method,
    headers: &HeaderMap,
    public_url: &Url,
    secret: &str,
) -> ApiResult<()> {
    if method.is_safe() {
        return Ok(());
    }
    if !is_from_our_page(headers, public_url) {
        return Err(ApiError::new(
            Code::CrossSite,
            "the request does not come from a page of this server",
        ));
    }
    let mut sent = headers.get_all(CSRF_HEADER).iter();
    match (sent.next(), sent.next()) {
        // What time the comparison takes tells at most of a hash.
        (Some(token), None) if token.as_bytes() == csrf_token(secret).as_bytes() => Ok(()),
        _ => Err(ApiError::new(
            Code::CrossSite,
            "send the csrf_token of /v1/me in the header X-CSRF-Token",
        )),
    }
}

/// Each header that the browser sends must say so, and one of them has to be there.
fn is_from_our_page(headers: &HeaderMap, public_url: &Url) -> bool {
    let site = headers.get("sec-fetch-site");
    let origin = headers.get(header::ORIGIN);
    let ours = public_url.origin().ascii_serialization();
    (site.is_some() || origin.is_some())
        && site.is_none_or(|site| site.as_bytes() == b"same-origin")
        && origin.is_none_or(|origin| origin.as_bytes() == ours.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "rf_ses_secret";

    fn check(method: Method, headers: &[(&'static str, &str)]) -> Option<Code> {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().expect("a value"));
        }
        let ours = "https://ringfence.example/".parse().expect("an address");
        let refused = refuse_cross_site(&method, &map, &ours, SECRET).err();
        refused.map(|err| err.code())
    }

    #[test]
    fn a_change_needs_our_page_and_its_token() {
        let token = csrf_token(SECRET);
        let token = ("x-csrf-token", token.as_str());
        let same = ("sec-fetch-site", "same-origin");
        let ours = ("origin", "https://ringfence.example");
        for good in [&[token, same, ours][..], &[token, same], &[token, ours]] {
            assert_eq!(check(Method::POST, good), None, "{good:?}");
        }
        let stranger = csrf_token("rf_ses_other");
        for bad in [
            &[][..],
            &[token],
            &[same, ours],
            &[("x-csrf-token", stranger.as_str()), same, ours],
            &[("x-csrf-token", ""), same, ours],
            &[token, token, same, ours],
            &[token, ("sec-fetch-site", "cross-site"), ours],
            &[token, ("sec-fetch-site", "same-site"), ours],
            &[token, ("sec-fetch-site", "none")],
            &[token, same, ("origin", "https://evil.example")],
            &[token, same, ("origin", "null")],
            &[token, ("origin", "https://ringfence.example:444")],
            &[token, ("origin", "http://ringfence.example")],
        ] {
            for method in [Method::POST, Method::PUT, Method::PATCH, Method::DELETE] {
                assert_eq!(check(method, bad), Some(Code::CrossSite), "{bad:?}");
            }
        }
    }

    #[test]
    fn reading_needs_neither() {
        for method in [Method::GET, Method::HEAD, Method::OPTIONS] {
            assert_eq!(check(method, &[("sec-fetch-site", "cross-site")]), None);
        }
    }
}
