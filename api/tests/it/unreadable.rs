//! What is no HTTP to begin with is answered as everything else that goes wrong, by the real program.

use std::net::SocketAddr;

use serde_json::Value;
use sqlx::PgPool;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::running::{Running, key_for, migrated, program};

/// What is sent, and the code that it is answered with.
fn unreadable() -> Vec<(Vec<u8>, &'static str)> {
    let head = |lines: &str| format!("GET /v1/me HTTP/1.1\r\n{lines}\r\n").into_bytes();
    let many: String = (0..101).map(|it| format!("x-{it}: x\r\n")).collect();
    let long = format!(
        "GET /v1/me?after={} HTTP/1.1\r\nHost: x\r\n\r\n",
        "a".repeat(70_000)
    );
    let before = head("Host: x\r\n");
    vec![
        (b"nonsense\r\n\r\n".to_vec(), "malformed_request"),
        (b"GET /\x01 HTTP/1.1\r\n\r\n".to_vec(), "malformed_request"),
        (b"GET / HTTP/3.7\r\n\r\n".to_vec(), "malformed_request"),
        (head("Host: x\r\nno colon\r\n"), "malformed_request"),
        (
            head("Host: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n"),
            "malformed_request",
        ),
        (head("Connection: close\r\n"), "malformed_request"),
        (
            head("Connection: close\r\nHost: x\r\nHost: x\r\n"),
            "malformed_request",
        ),
        (long.into_bytes(), "uri_too_long"),
        (head(&format!("Host: x\r\n{many}")), "headers_too_large"),
        // More than is read before the answer.
        (
            head(&format!("Host: x\r\nx: {}\r\n", "x".repeat(900_000))),
            "headers_too_large",
        ),
        (
            [before, b"nonsense\r\n\r\n".to_vec()].concat(),
            "malformed_request",
        ),
    ]
}

async fn answered(address: SocketAddr, request: &[u8]) -> String {
    let mut stream = TcpStream::connect(address).await.expect("connected");
    stream.write_all(request).await.expect("taken");
    let mut answer = String::new();
    stream
        .read_to_string(&mut answer)
        .await
        .expect("an answer, and an end");
    answer
}

#[sqlx::test(migrations = false)]
async fn what_is_no_request_gets_a_problem_document_too(pool: PgPool) {
    migrated(&pool).await;
    let key = key_for(&pool).await;
    let mut serve = program(&pool);
    serve.arg("serve");
    let running = Running::serve(serve).await;
    let address = running
        .base
        .trim_start_matches("http://")
        .parse()
        .expect("an address");
    for (request, code) in unreadable() {
        let sent = String::from_utf8_lossy(&request[..request.len().min(60)]).into_owned();
        let answer = answered(address, &request).await;
        let (heads, body) = answer.rsplit_once("\r\n\r\n").expect("a body");
        let (_, head) = heads.rsplit_once("HTTP/1.1 ").expect("a head");
        let problem: Value = serde_json::from_str(body).expect("a document");
        assert_eq!(problem["code"], code, "{sent}: {problem}");
        assert_eq!(problem["status"].to_string(), head[..3], "{sent}");
        for wanted in [
            "content-type: application/problem+json\r\n".to_owned(),
            format!(
                "x-request-id: {}\r\n",
                problem["request_id"].as_str().expect("an id")
            ),
            format!("content-length: {}\r\n", body.len()),
            "cache-control: no-store\r\n".to_owned(),
            "x-content-type-options: nosniff\r\n".to_owned(),
        ] {
            assert!(head.contains(&wanted), "{sent}: {wanted}{head}");
        }
        assert!(
            head.contains("\r\ndate: ") && head.contains("connection: close"),
            "{head}"
        );
    }
    let metrics = reqwest::Client::new()
        .get(format!("{}/metrics", running.base))
        .bearer_auth(key);
    let metrics = metrics
        .send()
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    for status in ["414", "431"] {
        let wanted = format!("route=\"-\",status=\"{status}\"");
        assert!(metrics.contains(&wanted), "{metrics}");
    }
    let logs = running.stop().await;
    assert!(logs.contains("\"status\":431"), "{logs}");
}
