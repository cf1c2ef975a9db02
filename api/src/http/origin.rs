//! Where a request came from.

use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::HeaderMap;
use axum::http::request::Parts;

use super::state::AppState;
use crate::domain::ids::RequestId;

/// Where a request came from, and what it is called.
#[derive(Debug, Clone, Copy)]
pub(super) struct Origin {
    pub request_id: RequestId,
    pub ip: Option<IpAddr>,
}

impl Origin {
    pub fn of(parts: &Parts, app: &AppState) -> Self {
        let request_id = parts.extensions.get::<RequestId>();
        let peer = parts.extensions.get::<ConnectInfo<SocketAddr>>();
        Self {
            request_id: request_id.copied().unwrap_or(RequestId(uuid::Uuid::nil())),
            ip: client_ip(
                peer.map(|peer| peer.0.ip()),
                &parts.headers,
                app.settings.trusted_proxies,
            ),
        }
    }
}

impl FromRequestParts<AppState> for Origin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(parts, app))
    }
}

/// Each proxy appends the address that it was called from; only what our own proxies wrote is believed.
fn client_ip(peer: Option<IpAddr>, headers: &HeaderMap, trusted_proxies: usize) -> Option<IpAddr> {
    let Some(behind) = trusted_proxies.checked_sub(1) else {
        return peer;
    };
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    let address = forwarded.iter().rev().nth(behind)?;
    address.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(forwarded: &[&str], trusted_proxies: usize) -> Option<String> {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a value"));
        }
        let peer = Some("10.0.0.9".parse().expect("an address"));
        client_ip(peer, &headers, trusted_proxies).map(|ip| ip.to_string())
    }

    #[test]
    fn only_what_trusted_proxies_wrote_is_believed() {
        let said = ["198.51.100.66", "203.0.113.7, 10.0.0.2"];
        assert_eq!(ip(&said, 0).as_deref(), Some("10.0.0.9"));
        assert_eq!(ip(&said, 1).as_deref(), Some("10.0.0.2"));
        assert_eq!(ip(&said, 2).as_deref(), Some("203.0.113.7"));
        assert_eq!(ip(&said[1..], 3), None);
        assert_eq!(ip(&["rubbish"], 1), None);
    }
}
