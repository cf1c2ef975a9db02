//! The client against a server of our own: where it goes, what it follows, how long it waits, how much it reads.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

use super::*;

const BOUNDS: Bounds = Bounds {
    within: Duration::from_secs(10),
    body_bytes_max: 64,
    oversize: Oversize::Cut,
};

/// Answers every connection with the same bytes; counts them.
async fn server(answer: &'static str) -> (u16, Arc<AtomicU32>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("listening");
    let port = listener.local_addr().expect("an address").port();
    let served = Arc::new(AtomicU32::new(0));
    let count = Arc::clone(&served);
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            count.fetch_add(1, Ordering::SeqCst);
            let mut request = [0; 4096];
            let _ = stream.read(&mut request).await;
            let _ = stream.write_all(answer.as_bytes()).await;
            if answer.is_empty() {
                // Says nothing for as long as the other side waits.
                let _ = stream.read(&mut request).await;
            }
        }
    });
    (port, served)
}

fn get(url: &str) -> Request<Vec<u8>> {
    Request::get(url).body(Vec::new()).expect("a request")
}

fn book(addresses: &[&str]) -> Names {
    let addresses: Vec<IpAddr> = addresses
        .iter()
        .map(|text| text.parse().expect("an address"))
        .collect();
    Names::Fixed(Arc::new(move |_| addresses.clone()))
}

/// "x.localhost" passes as a name of this machine; where it leads, the book alone says.
#[tokio::test]
async fn the_connection_goes_to_the_address_that_was_looked_at() {
    let (port, served) = server("HTTP/1.1 204 No Content\r\n\r\n").await;
    let names = book(&["127.0.0.1"]);
    let outbound = Outbound::with_names(Reach::PublicAndLoopback, names).expect("a client");
    let url = format!("http://receiver.localhost:{port}/");
    let answer = outbound.send(get(&url), BOUNDS).await.expect("an answer");
    assert_eq!(answer.status(), 204);
    assert_eq!(served.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_name_that_leads_inside_is_refused_after_it_was_resolved() {
    for addresses in [
        &["127.0.0.1"][..],
        &["10.0.0.7"],
        &["169.254.169.254"],
        &["8.8.8.8", "192.168.1.1"],
        &["::ffff:127.0.0.1"],
        &["fd00:ec2::254"],
    ] {
        let outbound = Outbound::with_names(Reach::Public, book(addresses)).expect("a client");
        let answer = outbound
            .send(get("https://hooks.example.com/"), BOUNDS)
            .await;
        assert!(
            matches!(answer, Err(OutboundError::Refused(Refused::NotPublic))),
            "{addresses:?}: {answer:?}"
        );
    }
}

/// Rebinding: the name is harmless at the first look and leads inside at the next. Each request looks anew and goes
/// where it has just looked.
#[tokio::test]
async fn a_name_that_changes_its_mind_gains_nothing() {
    let (port, served) = server("HTTP/1.1 204 No Content\r\n\r\n").await;
    let looks = Arc::new(AtomicU32::new(0));
    let asked = Arc::clone(&looks);
    let names = Names::Fixed(Arc::new(move |_| {
        let address = match asked.fetch_add(1, Ordering::SeqCst) {
            0 => Ipv4Addr::LOCALHOST,
            _ => Ipv4Addr::new(10, 0, 0, 7),
        };
        vec![address.into()]
    }));
    let outbound = Outbound::with_names(Reach::PublicAndLoopback, names).expect("a client");
    let url = format!("http://receiver.localhost:{port}/");
    outbound.send(get(&url), BOUNDS).await.expect("an answer");
    assert_eq!(
        looks.load(Ordering::SeqCst),
        1,
        "looked at once per request"
    );
    let again = outbound.send(get(&url), BOUNDS).await;
    assert!(matches!(
        again,
        Err(OutboundError::Refused(Refused::NotPublic))
    ));
    assert_eq!(served.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn an_address_that_is_written_out_is_refused_without_a_connection() {
    let (port, served) = server("HTTP/1.1 204 No Content\r\n\r\n").await;
    let outbound = Outbound::new(Reach::Public).expect("a client");
    for url in [
        format!("https://127.0.0.1:{port}/"),
        format!("https://[::ffff:127.0.0.1]:{port}/"),
        format!("https://2130706433:{port}/"),
    ] {
        let answer = outbound.send(get(&url), BOUNDS).await;
        assert!(
            matches!(answer, Err(OutboundError::Refused(_))),
            "{url}: {answer:?}"
        );
    }
    assert_eq!(served.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_redirect_is_an_answer_and_is_not_followed() {
    let (elsewhere, visits) = server("HTTP/1.1 204 No Content\r\n\r\n").await;
    let answer = format!(
        "HTTP/1.1 307 Temporary Redirect\r\nlocation: http://127.0.0.1:{elsewhere}/\r\ncontent-length: 0\r\n\r\n"
    );
    let (port, _) = server(answer.leak()).await;
    let outbound = Outbound::new(Reach::PublicAndLoopback).expect("a client");
    let url = format!("http://127.0.0.1:{port}/");
    let answer = outbound.send(get(&url), BOUNDS).await.expect("an answer");
    assert_eq!(answer.status(), 307);
    assert_eq!(visits.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn an_answer_is_read_as_far_as_it_may_be_long() {
    let long = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: 1000000000\r\n\r\n{}",
        "x".repeat(100_000)
    );
    let (port, _) = server(long.leak()).await;
    let outbound = Outbound::new(Reach::PublicAndLoopback).expect("a client");
    let url = format!("http://127.0.0.1:{port}/");
    let cut = outbound.send(get(&url), BOUNDS).await.expect("an answer");
    assert_eq!(cut.body().len(), BOUNDS.body_bytes_max);
    let strict = Bounds {
        oversize: Oversize::Refuse,
        ..BOUNDS
    };
    let refused = outbound.send(get(&url), strict).await;
    assert!(
        matches!(refused, Err(OutboundError::TooLarge(64))),
        "{refused:?}"
    );
}

#[tokio::test]
async fn nobody_is_waited_for_longer_than_was_said() {
    let (port, _) = server("").await;
    let outbound = Outbound::new(Reach::PublicAndLoopback).expect("a client");
    let hurried = Bounds {
        within: Duration::from_millis(50),
        ..BOUNDS
    };
    let url = format!("http://127.0.0.1:{port}/secret-path");
    let answer = outbound.send(get(&url), hurried).await;
    let Err(err @ OutboundError::TooSlow(_)) = answer else {
        panic!("{answer:?}");
    };
    assert!(!err.to_string().contains("secret-path"));
    let closed = outbound
        .send(get("http://127.0.0.1:1/secret-path"), BOUNDS)
        .await
        .expect_err("nobody listens there");
    assert!(
        matches!(closed, OutboundError::NoConnection(_)),
        "{closed:?}"
    );
    assert!(!closed.to_string().contains("secret-path"), "{closed}");
}
