//! Connections on which what cannot be read is answered with a problem document, like any other request that fails.
//!
//! Hyper refuses such a request itself, before any service sees it, in a bare head without a body, and offers no way to write
//! another one. So what goes out is watched: in the place of that head, the answer is written that the router gives to a
//! request which only says why. Such a head is the last thing on its connection. What else the client sends is read and thrown
//! away for a moment, since closing before would take the answer from it (RFC 9112, section 9.6).

use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::http::header;
use axum::response::Response;
use http_body_util::BodyExt as _;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::{Sleep, sleep};

use super::progressing::Progressing;
use super::unreadable::Unreadable;

/// Longer than any head that hyper writes by itself.
const BARE_HEAD_MAX: usize = 256;
/// What is thrown away of what the client still sends, at most.
const DISCARDED_MAX: usize = 1024 * 1024;
const DISCARDED_WITHIN: Duration = Duration::from_secs(2);

/// An answer as it is written to a connection that ends with it; none: the router does not know of unreadable requests.
pub(super) async fn written(answer: Response, refusal: Refusal) -> Option<Vec<u8>> {
    let (head, body) = answer.into_parts();
    if head.status != refusal.why.error().code().status() {
        return None;
    }
    let body = body.collect().await.ok()?.to_bytes();
    let mut text = format!("HTTP/1.1 {}\r\n", head.status).into_bytes();
    for (name, value) in &head.headers {
        if *name != header::CONTENT_LENGTH && *name != header::CONNECTION {
            for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                text.extend_from_slice(part);
            }
        }
    }
    let (length, date) = (body.len(), refusal.date);
    let end = format!("connection: close\r\ncontent-length: {length}\r\n{date}\r\n\r\n");
    text.extend_from_slice(end.as_bytes());
    text.extend_from_slice(&body);
    Some(text)
}

/// What hyper refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) why: Unreadable,
    /// The header line.
    date: String,
}

type Answer = Pin<Box<dyn Future<Output = Option<Vec<u8>>> + Send>>;

/// A connection on which hyper's own refusals are written as `answer` has them.
pub(super) struct Refusing<F> {
    stream: Progressing,
    answer: F,
    state: State,
}

enum State {
    /// No refusal so far.
    Passing,
    /// The bare head waits for what is written in its place.
    Answering {
        bare: Vec<u8>,
        answer: Answer,
    },
    Writing {
        bytes: Vec<u8>,
        done: usize,
    },
    Written,
    Discarding {
        left: usize,
        within: Pin<Box<Sleep>>,
    },
}

impl<F: Fn(Refusal) -> Answer + Unpin> Refusing<F> {
    pub(super) fn new(stream: Progressing, answer: F) -> Self {
        Self {
            stream,
            answer,
            state: State::Passing,
        }
    }

    /// Writes the answer in the place of a refusal, if there is one.
    fn poll_answer(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        loop {
            match &mut self.state {
                State::Passing | State::Written | State::Discarding { .. } => {
                    return Poll::Ready(Ok(()));
                }
                State::Answering { bare, answer } => {
                    let bytes = ready!(answer.as_mut().poll(cx));
                    let bytes = bytes.unwrap_or_else(|| std::mem::take(bare));
                    self.state = State::Writing { bytes, done: 0 };
                }
                State::Writing { bytes, done } => {
                    let rest = bytes.get(*done..).unwrap_or_default();
                    if rest.is_empty() {
                        self.state = State::Written;
                        continue;
                    }
                    match ready!(Pin::new(&mut self.stream).poll_write(cx, rest))? {
                        0 => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                        count => *done += count,
                    }
                }
            }
        }
    }

    /// Reads what the client still sends, until it has seen the end too.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let State::Discarding { left, within } = &mut self.state else {
            return Poll::Ready(());
        };
        let mut space = [0; 8192];
        while *left > 0 && within.as_mut().poll(cx).is_pending() {
            let mut buffer = ReadBuf::new(&mut space);
            let read = ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer));
            let count = buffer.filled().len();
            if read.is_err() || count == 0 {
                break;
            }
            *left = left.saturating_sub(count);
        }
        Poll::Ready(())
    }
}

impl<F: Unpin> AsyncRead for Refusing<F> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buffer)
    }
}

impl<F: Fn(Refusal) -> Answer + Unpin> AsyncWrite for Refusing<F> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.poll_answer(cx))?;
        let Some((at, refusal)) = bare_refusal(bytes) else {
            return Pin::new(&mut self.stream).poll_write(cx, bytes);
        };
        let (before, bare) = bytes.split_at(at);
        if !before.is_empty() {
            return Pin::new(&mut self.stream).poll_write(cx, before);
        }
        let answer = (self.answer)(refusal);
        let bare = bare.to_vec();
        self.state = State::Answering { bare, answer };
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        // A bare head has nothing behind it.
        if let [head] = bytes {
            return self.poll_write(cx, head);
        }
        ready!(self.poll_answer(cx))?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bytes)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_answer(cx))?;
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        ready!(self.poll_answer(cx))?;
        if !matches!(self.state, State::Discarding { .. }) {
            ready!(Pin::new(&mut self.stream).poll_shutdown(cx))?;
        }
        if matches!(self.state, State::Written) {
            self.state = State::Discarding {
                left: DISCARDED_MAX,
                within: Box::pin(sleep(DISCARDED_WITHIN)),
            };
        }
        self.poll_discard(cx).map(Ok)
    }
}

/// Where in these bytes a refusal of hyper's own begins, with which they end: no answer of ours has nothing but these headers.
fn bare_refusal(bytes: &[u8]) -> Option<(usize, Refusal)> {
    const BEGINNING: &[u8] = b"HTTP/1.";
    let first = bytes.len().saturating_sub(BARE_HEAD_MAX);
    let tail = bytes.get(first..)?;
    let at = tail
        .windows(BEGINNING.len())
        .rposition(|window| window == BEGINNING)?;
    let head = str::from_utf8(tail.get(at..)?)
        .ok()?
        .strip_suffix("\r\n\r\n")?;
    let (status_line, headers) = head.split_once("\r\n")?;
    let status = status_line.split(' ').nth(1)?.parse().ok()?;
    let is_date = |line: &&str| line.starts_with("date: ");
    let is_of_hyper =
        |line: &str| matches!(line, "content-length: 0" | "connection: close") || is_date(&line);
    if !headers.split("\r\n").all(is_of_hyper) {
        return None;
    }
    let refusal = Refusal {
        why: Unreadable::of_status(status)?,
        date: headers.split("\r\n").find(is_date)?.to_owned(),
    };
    Some((first + at, refusal))
}

#[cfg(test)]
mod tests {
    use super::*;

    const BARE: &str = "HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\
        date: Fri, 27 Nov 2026 04:46:39 GMT\r\n\r\n";

    #[test]
    fn only_a_bare_head_at_the_end_is_a_refusal() {
        let found = |text: &str| {
            let (at, refusal) = bare_refusal(text.as_bytes())?;
            assert_eq!(refusal.date, "date: Fri, 27 Nov 2026 04:46:39 GMT");
            Some((at, refusal.why))
        };
        assert_eq!(found(BARE), Some((0, Unreadable::Head)));
        let before = "HTTP/1.1 204 No Content\r\nx-request-id: req_1\r\n\r\n";
        let both = format!("{before}{BARE}");
        assert_eq!(found(&both), Some((before.len(), Unreadable::Head)));
        let ours = BARE.replace("date:", "x-request-id: req_1\r\ndate:");
        for other in [before, &ours, &format!("{BARE}more"), &BARE[1..], ""] {
            assert_eq!(found(other), None, "{other}");
        }
    }
}
