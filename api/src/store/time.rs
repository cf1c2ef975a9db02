//! Times at the border to Postgres, which keeps microseconds.

use jiff::Timestamp;
use time::OffsetDateTime;

use super::StoreError;

const MICROSECOND_NANOSECONDS: i128 = 1000;

pub(super) fn to_db(at: Timestamp) -> OffsetDateTime {
    let micros = i128::from(at.as_microsecond());
    OffsetDateTime::from_unix_timestamp_nanos(micros * MICROSECOND_NANOSECONDS)
        .unwrap_or(OffsetDateTime::UNIX_EPOCH)
}

pub(super) fn from_db(at: OffsetDateTime) -> Result<Timestamp, StoreError> {
    Timestamp::from_nanosecond(at.unix_timestamp_nanos()).map_err(|err| StoreError::Corrupt {
        what: "a time",
        detail: err.to_string(),
    })
}

pub(super) fn from_db_opt(at: Option<OffsetDateTime>) -> Result<Option<Timestamp>, StoreError> {
    at.map(from_db).transpose()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_comes_back_to_the_microsecond() {
        let at: Timestamp = "2026-11-25T10:11:12.123456Z".parse().expect("a time");
        assert_eq!(from_db(to_db(at)).expect("a time"), at);
    }
}
