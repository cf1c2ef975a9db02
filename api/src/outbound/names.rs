//! Resolves names, and answers only with addresses that were looked at: the connection goes to one of those and to
//! nothing else, so that a name cannot point elsewhere between the look and the connection.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::destination::{Reach, Refused};

type Book = dyn Fn(&str) -> Vec<IpAddr> + Send + Sync;

/// Where names are looked up.
#[derive(Clone)]
pub enum Names {
    /// As the machine is set up.
    System,
    /// In a book of one's own: for tests.
    Fixed(Arc<Book>),
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::System => "System",
            Self::Fixed(_) => "Fixed",
        })
    }
}

impl Names {
    async fn look_up(&self, name: &str) -> std::io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => Ok(tokio::net::lookup_host((name, 0)).await?.collect()),
            Self::Fixed(book) => Ok(book(name)
                .into_iter()
                .map(|address| SocketAddr::new(address, 0))
                .collect()),
        }
    }
}

/// The resolver of the client. A name with one address that is not covered is refused as a whole: nobody honest has one.
#[derive(Debug, Clone)]
pub(super) struct Guarded {
    pub names: Names,
    pub reach: Reach,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let guarded = self.clone();
        Box::pin(async move {
            let addresses = guarded.names.look_up(name.as_str()).await?;
            let covered = addresses
                .iter()
                .all(|address| guarded.reach.covers(address.ip()));
            if !covered {
                return Err(Refused::NotPublic.into());
            }
            let addresses: Addrs = Box::new(addresses.into_iter());
            Ok(addresses)
        })
    }
}
