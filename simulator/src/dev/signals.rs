//! The ways in which a terminal, a supervisor or a closing session asks us to end.

use tokio::signal::unix::{SignalKind, signal};

use super::{DevError, Result};

/// Listens from the moment it is made, so that a signal during start-up is not lost.
#[derive(Debug)]
pub struct Interrupt {
    kinds: [tokio::signal::unix::Signal; 3],
}

impl Interrupt {
    pub fn listen() -> Result<Self> {
        let open = |kind| signal(kind).map_err(DevError::io("listening for signals"));
        Ok(Self {
            kinds: [
                open(SignalKind::interrupt())?,
                open(SignalKind::terminate())?,
                open(SignalKind::hangup())?,
            ],
        })
    }

    pub async fn received(&mut self) {
        let [interrupt, terminate, hangup] = &mut self.kinds;
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
            _ = hangup.recv() => {}
        }
    }
}
