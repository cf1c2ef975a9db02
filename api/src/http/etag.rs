//! Versions in headers: `ETag` on answers, `If-Match` on changes.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderName, HeaderValue, header};

use super::problem::{ApiError, ApiResult, Code};
use super::state::AppState;

/// The versions that the caller would replace; none where the header is absent or `*`.
///
/// As RFC 9110 has it: a list of quoted tags, of which one must be the present one. What is not a tag of ours, or only
/// a weak one, is no version that we have had, and fits nothing.
#[derive(Debug, Clone)]
pub(super) struct IfMatch(Option<Vec<i64>>);

impl FromRequestParts<AppState> for IfMatch {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> ApiResult<Self> {
        let sent: Vec<&str> = parts
            .headers
            .get_all(header::IF_MATCH)
            .iter()
            .map(|value| value.to_str().unwrap_or_default())
            .collect();
        match sent[..] {
            [] => Ok(Self(None)),
            [only] if only.trim() == "*" => Ok(Self(None)),
            _ => match versions(&sent.join(",")) {
                Some(versions) => Ok(Self(Some(versions))),
                None => Err(ApiError::new(
                    Code::MalformedRequest,
                    "the header If-Match must hold the ETag of an answer, with its quotes",
                )),
            },
        }
    }
}

impl IfMatch {
    /// The versions that may be replaced; none: whichever there is.
    pub fn versions(&self) -> Option<&[i64]> {
        self.0.as_deref()
    }

    pub fn check(&self, current: i64) -> ApiResult<()> {
        match &self.0 {
            Some(seen) if !seen.contains(&current) => Err(stale(current)),
            _ => Ok(()),
        }
    }
}

/// None where it is no list of tags.
fn versions(list: &str) -> Option<Vec<i64>> {
    let mut found = Vec::new();
    let mut rest = list.trim();
    loop {
        let weak = rest.strip_prefix("W/");
        let (tag, behind) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        if weak.is_none()
            && let Ok(version) = tag.parse::<i64>()
            && version.to_string() == tag
        {
            found.push(version);
        }
        rest = behind.trim_start();
        if rest.is_empty() {
            return Some(found);
        }
        rest = rest.strip_prefix(',')?.trim_start();
    }
}

pub(super) fn stale(current: i64) -> ApiError {
    ApiError::new(
        Code::StaleVersion,
        format!("the present version is {current}"),
    )
}

/// The header that names a version.
pub(super) fn etag(version: i64) -> [(HeaderName, HeaderValue); 1] {
    let value = HeaderValue::from_str(&format!("\"{version}\""))
        .unwrap_or(HeaderValue::from_static("\"\""));
    [(header::ETAG, value)]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_strong_tags_of_ours_are_versions() {
        for (list, found) in [
            ("\"3\"", Some(vec![3])),
            ("\"3\", \"4\"", Some(vec![3, 4])),
            (" \"a,b\" ,\"4\"", Some(vec![4])),
            ("W/\"3\"", Some(vec![])),
            ("W/\"3\",\"4\"", Some(vec![4])),
            ("\"03\"", Some(vec![])),
            ("\"+3\"", Some(vec![])),
            ("\" 3\"", Some(vec![])),
            ("\"99999999999999999999\"", Some(vec![])),
            ("3", None),
            ("\"3", None),
            ("\"3\",", None),
            ("\"3\" \"4\"", None),
            ("\"3\", *", None),
            ("", None),
        ] {
            assert_eq!(versions(list), found, "{list}");
        }
    }
}
