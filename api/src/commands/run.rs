//! The commands that run until they are told to stop.

use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;

use ringfence_api::background::WorkerPanicked;
use ringfence_api::http::router;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use super::base::Base;
use super::{CommandError, GRACE};

pub async fn serve(with_workers: bool) -> Result<(), CommandError> {
    let base = Base::make().await?;
    let listener = TcpListener::bind(base.settings.listen)
        .await
        .map_err(|err| CommandError::Listen(base.settings.listen, err))?;
    let address = listener.local_addr()?;
    let draining = CancellationToken::new();
    let app = router(base.state(address, draining.clone())?);
    let stop = stopped_by_signal()?;
    base.serve_metrics(&stop).await?;
    let workers = with_workers.then(|| tokio::spawn(base.workers().run(stop.clone())));
    let (stopping, drain) = (stop.clone(), base.settings.drain);
    let server = ringfence_api::http::serve(listener, app, async move {
        stopping.cancelled().await;
        draining.cancel();
        tokio::time::sleep(drain).await;
    });
    announce(address)?;
    let work = async {
        server.await;
        match workers {
            Some(workers) => Ok(workers.await.unwrap_or(Err(WorkerPanicked))?),
            None => Ok(()),
        }
    };
    until_grace_ends(&stop, work).await?;
    base.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

pub async fn work() -> Result<(), CommandError> {
    let base = Base::make().await?;
    let stop = stopped_by_signal()?;
    base.serve_metrics(&stop).await?;
    let workers = base.workers();
    tracing::info!("working");
    until_grace_ends(&stop, async { Ok(workers.run(stop.clone()).await?) }).await?;
    base.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn until_grace_ends(
    stop: &CancellationToken,
    work: impl Future<Output = Result<(), CommandError>>,
) -> Result<(), CommandError> {
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        done = work => done,
        () = grace => Err(CommandError::Unfinished),
    }
}

fn announce(address: SocketAddr) -> Result<(), CommandError> {
    let mut stdout = std::io::stdout();
    writeln!(
        stdout,
        "{}",
        serde_json::json!({ "listening": format!("http://{address}") })
    )?;
    stdout.flush()?;
    tracing::info!(%address, "listening");
    Ok(())
}

fn stopped_by_signal() -> Result<CancellationToken, CommandError> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stopping.cancel();
    });
    Ok(stop)
}
