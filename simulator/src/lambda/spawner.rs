//! Starts processes from one thread that lives as long as the simulator.
//!
//! The kernel's parent-death signal follows the thread that started a process, and a runtime may end its threads
//! whenever it likes; this one ends only with the last [`Spawner`], and then every process is to end too.

use std::io;
use std::sync::mpsc;

use tokio::process::{Child, Command};
use tokio::runtime::Handle;
use tokio::sync::oneshot;

type Order = (Command, oneshot::Sender<io::Result<Child>>);

/// A handle on the thread.
#[derive(Debug, Clone, Default)]
pub struct Spawner(Option<mpsc::Sender<Order>>);

impl Spawner {
    /// To be called inside the runtime that is to reap the processes.
    pub fn start() -> Self {
        let (orders, inbox) = mpsc::channel::<Order>();
        let runtime = Handle::current();
        let thread = std::thread::Builder::new()
            .name("spawner".to_owned())
            .spawn(move || {
                let _inside = runtime.enter();
                for (mut command, reply) in inbox {
                    // Nobody waits any more: the process is killed as its handle is dropped.
                    drop(reply.send(command.spawn()));
                }
            });
        Self(thread.is_ok().then_some(orders))
    }

    pub async fn spawn(&self, command: Command) -> io::Result<Child> {
        let gone = || io::Error::other("the spawner has ended");
        let (reply, child) = oneshot::channel();
        self.0
            .as_ref()
            .ok_or_else(gone)?
            .send((command, reply))
            .map_err(|_| gone())?;
        child.await.map_err(|_| gone())?
    }
}
