//! One message to one endpoint, and what is kept of its answer: little, since the answer is somebody else's.

use std::time::{Duration, Instant};

use http::header::{CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderMap, Request, StatusCode};
use jiff::Timestamp;

use crate::domain::ids::EventId;
use crate::outbound::{Bounds, Outbound, Oversize};

const BOUNDS: Bounds = Bounds {
    within: Duration::from_secs(10),
    body_bytes_max: 1024,
    oversize: Oversize::Cut,
};
/// Characters that are kept of an answer.
const ANSWER_CHARS_MAX: usize = 200;

/// What came of an attempt.
#[derive(Debug, Clone)]
pub struct Sent {
    pub at: Timestamp,
    pub duration_ms: i32,
    pub status: Option<i32>,
    pub error: Option<String>,
    pub answer: Option<String>,
    /// How long the endpoint asked to be left alone.
    pub retry_after: Option<Duration>,
}

impl Sent {
    #[must_use]
    pub fn is_delivered(&self) -> bool {
        self.status
            .is_some_and(|status| (200..300).contains(&status))
    }

    /// The endpoint wants nothing any more.
    #[must_use]
    pub fn is_gone(&self) -> bool {
        self.status == Some(i32::from(StatusCode::GONE.as_u16()))
    }
}

pub(super) async fn send(
    outbound: &Outbound,
    url: &str,
    event: EventId,
    at: Timestamp,
    signatures: &str,
    body: String,
) -> Sent {
    let begun = Instant::now();
    let request = Request::post(url)
        .header(CONTENT_TYPE, "application/json")
        .header("webhook-id", event.to_string())
        .header("webhook-timestamp", at.as_second().to_string())
        .header("webhook-signature", signatures)
        .body(body.into_bytes());
    let answer = match request {
        Ok(request) => outbound
            .send(request, BOUNDS)
            .await
            .map_err(|err| err.to_string()),
        Err(_) => Err("the address cannot be written".to_owned()),
    };
    let duration_ms = i32::try_from(begun.elapsed().as_millis()).unwrap_or(i32::MAX);
    match answer {
        Ok(answer) => Sent {
            at,
            duration_ms,
            status: Some(answer.status().as_u16().into()),
            error: None,
            answer: excerpt(answer.body()),
            retry_after: retry_after(answer.status(), answer.headers()),
        },
        Err(error) => Sent {
            at,
            duration_ms,
            status: None,
            error: Some(error),
            answer: None,
            retry_after: None,
        },
    }
}

/// Readable, and short. Postgres keeps every character but one, and a page of control characters helps nobody.
fn excerpt(body: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(body);
    let readable: String = text
        .chars()
        .map(|char| if char.is_control() { ' ' } else { char })
        .collect();
    let kept: String = readable.trim().chars().take(ANSWER_CHARS_MAX).collect();
    (!kept.is_empty()).then_some(kept)
}

/// In seconds; a date is not worth its reading here.
fn retry_after(status: StatusCode, headers: &HeaderMap) -> Option<Duration> {
    let is_busy = matches!(
        status,
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE
    );
    if !is_busy {
        return None;
    }
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_answer_only_a_readable_beginning_is_kept() {
        assert_eq!(excerpt(b""), None);
        assert_eq!(excerpt(b" \r\n"), None);
        assert_eq!(excerpt(b"ok\n").as_deref(), Some("ok"));
        assert_eq!(excerpt(b"a\0b\x1b[31m").as_deref(), Some("a b [31m"));
        assert_eq!(excerpt(&[0xff, b'x']).as_deref(), Some("\u{fffd}x"));
        let long = "é".repeat(1000);
        let kept = excerpt(long.as_bytes()).expect("something");
        assert_eq!(kept.chars().count(), ANSWER_CHARS_MAX);
    }

    #[test]
    fn a_busy_endpoint_says_in_seconds_when_to_come_again() {
        let mut headers = HeaderMap::new();
        assert_eq!(retry_after(StatusCode::TOO_MANY_REQUESTS, &headers), None);
        headers.insert(RETRY_AFTER, "120".parse().expect("a value"));
        let asked = retry_after(StatusCode::TOO_MANY_REQUESTS, &headers);
        assert_eq!(asked, Some(Duration::from_mins(2)));
        assert_eq!(retry_after(StatusCode::OK, &headers), None);
        headers.insert(RETRY_AFTER, "soon".parse().expect("a value"));
        assert_eq!(retry_after(StatusCode::SERVICE_UNAVAILABLE, &headers), None);
    }
}
