//! Of which decisions figures are asked for.

use jiff::{SignedDuration, Timestamp};

use crate::http::problem::{ApiError, ApiResult, Code};
use crate::http::query::Query;
use crate::http::v1::decisions;
use crate::store::Period;

const DEFAULT: SignedDuration = SignedDuration::from_hours(24);

/// `from` and `to`, the last day if not given, at most so long.
pub(super) fn period(query: &mut Query, now: Timestamp, most: SignedDuration) -> ApiResult<Period> {
    let to = decisions::time(query, "to")?.unwrap_or(now);
    let from = decisions::time(query, "from")?;
    let from = from.unwrap_or(to.checked_sub(DEFAULT.min(most)).unwrap_or(to));
    let asked = to.duration_since(from);
    if asked <= SignedDuration::ZERO || asked > most {
        let detail = format!(
            "the query parameter \"from\" must be before \"to\", by at most {} hours here",
            most.as_hours()
        );
        return Err(ApiError::new(Code::MalformedRequest, detail));
    }
    Ok(Period {
        from,
        to,
        instance: decisions::instance(query)?,
    })
}
