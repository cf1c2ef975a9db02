//! Connections: accepted until told to stop, then let go once what they asked for is answered.
//!
//! Whoever is slow to say what they want is cut off, so that nobody holds connections by opening them. Once a request's
//! headers are there, the operation's own time limit counts.

use std::future::Future;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

/// For the headers of a request, the wait for the next one included: longer than load balancers keep a connection that is
/// not used (a minute), so that they do not send into one that is being closed.
const HEADERS_WITHIN: Duration = Duration::from_secs(75);
/// After an accept that failed for want of something, which others give back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop`, then until the requests in hand are answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    serve_within(HEADERS_WITHIN, listener, router, stop).await;
}

async fn serve_within(
    headers_within: Duration,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let (stopping, connections) = (CancellationToken::new(), TaskTracker::new());
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let serving = serve_one(
                    headers_within,
                    stream,
                    peer,
                    router.clone(),
                    stopping.clone(),
                );
                connections.spawn(serving);
            }
            Err(err) if is_the_client_s(&err) => {}
            Err(err) => {
                tracing::error!(error = %err, "no connection can be accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    stopping.cancel();
    connections.close();
    connections.wait().await;
}

fn is_the_client_s(err: &io::Error) -> bool {
    matches!(
        err.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::ConnectionReset
    )
}

async fn serve_one(
    headers_within: Duration,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) {
    // Answers are written whole; waiting for more to send would only delay them.
    if let Err(err) = stream.set_nodelay(true) {
        tracing::debug!(error = %err, "TCP_NODELAY");
    }
    let answer = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(headers_within)
        .serve_connection(TokioIo::new(stream), answer);
    let mut connection = pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stopping.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(err) = ended {
        tracing::debug!(error = %err, "a connection broke off");
    }
}

#[cfg(test)]
mod tests {
    use axum::routing::get;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;
    use tokio::time::timeout;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    const FOREVER: Duration = Duration::from_secs(3600);

    async fn start(headers_within: Duration, routes: Router) -> (SocketAddr, CancellationToken) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        tokio::spawn(serve_within(headers_within, listener, routes, stopped));
        (address, stop)
    }

    async fn all(stream: &mut TcpStream) -> String {
        let mut text = String::new();
        let reading = stream.read_to_string(&mut text);
        timeout(SOON, reading).await.expect("an end").expect("text");
        text
    }

    #[tokio::test]
    async fn who_does_not_finish_a_request_s_headers_is_cut_off() {
        let routes = Router::new().route("/", get(async || "here"));
        let (address, _stop) = start(Duration::from_millis(50), routes).await;
        for beginning in ["", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
            let mut stream = TcpStream::connect(address).await.expect("connected");
            stream.write_all(beginning.as_bytes()).await.expect("sent");
            assert!(!all(&mut stream).await.contains("here"));
        }
    }

    #[tokio::test]
    async fn a_request_in_hand_is_answered_after_the_stop_and_an_idle_connection_is_let_go() {
        let (begun, go_on) = (Notify::new(), Notify::new());
        let steps = std::sync::Arc::new((begun, go_on));
        let handler_steps = steps.clone();
        let slow = move || {
            let steps = handler_steps.clone();
            async move {
                steps.0.notify_one();
                steps.1.notified().await;
                "finished"
            }
        };
        let (address, stop) = start(FOREVER, Router::new().route("/slow", get(slow))).await;
        let mut idle = TcpStream::connect(address).await.expect("connected");
        let mut busy = TcpStream::connect(address).await.expect("connected");
        let request = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n";
        busy.write_all(request).await.expect("sent");
        steps.0.notified().await;
        stop.cancel();
        assert_eq!(all(&mut idle).await, "");
        steps.1.notify_one();
        assert!(all(&mut busy).await.ends_with("finished"));
    }
}
