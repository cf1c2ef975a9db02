//! Addresses of ours in a browser.

use url::{Host, Url};

/// Whether an address is on this machine, where nobody can listen on the way.
#[must_use]
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => false,
    }
}

/// Whether secrets may go there: with TLS, or without leaving this machine.
#[must_use]
pub fn is_web_origin(url: &Url) -> bool {
    url.has_host()
        && url.username().is_empty()
        && url.password().is_none()
        && match url.scheme() {
            "https" => true,
            "http" => is_loopback(url),
            _ => false,
        }
}

/// The place in our own pages that `asked` names; none if it is anywhere else. What comes back is written anew from what
/// was understood, so that no browser can understand it otherwise.
#[must_use]
pub fn own_place(public_url: &Url, asked: &str) -> Option<String> {
    const LONGEST: usize = 1024;
    if asked.len() > LONGEST || !asked.starts_with('/') {
        return None;
    }
    let found = public_url.join(asked).ok()?;
    if found.origin() != public_url.origin() || found.path().starts_with("//") {
        return None;
    }
    let mut place = found.path().to_owned();
    for (mark, part) in [('?', found.query()), ('#', found.fragment())] {
        if let Some(part) = part {
            place.push(mark);
            place.push_str(part);
        }
    }
    Some(place)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        text.parse().expect("an address")
    }

    #[test]
    fn secrets_travel_with_tls_or_not_at_all() {
        for good in [
            "https://id.example",
            "http://127.0.0.1:8080",
            "http://[::1]/",
            "http://localhost:3000",
        ] {
            assert!(is_web_origin(&url(good)), "{good}");
        }
        for bad in [
            "http://id.example",
            "http://10.0.0.1",
            "http://localhost.example",
            "https://user:secret@id.example",
            "file:///etc/passwd",
        ] {
            assert!(!is_web_origin(&url(bad)), "{bad}");
        }
    }

    #[test]
    fn a_place_to_return_to_is_one_of_our_own_pages() {
        let ours = url("https://ringfence.example");
        for (asked, place) in [
            ("/", "/"),
            (
                "/decisions?outcome=denied#top",
                "/decisions?outcome=denied#top",
            ),
            ("/a/../b", "/b"),
            ("/%2f%2fevil.example", "/%2f%2fevil.example"),
        ] {
            assert_eq!(own_place(&ours, asked).as_deref(), Some(place), "{asked}");
        }
        for elsewhere in [
            "",
            "decisions",
            "https://evil.example/",
            "//evil.example/",
            "/\\evil.example/",
            "/\t/evil.example/",
            "\\\\evil.example",
            "/..//evil.example",
            "/.//evil.example",
            "javascript:alert(1)",
            "/\n/evil.example",
            "///evil.example",
            "//ringfence.example@evil.example",
        ] {
            assert_eq!(own_place(&ours, elsewhere), None, "{elsewhere:?}");
        }
        assert_eq!(own_place(&ours, &format!("/{}", "a".repeat(2000))), None);
    }
}
