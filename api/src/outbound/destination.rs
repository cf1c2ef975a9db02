//! Where requests may go at all, as far as the address itself says. Pure; names are looked at again once they are
//! resolved.

use std::net::IpAddr;

use url::{Host, Url};

use super::address::is_public;

/// Longer addresses are nobody's.
pub const URL_CHARS_MAX: usize = 2048;

/// How far requests may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// The public internet, over https.
    Public,
    /// This machine too, also over plain http: for development and tests alone.
    PublicAndLoopback,
}

/// Why no request goes there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    #[error("must be an https address")]
    Scheme,
    #[error("must hold no user name and no password")]
    Credentials,
    #[error("must have at most {URL_CHARS_MAX} characters")]
    TooLong,
    #[error("must name a host")]
    NoHost,
    #[error("must use port 443 or one from 1024 on")]
    Port,
    #[error("leads to an address that is not public")]
    NotPublic,
}

impl Reach {
    /// Whether a connection to this address may be made.
    #[must_use]
    pub fn covers(self, address: IpAddr) -> bool {
        is_public(address) || (self == Self::PublicAndLoopback && address.is_loopback())
    }

    /// What can be said before a name is resolved.
    pub fn check(self, url: &Url) -> Result<(), Refused> {
        if url.as_str().len() > URL_CHARS_MAX {
            return Err(Refused::TooLong);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(Refused::Credentials);
        }
        let host = url.host().ok_or(Refused::NoHost)?;
        let on_this_machine = names_this_machine(&host);
        if on_this_machine && self == Self::Public {
            return Err(match url.scheme() {
                "https" => Refused::NotPublic,
                _ => Refused::Scheme,
            });
        }
        match url.scheme() {
            "https" => {}
            "http" if on_this_machine => {}
            _ => return Err(Refused::Scheme),
        }
        if !on_this_machine && !is_usual(url.port_or_known_default()) {
            return Err(Refused::Port);
        }
        match host {
            Host::Domain(_) => Ok(()),
            Host::Ipv4(address) => self.literal(address.into()),
            Host::Ipv6(address) => self.literal(address.into()),
        }
    }

    /// An address that is written out is never resolved, and so not looked at again.
    fn literal(self, address: IpAddr) -> Result<(), Refused> {
        self.covers(address).then_some(()).ok_or(Refused::NotPublic)
    }
}

fn names_this_machine(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => {
            let name = name.trim_end_matches('.');
            name == "localhost" || name.ends_with(".localhost")
        }
        Host::Ipv4(address) => address.is_loopback(),
        Host::Ipv6(address) => address.is_loopback(),
    }
}

/// The ports of mail, databases' consoles and the like are not for web requests.
fn is_usual(port: Option<u16>) -> bool {
    port.is_some_and(|port| port == 443 || port >= 1024)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(reach: Reach, url: &str) -> Result<(), Refused> {
        reach.check(&Url::parse(url).expect(url))
    }

    #[test]
    fn only_public_https_addresses_are_let_through() {
        let table = [
            ("https://hooks.example.com/in", Ok(())),
            ("https://hooks.example.com:8443/in?x=1", Ok(())),
            ("https://8.8.8.8/", Ok(())),
            ("https://[2606:4700:4700::1111]/", Ok(())),
            ("http://hooks.example.com/", Err(Refused::Scheme)),
            ("ftp://hooks.example.com/", Err(Refused::Scheme)),
            ("file:///etc/passwd", Err(Refused::NoHost)),
            ("data:text/plain,x", Err(Refused::NoHost)),
            ("https://user@hooks.example.com/", Err(Refused::Credentials)),
            ("https://:pw@hooks.example.com/", Err(Refused::Credentials)),
            ("https://hooks.example.com:25/", Err(Refused::Port)),
            ("https://hooks.example.com:22/", Err(Refused::Port)),
            ("https://localhost/", Err(Refused::NotPublic)),
            ("https://LOCALHOST./", Err(Refused::NotPublic)),
            ("https://a.localhost/", Err(Refused::NotPublic)),
            ("http://localhost/", Err(Refused::Scheme)),
            ("https://127.0.0.1/", Err(Refused::NotPublic)),
            // All the other ways to write 127.0.0.1 and 169.254.169.254.
            ("https://2130706433/", Err(Refused::NotPublic)),
            ("https://0x7f.1/", Err(Refused::NotPublic)),
            ("https://0177.0.0.1/", Err(Refused::NotPublic)),
            ("https://127.1/", Err(Refused::NotPublic)),
            ("https://①②⑦.0.0.1/", Err(Refused::NotPublic)),
            ("https://0xa9fea9fe/", Err(Refused::NotPublic)),
            ("https://10.1.2.3/", Err(Refused::NotPublic)),
            ("https://0/", Err(Refused::NotPublic)),
            ("https://[::1]/", Err(Refused::NotPublic)),
            ("https://[::]/", Err(Refused::NotPublic)),
            ("https://[::ffff:10.0.0.1]/", Err(Refused::NotPublic)),
            ("https://[64:ff9b::10.0.0.1]/", Err(Refused::NotPublic)),
            ("https://[fd00:ec2::254]/", Err(Refused::NotPublic)),
        ];
        for (url, expected) in table {
            assert_eq!(check(Reach::Public, url), expected, "{url}");
        }
        let long = format!("https://hooks.example.com/{}", "x".repeat(URL_CHARS_MAX));
        assert_eq!(check(Reach::Public, &long), Err(Refused::TooLong));
    }

    #[test]
    fn development_adds_this_machine_and_nothing_else() {
        let reach = Reach::PublicAndLoopback;
        for url in [
            "http://127.0.0.1:9/",
            "http://localhost:1234/",
            "http://[::1]:80/",
            "https://hooks.example.com/",
        ] {
            assert_eq!(check(reach, url), Ok(()), "{url}");
        }
        for (url, expected) in [
            ("http://hooks.example.com/", Refused::Scheme),
            ("https://10.0.0.1/", Refused::NotPublic),
            ("http://10.0.0.1/", Refused::Scheme),
            ("https://169.254.169.254/", Refused::NotPublic),
            ("https://[::ffff:127.0.0.1]/", Refused::NotPublic),
        ] {
            assert_eq!(check(reach, url), Err(expected), "{url}");
        }
    }

    proptest! {
        #[test]
        fn an_address_that_is_written_out_passes_exactly_if_it_is_public(address: IpAddr) {
            let url = match address {
                IpAddr::V4(address) => format!("https://{address}/"),
                IpAddr::V6(address) => format!("https://[{address}]/"),
            };
            prop_assert_eq!(check(Reach::Public, &url).is_ok(), is_public(address));
        }
    }
}
