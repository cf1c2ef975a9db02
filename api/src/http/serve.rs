//! Connections: accepted until told to stop, then let go once what they asked for is answered.
//!
//! Whoever is slow to say what they want is cut off, so that nobody holds connections by opening them. Once a request's
//! headers are there, the operation's own time limit counts, and whoever does not take the answer is cut off too.

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
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;

use super::progressing::Progressing;
use super::refusing::{Refusal, Refusing, written};
use super::unreadable::Unreadable;

/// For the headers of a request, the wait for the next one included: longer than load balancers keep a connection that is
/// not used (a minute), so that they do not send into one that is being closed.
const HEADERS_WITHIN: Duration = Duration::from_secs(75);
/// Without a byte of the answer taken meanwhile.
const ANSWER_TAKEN_WITHIN: Duration = Duration::from_secs(30);
/// What is still open so long after nothing is accepted any more is dropped: as long as most operations may take. Those that
/// may take longer end before ([`super::patience`]).
pub const LET_GO_WITHIN: Duration = Duration::from_secs(15);
/// After an accept that failed for want of something, which others give back.
const ACCEPT_PAUSE: Duration = Duration::from_millis(200);

/// Serves until `stop`, then until the requests in hand are answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let limits = Limits {
        headers: HEADERS_WITHIN,
        no_progress: ANSWER_TAKEN_WITHIN,
        after_stop: LET_GO_WITHIN,
    };
    serve_within(limits, listener, router, stop).await;
}

#[derive(Debug, Clone, Copy)]
struct Limits {
    headers: Duration,
    no_progress: Duration,
    after_stop: Duration,
}

async fn serve_within(
    limits: Limits,
    listener: TcpListener,
    router: Router,
    stop: impl Future<Output = ()> + Send + 'static,
) {
    let (stopping, dropping) = (CancellationToken::new(), CancellationToken::new());
    let connections = TaskTracker::new();
    let mut stop = pin!(stop);
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = &mut stop => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                let serving = serve_one(limits, stream, peer, router.clone(), stopping.clone());
                let dropping = dropping.clone().cancelled_owned();
                connections.spawn(async move {
                    tokio::select! {
                        () = serving => {}
                        () = dropping => tracing::warn!("a connection is dropped: it was open for too long after the stop"),
                    }
                });
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
    if timeout(limits.after_stop, connections.wait())
        .await
        .is_err()
    {
        dropping.cancel();
        connections.wait().await;
    }
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
    limits: Limits,
    stream: TcpStream,
    peer: SocketAddr,
    router: Router,
    stopping: CancellationToken,
) {
    // Answers are written whole; waiting for more to send would only delay them.
    if let Err(err) = stream.set_nodelay(true) {
        tracing::debug!(error = %err, "TCP_NODELAY");
    }
    let refusing = router.clone();
    let stream = Refusing::new(
        Progressing::new(stream, limits.no_progress),
        move |refusal: Refusal| {
            let mut request = refusal.why.request();
            request.extensions_mut().insert(ConnectInfo(peer));
            let answer = refusing.clone().oneshot(request);
            Box::pin(async move {
                let Ok(answer) = answer.await;
                written(answer, refusal).await
            })
        },
    );
    let answer = service_fn(move |request: Request<Incoming>| {
        let mut request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        if let Some(why) = Unreadable::of_request(&request) {
            request.extensions_mut().insert(why);
        }
        router.clone().oneshot(request)
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(limits.headers)
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
    use futures::stream;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::sync::Notify;

    use super::*;

    const SOON: Duration = Duration::from_secs(10);
    const FOREVER: Duration = Duration::from_secs(3600);

    const SHORT: Duration = Duration::from_millis(50);
    const PATIENT: Limits = Limits {
        headers: FOREVER,
        no_progress: FOREVER,
        after_stop: FOREVER,
    };

    async fn start(limits: Limits, routes: Router) -> (SocketAddr, CancellationToken) {
        let (address, stop, serving) = bind(limits, routes).await;
        tokio::spawn(serving);
        (address, stop)
    }

    async fn bind(
        limits: Limits,
        routes: Router,
    ) -> (SocketAddr, CancellationToken, impl Future<Output = ()>) {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let stop = CancellationToken::new();
        let stopped = stop.clone().cancelled_owned();
        (
            address,
            stop,
            serve_within(limits, listener, routes, stopped),
        )
    }

    /// An answer without an end, and what says that it was given up.
    fn endless() -> (Router, CancellationToken) {
        let given_up = CancellationToken::new();
        let guard = std::sync::Arc::new(std::sync::Mutex::new(Some(given_up.clone().drop_guard())));
        let answer = async move || {
            let guard = guard.lock().expect("the lock").take();
            let chunks = stream::repeat_with(move || {
                let _ = &guard;
                Ok::<_, io::Error>(vec![b'x'; 100_000])
            });
            Body::from_stream(chunks)
        };
        (Router::new().route("/", get(answer)), given_up)
    }

    async fn ask(address: SocketAddr) -> TcpStream {
        let mut stream = TcpStream::connect(address).await.expect("connected");
        let request = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n";
        stream.write_all(request).await.expect("sent");
        let mut begun = [0; 9];
        let reading = stream.read_exact(&mut begun);
        timeout(SOON, reading).await.expect("soon").expect("read");
        stream
    }

    #[tokio::test]
    async fn who_does_not_take_the_answer_is_cut_off() {
        let (routes, given_up) = endless();
        let limits = Limits {
            no_progress: SHORT,
            ..PATIENT
        };
        let (address, _stop) = start(limits, routes).await;
        let _reader = ask(address).await;
        timeout(SOON, given_up.cancelled()).await.expect("cut off");
    }

    #[tokio::test]
    async fn what_is_open_for_too_long_after_the_stop_is_dropped() {
        let (routes, given_up) = endless();
        let limits = Limits {
            after_stop: SHORT,
            ..PATIENT
        };
        let (address, stop, serving) = bind(limits, routes).await;
        let serving = tokio::spawn(serving);
        let _reader = ask(address).await;
        stop.cancel();
        timeout(SOON, serving).await.expect("soon").expect("served");
        assert!(given_up.is_cancelled());
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
        let limits = Limits {
            headers: SHORT,
            ..PATIENT
        };
        let (address, _stop) = start(limits, routes).await;
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
        let (address, stop) = start(PATIENT, Router::new().route("/slow", get(slow))).await;
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
