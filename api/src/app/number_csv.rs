//! Numbers for a list out of a CSV document. Pure; every fault is told, with its line.

use std::collections::HashMap;

use csv::{ByteRecord, ReaderBuilder, Trim};
use jiff::Timestamp;

use crate::domain::listed_number::WantedNumber;
use crate::domain::phone::PhoneNumber;

pub const ROWS_MAX: usize = 50_000;
pub const REASON_MAX: usize = 200;

const NUMBER: &str = "number";
const REASON: &str = "reason";
const EXPIRES_AT: &str = "expires_at";

/// What is wrong with a number, wherever it is sent; without the number.
pub const NOT_A_NUMBER: &str = "must be a number in E.164, such as +12065550100";
pub const NOT_IN_THE_FUTURE: &str = "must be in the future";

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    pub line: u64,
    pub column: &'static str,
    pub code: &'static str,
    pub detail: String,
}

/// Rows with the line that each stands on.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rows {
    pub wanted: Vec<WantedNumber>,
    pub lines: Vec<u64>,
}

/// Where each column stands.
struct Header {
    number: usize,
    reason: usize,
    expires_at: Option<usize>,
    width: usize,
}

/// All rows, or all faults.
pub fn read(document: &[u8], now: Timestamp) -> Result<Rows, Vec<RowFault>> {
    let mut reader = ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .trim(Trim::All)
        .from_reader(document);
    let mut reading = Reading::new(now);
    let mut record = ByteRecord::new();
    let mut header = None;
    let mut lines = Lines::of(document);
    loop {
        match reader.read_byte_record(&mut record) {
            Ok(true) => {}
            Ok(false) => break,
            Err(_) => {
                let line = lines.at(reader.position().byte());
                reading.fault(line, "", "invalid", "cannot be read from here on");
                break;
            }
        }
        let line = lines.at(record.position().map_or(0, csv::Position::byte));
        match &header {
            None => match read_header(&record) {
                Ok(columns) => header = Some(columns),
                Err(detail) => {
                    reading.fault(line, "", "invalid", detail);
                    break;
                }
            },
            Some(header) => reading.row(line, header, &record),
        }
        if reading.is_too_long {
            break;
        }
    }
    if header.is_none() && reading.faults.is_empty() {
        reading.fault(
            1,
            "",
            "missing",
            "the first line must name the columns: number,reason,expires_at",
        );
    }
    if reading.faults.is_empty() {
        Ok(reading.rows)
    } else {
        Err(reading.faults)
    }
}

/// Counts lines as editors show them; the reader counts a record's line before the end of the one above.
struct Lines<'a> {
    rest: &'a [u8],
    passed: u64,
    line: u64,
}

impl<'a> Lines<'a> {
    fn of(document: &'a [u8]) -> Self {
        Self {
            rest: document,
            passed: 0,
            line: 1,
        }
    }

    /// The line of what stands at or, behind ends of lines, after this byte; bytes are asked for in their order.
    fn at(&mut self, byte: u64) -> u64 {
        while let Some((first, rest)) = self.rest.split_first() {
            let is_break = matches!(first, b'\r' | b'\n');
            if self.passed >= byte && !is_break {
                break;
            }
            let is_pair = *first == b'\r' && rest.first() == Some(&b'\n');
            self.line += u64::from(is_break && !is_pair);
            self.passed += 1;
            self.rest = rest;
        }
        self.line
    }
}

fn read_header(record: &ByteRecord) -> Result<Header, String> {
    let mut places: HashMap<String, usize> = HashMap::new();
    for (place, name) in record.iter().enumerate() {
        let name = String::from_utf8_lossy(name).trim().to_ascii_lowercase();
        if ![NUMBER, REASON, EXPIRES_AT].contains(&name.as_str()) {
            return Err(
                "the first line must name the columns, separated by commas: number,reason,expires_at"
                    .to_owned(),
            );
        }
        if places.insert(name, place).is_some() {
            return Err("the first line names a column twice".to_owned());
        }
    }
    let place = |name: &str| {
        let missing = || format!("the first line does not name the column {name}");
        places.get(name).copied().ok_or_else(missing)
    };
    Ok(Header {
        number: place(NUMBER)?,
        reason: place(REASON)?,
        expires_at: places.get(EXPIRES_AT).copied(),
        width: record.len(),
    })
}

struct Reading {
    now: Timestamp,
    rows: Rows,
    faults: Vec<RowFault>,
    /// The place of each number among the rows.
    seen: HashMap<PhoneNumber, usize>,
    is_too_long: bool,
}

impl Reading {
    fn new(now: Timestamp) -> Self {
        Self {
            now,
            rows: Rows::default(),
            faults: Vec::new(),
            seen: HashMap::new(),
            is_too_long: false,
        }
    }

    fn fault(
        &mut self,
        line: u64,
        column: &'static str,
        code: &'static str,
        detail: impl Into<String>,
    ) {
        self.faults.push(RowFault {
            line,
            column,
            code,
            detail: detail.into(),
        });
    }

    fn row(&mut self, line: u64, header: &Header, record: &ByteRecord) {
        let is_blank = record.iter().all(<[u8]>::is_empty);
        if is_blank {
            return;
        }
        if self.rows.wanted.len() == ROWS_MAX {
            self.fault(
                line,
                "",
                "out_of_range",
                format!("at most {ROWS_MAX} rows at a time"),
            );
            self.is_too_long = true;
            return;
        }
        if record.len() != header.width {
            let (found, wanted) = (record.len(), header.width);
            self.fault(
                line,
                "",
                "invalid",
                format!("has {found} values for {wanted} columns"),
            );
            return;
        }
        let number = self.number(line, text(record, header.number));
        let reason = self.reason(line, text(record, header.reason));
        let expires_at = match header.expires_at {
            Some(place) => self.expires_at(line, text(record, place)),
            None => Some(None),
        };
        if let (Some(number), Some(reason), Some(expires_at)) = (number, reason, expires_at) {
            let wanted = WantedNumber {
                number,
                reason,
                expires_at,
            };
            self.take(line, wanted);
        }
    }

    /// The same row twice is no harm.
    fn take(&mut self, line: u64, wanted: WantedNumber) {
        let Some(place) = self.seen.get(&wanted.number) else {
            self.seen
                .insert(wanted.number.clone(), self.rows.wanted.len());
            self.rows.wanted.push(wanted);
            self.rows.lines.push(line);
            return;
        };
        if self.rows.wanted.get(*place) != Some(&wanted) {
            let first = self.rows.lines.get(*place).copied().unwrap_or_default();
            self.fault(
                line,
                NUMBER,
                "duplicate",
                format!("stands on line {first} with another reason or expiry"),
            );
        }
    }

    fn number(&mut self, line: u64, text: Option<&str>) -> Option<PhoneNumber> {
        let number = text.and_then(PhoneNumber::read);
        if number.is_none() {
            self.fault(line, NUMBER, "invalid", NOT_A_NUMBER);
        }
        number
    }

    fn reason(&mut self, line: u64, text: Option<&str>) -> Option<String> {
        let fits = |text: &&str| (1..=REASON_MAX).contains(&text.chars().count());
        match text {
            Some(text) if text.chars().any(char::is_control) => {
                self.fault(
                    line,
                    REASON,
                    "invalid",
                    "must not contain control characters",
                );
                None
            }
            text => {
                let reason = text.filter(fits).map(str::to_owned);
                if reason.is_none() {
                    let detail = format!("must have 1 to {REASON_MAX} characters, in UTF-8");
                    self.fault(line, REASON, "out_of_range", detail);
                }
                reason
            }
        }
    }

    /// The inner `None`: until it is removed.
    fn expires_at(&mut self, line: u64, text: Option<&str>) -> Option<Option<Timestamp>> {
        if text == Some("") {
            return Some(None);
        }
        let Some(at) = text.and_then(|text| text.parse::<Timestamp>().ok()) else {
            self.fault(
                line,
                EXPIRES_AT,
                "invalid",
                "must be an RFC 3339 time, such as 2026-11-25T12:00:00Z",
            );
            return None;
        };
        let at = Timestamp::from_microsecond(at.as_microsecond()).unwrap_or(at);
        if at <= self.now {
            self.fault(line, EXPIRES_AT, "out_of_range", NOT_IN_THE_FUTURE);
            return None;
        }
        Some(Some(at))
    }
}

fn text(record: &ByteRecord, place: usize) -> Option<&str> {
    record
        .get(place)
        .and_then(|bytes| std::str::from_utf8(bytes).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-25T12:00:00Z".parse().expect("a time")
    }

    fn faults(document: &str) -> Vec<(u64, &'static str, &'static str)> {
        let faults = read(document.as_bytes(), now()).expect_err("faults");
        faults
            .iter()
            .map(|fault| (fault.line, fault.column, fault.code))
            .collect()
    }

    #[test]
    fn rows_are_read_as_spreadsheets_write_them() {
        let document = "\u{feff}Number,reason,expires_at\r\n+12065550100,\"Asked, twice\",\r\n\
            \r\n+44 20 7946 0000, Court order ,2027-01-01T00:00:00Z\r\n+12065550100,\"Asked, twice\",\r\n";
        let rows = read(document.as_bytes(), now()).expect("rows");
        assert_eq!(rows.lines, [2, 4]);
        let row = |place: usize| {
            let row = &rows.wanted[place];
            (
                row.number.as_str(),
                row.reason.as_str(),
                row.expires_at.map(|at| at.to_string()),
            )
        };
        assert_eq!(row(0), ("+12065550100", "Asked, twice", None));
        assert_eq!(
            row(1),
            (
                "+442079460000",
                "Court order",
                Some("2027-01-01T00:00:00Z".to_owned())
            )
        );
    }

    #[test]
    fn the_expiry_may_be_left_out_and_columns_may_stand_in_any_order() {
        let rows = read(b"reason,number\nasked,+12065550100", now()).expect("rows");
        assert_eq!(rows.wanted[0].number.as_str(), "+12065550100");
    }

    #[test]
    fn every_fault_is_told_with_its_line() {
        let long = "x".repeat(REASON_MAX + 1);
        let document = format!(
            "number,reason,expires_at\n2065550100,,tomorrow\n+12065550100,asked\n+12065550100,asked,2026-11-25T12:00:00Z\n\
             +12065550101,{long},\n+12065550102,asked,\n+12065550102,asked again,\n"
        );
        assert_eq!(
            faults(&document),
            [
                (2, "number", "invalid"),
                (2, "reason", "out_of_range"),
                (2, "expires_at", "invalid"),
                (3, "", "invalid"),
                (4, "expires_at", "out_of_range"),
                (5, "reason", "out_of_range"),
                (7, "number", "duplicate"),
            ]
        );
    }

    #[test]
    fn a_document_without_the_right_first_line_is_refused() {
        for document in [
            "",
            "\n",
            "+12065550100,asked,",
            "number;reason",
            "number,number,reason",
            "number,expires_at",
        ] {
            assert_eq!(faults(document).len(), 1, "{document:?}");
        }
    }

    #[test]
    fn bytes_that_are_no_text_are_told_and_not_guessed() {
        let faults = read(b"number,reason\n+12065550100,caf\xe9\n", now()).expect_err("faults");
        assert_eq!((faults[0].line, faults[0].column), (2, "reason"));
    }

    #[test]
    fn one_row_too_many_is_told_once() {
        let mut document = "number,reason\n".to_owned();
        for number in 0..ROWS_MAX + 5 {
            document.push_str(&format!("+1206{:07},asked\n", 2_000_000 + number));
        }
        let faults = faults(&document);
        assert_eq!(
            faults,
            [(
                u64::try_from(ROWS_MAX).expect("few") + 2,
                "",
                "out_of_range"
            )]
        );
    }
}
