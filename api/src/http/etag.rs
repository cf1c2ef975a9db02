//! Versions in headers: `ETag` on answers, `If-Match` and `If-None-Match` on changes (RFC 9110, section 13).
//!
//! A tag is the version that is to be edited, and no validator for caches: what else an answer shows, such as how far
//! something has come or the default that an instance goes by, changes under the same version. So a GET is answered in
//! full whatever tags it names.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};

use super::problem::{ApiError, ApiResult, Code};
use super::state::AppState;
use crate::domain::precondition::{Precondition, Versions};

impl FromRequestParts<AppState> for Precondition {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> ApiResult<Self> {
        Ok(Self {
            one_of: sent(&parts.headers, &header::IF_MATCH, Comparison::Strong)?,
            none_of: sent(&parts.headers, &header::IF_NONE_MATCH, Comparison::Weak)?,
        })
    }
}

/// Whether a weak tag is as good as a strong one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Comparison {
    Strong,
    Weak,
}

/// None where the header is absent.
fn sent(
    headers: &HeaderMap,
    name: &HeaderName,
    comparison: Comparison,
) -> ApiResult<Option<Versions>> {
    let sent: Vec<_> = headers
        .get_all(name)
        .iter()
        .map(|value| String::from_utf8_lossy(value.as_bytes()))
        .collect();
    if sent.is_empty() {
        return Ok(None);
    }
    let sent = sent.join(",");
    if sent.trim() == "*" {
        return Ok(Some(Versions::Any));
    }
    match versions(&sent, comparison) {
        Some(versions) => Ok(Some(Versions::These(versions))),
        None => Err(ApiError::new(
            Code::MalformedRequest,
            format!("the header {name} must hold the ETag of an answer, with its quotes, or *"),
        )),
    }
}

/// The versions in a list of tags; none where it is no such list. What is not a tag of ours is no version that we have
/// had, and fits nothing.
fn versions(list: &str, comparison: Comparison) -> Option<Vec<i64>> {
    let (mut found, mut tags) = (Vec::new(), 0);
    let mut rest = list;
    loop {
        // Empty elements count for nothing (RFC 9110, section 5.6.1).
        rest = rest.trim_start_matches([' ', '\t', ',']);
        if rest.is_empty() {
            return (tags > 0).then_some(found);
        }
        let weak = rest.strip_prefix("W/");
        let (tag, behind) = weak.unwrap_or(rest).strip_prefix('"')?.split_once('"')?;
        tags += 1;
        if (weak.is_none() || comparison == Comparison::Weak)
            && let Ok(version) = tag.parse::<i64>()
            && version.to_string() == tag
        {
            found.push(version);
        }
        rest = behind.trim_start_matches([' ', '\t']);
        if !rest.is_empty() && !rest.starts_with(',') {
            return None;
        }
    }
}

/// `current` is zero where there is nothing yet.
pub(super) fn must_hold(precondition: &Precondition, current: i64) -> ApiResult<()> {
    match precondition.holds(current) {
        true => Ok(()),
        false => Err(stale(current)),
    }
}

pub(super) fn stale(current: i64) -> ApiError {
    let detail = match current {
        0 => "there is none at present".to_owned(),
        version => format!("the present version is {version}"),
    };
    ApiError::new(Code::StaleVersion, detail)
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
            ("\"3\",", Some(vec![3])),
            (",\t, \"3\" , ,\"4\",,", Some(vec![3, 4])),
            ("3", None),
            ("\"3", None),
            ("\"3\" \"4\"", None),
            ("\"3\", *", None),
            ("", None),
            (", ,", None),
        ] {
            assert_eq!(versions(list, Comparison::Strong), found, "{list}");
        }
    }

    #[test]
    fn a_weak_tag_is_a_version_only_where_weak_ones_are_compared() {
        let list = "W/\"3\", \"4\"";
        assert_eq!(versions(list, Comparison::Strong), Some(vec![4]));
        assert_eq!(versions(list, Comparison::Weak), Some(vec![3, 4]));
    }
}
