//! Query parameters and lists: what is not known or not understood is refused, so that a misspelt filter is not taken
//! for none.

use std::collections::BTreeMap;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Serialize;
use url::form_urlencoded;

use super::problem::{ApiError, ApiResult, Code};
use super::state::AppState;

const LIMIT_DEFAULT: i64 = 50;
const LIMIT_MAX: i64 = 100;

#[derive(Debug)]
pub(super) struct Query(BTreeMap<String, String>);

impl FromRequestParts<AppState> for Query {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> ApiResult<Self> {
        let mut found = BTreeMap::new();
        for (name, value) in
            form_urlencoded::parse(parts.uri.query().unwrap_or_default().as_bytes())
        {
            if found
                .insert(name.clone().into_owned(), value.into_owned())
                .is_some()
            {
                return Err(malformed(&name, "is given twice"));
            }
        }
        Ok(Self(found))
    }
}

impl Query {
    /// An empty value counts as none.
    pub fn take(&mut self, name: &str) -> Option<String> {
        self.0.remove(name).filter(|value| !value.is_empty())
    }

    pub fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        wanted: &str,
    ) -> ApiResult<Option<T>> {
        match self.take(name) {
            None => Ok(None),
            Some(text) => parse(&text)
                .map(Some)
                .ok_or_else(|| malformed(name, &format!("must be {wanted}"))),
        }
    }

    pub fn limit(&mut self) -> ApiResult<i64> {
        self.limit_up_to(LIMIT_MAX)
    }

    /// Of a list whose items cost more than most.
    pub fn limit_up_to(&mut self, most: i64) -> ApiResult<i64> {
        let wanted = |text: &str| text.parse().ok().filter(|limit| (1..=most).contains(limit));
        let limit = self.parsed("limit", wanted, &format!("a number from 1 to {most}"))?;
        Ok(limit.unwrap_or(LIMIT_DEFAULT.min(most)))
    }

    /// Where the list goes on, as [`cursor`] wrote it.
    pub fn cursor<T>(&mut self, parse: impl Fn(&str) -> Option<T>) -> ApiResult<Option<T>> {
        let decode = |text: &str| {
            let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
            parse(std::str::from_utf8(&bytes).ok()?)
        };
        self.parsed(
            "cursor",
            decode,
            "the next_cursor of an answer for the same list",
        )
    }

    pub fn finish(self) -> ApiResult<()> {
        match self.0.keys().next() {
            None => Ok(()),
            Some(name) => Err(malformed(name, "is not a parameter of this operation")),
        }
    }
}

fn malformed(name: &str, problem: &str) -> ApiError {
    let name: String = name.chars().take(40).collect();
    ApiError::new(
        Code::MalformedRequest,
        format!("the query parameter {name:?} {problem}"),
    )
}

/// A page of a list.
#[derive(Debug, Serialize)]
pub(super) struct List<T> {
    pub data: Vec<T>,
    pub next_cursor: Option<String>,
}

/// How a place in a list is written for callers, who are not to read anything into it.
pub(super) fn cursor(position: &str) -> String {
    URL_SAFE_NO_PAD.encode(position)
}

/// Splits what was read, one row more than asked for, into the page and the cursor to the next one.
pub(super) fn page<R, T>(
    mut rows: Vec<R>,
    limit: i64,
    position: impl Fn(&R) -> String,
    show: impl Fn(R) -> T,
) -> List<T> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let has_more = rows.len() > limit;
    rows.truncate(limit);
    let next_cursor = match rows.last() {
        Some(last) if has_more => Some(cursor(&position(last))),
        _ => None,
    };
    List {
        data: rows.into_iter().map(show).collect(),
        next_cursor,
    }
}
