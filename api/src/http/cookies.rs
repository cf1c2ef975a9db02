//! The two cookies: of a session, and of a sign-in that has not come back yet.
//!
//! With TLS their names begin with `__Host-`, so that neither another host of the same domain nor a page without TLS can
//! set them. Without TLS, which is for this machine alone, browsers would refuse that name.

use axum::http::{HeaderMap, HeaderValue, header};
use jiff::SignedDuration;
use url::Url;

#[derive(Debug, Clone, Copy)]
pub(super) enum Cookie {
    Session,
    SignIn,
}

impl Cookie {
    fn name(self, public_url: &Url) -> &'static str {
        match (self, is_secure(public_url)) {
            (Self::Session, true) => "__Host-ringfence_session",
            (Self::Session, false) => "ringfence_session",
            (Self::SignIn, true) => "__Host-ringfence_sign_in",
            (Self::SignIn, false) => "ringfence_sign_in",
        }
    }

    /// None also where the name is there twice: one of the two is not ours.
    pub fn read<'a>(self, headers: &'a HeaderMap, public_url: &Url) -> Option<&'a str> {
        let name = self.name(public_url);
        let mut values = headers
            .get_all(header::COOKIE)
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|value| value.split(';'))
            .filter_map(|pair| pair.trim().split_once('='))
            .filter(|(found, _)| *found == name)
            .map(|(_, value)| value);
        match (values.next(), values.next()) {
            (Some(value), None) if !value.is_empty() => Some(value),
            _ => None,
        }
    }

    /// `value` in the alphabet of base64url.
    pub fn set(self, public_url: &Url, value: &str, lasts: SignedDuration) -> Option<HeaderValue> {
        let (name, seconds) = (self.name(public_url), lasts.as_secs());
        let secure = if is_secure(public_url) {
            "; Secure"
        } else {
            ""
        };
        let text =
            format!("{name}={value}; Path=/; Max-Age={seconds}; HttpOnly{secure}; SameSite=Lax");
        HeaderValue::from_str(&text).ok()
    }

    pub fn forget(self, public_url: &Url) -> Option<HeaderValue> {
        self.set(public_url, "", SignedDuration::ZERO)
    }
}

pub(super) fn is_secure(public_url: &Url) -> bool {
    public_url.scheme() == "https"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("an address")
    }

    fn headers(values: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(header::COOKIE, value.parse().expect("a value"));
        }
        headers
    }

    #[test]
    fn with_tls_nobody_else_can_set_our_cookies_and_no_script_can_read_them() {
        let set = |url: &Url| {
            let value = Cookie::Session.set(url, "abc", SignedDuration::from_hours(1));
            value.expect("a value").to_str().expect("text").to_owned()
        };
        assert_eq!(
            set(&url("https://ringfence.example")),
            "__Host-ringfence_session=abc; Path=/; Max-Age=3600; HttpOnly; Secure; SameSite=Lax"
        );
        assert_eq!(
            set(&url("http://127.0.0.1:8080")),
            "ringfence_session=abc; Path=/; Max-Age=3600; HttpOnly; SameSite=Lax"
        );
    }

    #[test]
    fn a_cookie_is_read_by_its_whole_name_and_only_if_it_is_there_once() {
        let public_url = url("https://ringfence.example");
        let read = |values: &[&str]| {
            let headers = headers(values);
            Cookie::Session
                .read(&headers, &public_url)
                .map(str::to_owned)
        };
        assert_eq!(
            read(&["a=1; __Host-ringfence_session=x=y", "b=2"]).as_deref(),
            Some("x=y")
        );
        for none in [
            &["ringfence_session=x"][..],
            &["__host-ringfence_session=x"],
            &["x__Host-ringfence_session=x"],
            &["__Host-ringfence_session=x; __Host-ringfence_session=y"],
            &["__Host-ringfence_session=x", "__Host-ringfence_session=x"],
            &["__Host-ringfence_session="],
            &[],
        ] {
            assert_eq!(read(none), None, "{none:?}");
        }
    }
}
