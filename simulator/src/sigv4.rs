//! Signature Version 4, the verifier's side: what the client signed is put together again and signed with the key that
//! the client says it used. Pure; the caller looks the key up and knows the time.
//!
//! Source: AWS, "Signature Version 4 for API requests". Signatures in the query (presigned URLs) are not accepted: none
//! of the operations here is used that way.

use hmac::{Hmac, KeyInit, Mac};
use http::HeaderMap;
use jiff::{SignedDuration, Timestamp, civil};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const TERMINATOR: &str = "aws4_request";
/// How far the client's clock may be off.
const SKEW_MAX: SignedDuration = SignedDuration::from_mins(5);

/// Why a request is refused before anybody asks what it wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("Request is missing Authentication Token")]
    Missing,
    #[error("The Authorization header is not a valid Signature Version 4 header")]
    Malformed,
    #[error(
        "Signature expired or not yet current: the clock of the client is off by more than 5 minutes"
    )]
    Skewed,
    #[error(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
    )]
    Mismatch,
}

/// What the client says of its signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Authorization {
    pub access_key_id: String,
    pub region: String,
    pub service: String,
    date: String,
    signed_headers: Vec<String>,
    signature: String,
    signed_at: String,
}

/// The parts of a request that are signed, as they came over the wire.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    pub method: &'a str,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl Authorization {
    pub fn of(headers: &HeaderMap) -> Result<Self, Refusal> {
        let header = headers
            .get(http::header::AUTHORIZATION)
            .ok_or(Refusal::Missing)?;
        let text = header.to_str().map_err(|_| Refusal::Malformed)?;
        let fields = text.strip_prefix(ALGORITHM).ok_or(Refusal::Malformed)?;
        let field = |name: &str| {
            fields
                .split(',')
                .find_map(|field| field.trim().strip_prefix(name)?.strip_prefix('='))
                .ok_or(Refusal::Malformed)
        };
        let credential: Vec<&str> = field("Credential")?.split('/').collect();
        let [access_key_id, date, region, service, TERMINATOR] = credential[..] else {
            return Err(Refusal::Malformed);
        };
        let signed_at = headers
            .get("x-amz-date")
            .and_then(|value| value.to_str().ok())
            .filter(|at| at.starts_with(date))
            .ok_or(Refusal::Malformed)?;
        let signed_headers: Vec<String> = field("SignedHeaders")?
            .split(';')
            .map(str::to_owned)
            .collect();
        if !signed_headers.iter().any(|name| name == "host") {
            return Err(Refusal::Malformed);
        }
        Ok(Self {
            access_key_id: access_key_id.to_owned(),
            region: region.to_owned(),
            service: service.to_owned(),
            date: date.to_owned(),
            signed_headers,
            signature: field("Signature")?.to_owned(),
            signed_at: signed_at.to_owned(),
        })
    }

    /// Whether the holder of `secret` signed this very request just now.
    pub fn verify(&self, secret: &str, request: Signed<'_>, now: Timestamp) -> Result<(), Refusal> {
        let signed_at = parse_time(&self.signed_at).ok_or(Refusal::Malformed)?;
        if now.duration_since(signed_at).abs() > SKEW_MAX {
            return Err(Refusal::Skewed);
        }
        let canonical = self.canonical_request(request)?;
        let Self {
            date,
            region,
            service,
            signed_at,
            ..
        } = self;
        let to_sign = format!(
            "{ALGORITHM}\n{signed_at}\n{date}/{region}/{service}/{TERMINATOR}\n{}",
            hex::encode(Sha256::digest(canonical))
        );
        let key = [date, region, service, TERMINATOR]
            .into_iter()
            .fold(format!("AWS4{secret}").into_bytes(), |key, part| {
                hmac(&key, part.as_bytes())
            });
        let expected = hex::encode(hmac(&key, to_sign.as_bytes()));
        if bool::from(expected.as_bytes().ct_eq(self.signature.as_bytes())) {
            Ok(())
        } else {
            Err(Refusal::Mismatch)
        }
    }

    fn canonical_request(&self, request: Signed<'_>) -> Result<String, Refusal> {
        let mut headers = String::new();
        for name in &self.signed_headers {
            let values: Vec<String> = request
                .headers
                .get_all(name)
                .iter()
                .map(|value| {
                    value
                        .to_str()
                        .map(collapsed)
                        .map_err(|_| Refusal::Malformed)
                })
                .collect::<Result<_, _>>()?;
            if values.is_empty() {
                return Err(Refusal::Malformed);
            }
            headers.push_str(&format!("{name}:{}\n", values.join(",")));
        }
        // A hash that the client states must be that of the body, or it would sign for something else.
        let payload = hex::encode(Sha256::digest(request.body));
        let stated = request
            .headers
            .get("x-amz-content-sha256")
            .and_then(|value| value.to_str().ok());
        if stated.is_some_and(|stated| stated != payload && stated != "UNSIGNED-PAYLOAD") {
            return Err(Refusal::Mismatch);
        }
        Ok(format!(
            "{}\n{}\n{}\n{headers}\n{}\n{}",
            request.method,
            encode(&normalised(request.path), false),
            canonical_query(request.query),
            self.signed_headers.join(";"),
            stated.unwrap_or(&payload),
        ))
    }
}

fn hmac(key: &[u8], message: &[u8]) -> Vec<u8> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(message);
    mac.finalize().into_bytes().to_vec()
}

fn parse_time(text: &str) -> Option<Timestamp> {
    let at = civil::DateTime::strptime("%Y%m%dT%H%M%SZ", text).ok()?;
    jiff::tz::TimeZone::UTC.to_timestamp(at).ok()
}

/// Runs of spaces count as one, those at the ends not at all.
fn collapsed(value: &str) -> String {
    value
        .split(' ')
        .filter(|part| !part.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

/// Without empty, `.` and `..` segments, as RFC 3986 resolves them.
fn normalised(path: &str) -> String {
    let mut segments: Vec<&str> = Vec::new();
    for segment in path
        .split('/')
        .filter(|segment| !segment.is_empty() && *segment != ".")
    {
        if segment == ".." {
            segments.pop();
        } else {
            segments.push(segment);
        }
    }
    let end = if path.ends_with('/') && !segments.is_empty() {
        "/"
    } else {
        ""
    };
    format!("/{}{end}", segments.join("/"))
}

/// The path came encoded; services other than S3 sign it encoded once more.
fn encode(text: &str, slash_too: bool) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        let plain =
            byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) || (byte == b'/' && !slash_too);
        if plain {
            encoded.push(char::from(byte));
        } else {
            encoded.push_str(&format!("%{byte:02X}"));
        }
    }
    encoded
}

fn canonical_query(query: &str) -> String {
    let mut pairs: Vec<(String, String)> = url::form_urlencoded::parse(query.as_bytes())
        .map(|(name, value)| (encode(&name, true), encode(&value, true)))
        .collect();
    pairs.sort();
    let pairs: Vec<String> = pairs
        .into_iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    pairs.join("&")
}

#[cfg(test)]
mod tests {
    use std::time::SystemTime;

    use aws_credential_types::Credentials;
    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4;

    use super::*;

    const SECRET: &str = "a secret that only this test knows";
    const AT: &str = "2026-11-25T10:00:00Z";

    fn now() -> Timestamp {
        AT.parse().expect("a time")
    }

    /// Signed by AWS's own signer, so that this is not our reading against our reading.
    fn signed(method: &str, path_and_query: &str, body: &[u8]) -> HeaderMap {
        let identity = Credentials::new(
            "AKIATEST",
            SECRET,
            Some("the token".to_owned()),
            None,
            "test",
        )
        .into();
        let params = v4::SigningParams::builder()
            .identity(&identity)
            .region("us-east-1")
            .name("connect")
            .time(
                SystemTime::UNIX_EPOCH
                    + std::time::Duration::from_secs(now().as_second().unsigned_abs()),
            )
            .settings(SigningSettings::default())
            .build()
            .expect("parameters")
            .into();
        let url = format!("http://127.0.0.1:4600{path_and_query}");
        let own = [
            ("content-type", "application/json"),
            ("x-amz-meta", "two  words "),
            ("host", "127.0.0.1:4600"),
        ];
        let request =
            SignableRequest::new(method, &url, own.into_iter(), SignableBody::Bytes(body))
                .expect("signable");
        let (instructions, _) = sign(request, &params).expect("a signature").into_parts();
        let mut headers = HeaderMap::new();
        for (name, value) in own.into_iter().chain(instructions.headers()) {
            headers.insert(
                http::HeaderName::try_from(name).expect("a name"),
                value.parse().expect("a value"),
            );
        }
        headers
    }

    fn verify(
        method: &str,
        path_and_query: &str,
        headers: &HeaderMap,
        body: &[u8],
        secret: &str,
        at: Timestamp,
    ) -> Result<(), Refusal> {
        let (path, query) = path_and_query
            .split_once('?')
            .unwrap_or((path_and_query, ""));
        Authorization::of(headers)?.verify(
            secret,
            Signed {
                method,
                path,
                query,
                headers,
                body,
            },
            at,
        )
    }

    #[test]
    fn what_the_official_signer_signed_is_accepted() {
        for (method, target) in [
            ("POST", "/contact/stop"),
            (
                "GET",
                "/contact-flows-summary/abc?contactFlowTypes=CONTACT_FLOW&contactFlowTypes=OUTBOUND_WHISPER&maxResults=10",
            ),
            (
                "POST",
                "/tags/arn%3Aaws%3Aconnect%3Aus-east-1%3A123456789012%3Ainstance%2Fa%2Fcontact-flow%2Fb",
            ),
            ("GET", "/contact-flows/a/b%3A%24SAVED"),
            ("GET", "/queues/a?nextToken=a%2Bb%20c%3D%3D"),
            ("POST", "/"),
        ] {
            let headers = signed(method, target, b"{}");
            assert_eq!(
                verify(method, target, &headers, b"{}", SECRET, now()),
                Ok(()),
                "{target}"
            );
        }
    }

    #[test]
    fn anything_changed_after_signing_is_refused() {
        let headers = signed("POST", "/contact/stop?a=1", b"{}");
        let check = |method, target, headers: &HeaderMap, body, secret| {
            verify(method, target, headers, body, secret, now())
        };
        assert_eq!(
            check("PUT", "/contact/stop?a=1", &headers, b"{}", SECRET),
            Err(Refusal::Mismatch)
        );
        assert_eq!(
            check("POST", "/contact/start?a=1", &headers, b"{}", SECRET),
            Err(Refusal::Mismatch)
        );
        assert_eq!(
            check("POST", "/contact/stop?a=2", &headers, b"{}", SECRET),
            Err(Refusal::Mismatch)
        );
        assert_eq!(
            check("POST", "/contact/stop?a=1", &headers, b"{ }", SECRET),
            Err(Refusal::Mismatch)
        );
        assert_eq!(
            check("POST", "/contact/stop?a=1", &headers, b"{}", "another"),
            Err(Refusal::Mismatch)
        );
        let mut other_token = headers.clone();
        other_token.insert("x-amz-security-token", "another".parse().expect("a value"));
        assert_eq!(
            check("POST", "/contact/stop?a=1", &other_token, b"{}", SECRET),
            Err(Refusal::Mismatch)
        );
    }

    #[test]
    fn a_signature_is_good_for_five_minutes_either_way() {
        let headers = signed("POST", "/", b"");
        for (seconds, expected) in [
            (300, Ok(())),
            (301, Err(Refusal::Skewed)),
            (-300, Ok(())),
            (-301, Err(Refusal::Skewed)),
        ] {
            let at = now() + SignedDuration::from_secs(seconds);
            assert_eq!(
                verify("POST", "/", &headers, b"", SECRET, at),
                expected,
                "{seconds} s"
            );
        }
    }

    #[test]
    fn a_request_without_a_signature_says_so() {
        assert_eq!(Authorization::of(&HeaderMap::new()), Err(Refusal::Missing));
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer x".parse().expect("a value"));
        assert_eq!(Authorization::of(&headers), Err(Refusal::Malformed));
    }
}
