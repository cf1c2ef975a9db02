//! Reads the fields of a body one by one, and collects what is wrong with them.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;

use jiff::Timestamp;
use ringfence_policy::draft::code;
use serde_json::{Map, Value};

use super::problem::{ApiError, ApiResult, FieldFault};

/// What a body is read into.
pub(super) trait FromFields: Sized {
    /// `None` only where a fault was noted.
    fn from_fields(fields: &mut Fields) -> Option<Self>;
}

pub(super) struct Fields {
    object: Map<String, Value>,
    faults: Vec<FieldFault>,
}

impl Fields {
    pub fn read<T: FromFields>(body: Value) -> ApiResult<T> {
        let Value::Object(object) = body else {
            return Err(ApiError::validation(vec![FieldFault::new(
                "",
                code::WRONG_TYPE,
                "must be an object",
            )]));
        };
        let mut fields = Self {
            object,
            faults: Vec::new(),
        };
        let value = T::from_fields(&mut fields);
        let unknown: Vec<String> = fields.object.keys().cloned().collect();
        for name in unknown {
            fields.fault(&name, code::UNKNOWN_FIELD, "there is no such field");
        }
        match value {
            Some(value) if fields.faults.is_empty() => Ok(value),
            _ => Err(ApiError::validation(fields.faults)),
        }
    }

    pub fn fault(&mut self, name: &str, code: &str, detail: impl Into<String>) {
        let escaped = name.replace('~', "~0").replace('/', "~1");
        self.faults
            .push(FieldFault::new(format!("/{escaped}"), code, detail));
    }

    /// The field's value; null counts as absent.
    pub fn take(&mut self, name: &str) -> Option<Value> {
        self.object.remove(name).filter(|value| !value.is_null())
    }

    pub fn optional_text(&mut self, name: &str, most: usize) -> Option<String> {
        let Value::String(text) = self.take(name)? else {
            self.fault(name, code::WRONG_TYPE, "must be a text");
            return None;
        };
        let length = text.chars().count();
        if text.trim().is_empty() || length > most {
            self.fault(
                name,
                code::OUT_OF_RANGE,
                format!("must have 1 to {most} characters"),
            );
            return None;
        }
        if text.chars().any(char::is_control) {
            self.fault(name, code::INVALID, "must not contain control characters");
            return None;
        }
        Some(text.trim().to_owned())
    }

    pub fn text(&mut self, name: &str, most: usize) -> Option<String> {
        if self.is_missing(name) {
            return None;
        }
        self.optional_text(name, most)
    }

    /// A text that something is read from; `wanted` says what it must be.
    pub fn parsed<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        wanted: &str,
    ) -> Option<T> {
        if self.is_missing(name) {
            return None;
        }
        let Value::String(text) = self.take(name)? else {
            self.fault(name, code::WRONG_TYPE, "must be a text");
            return None;
        };
        let parsed = parse(&text);
        if parsed.is_none() {
            self.fault(name, code::INVALID, wanted);
        }
        parsed
    }

    /// A word out of a list; `allowed` names them.
    pub fn optional_word<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        allowed: &str,
    ) -> Option<T> {
        let Value::String(word) = self.take(name)? else {
            self.fault(name, code::WRONG_TYPE, "must be a text");
            return None;
        };
        let parsed = parse(&word);
        if parsed.is_none() {
            self.fault(name, code::INVALID, format!("must be one of {allowed}"));
        }
        parsed
    }

    pub fn word<T>(
        &mut self,
        name: &str,
        parse: impl Fn(&str) -> Option<T>,
        allowed: &str,
    ) -> Option<T> {
        if self.is_missing(name) {
            return None;
        }
        self.optional_word(name, parse, allowed)
    }

    /// A whole number within `range`.
    pub fn optional_whole(&mut self, name: &str, range: RangeInclusive<i64>) -> Option<i64> {
        let number = self.take(name)?;
        let found = number.as_i64().filter(|number| range.contains(number));
        if found.is_none() {
            let (least, most) = (range.start(), range.end());
            let code = if number.is_i64() {
                code::OUT_OF_RANGE
            } else {
                code::WRONG_TYPE
            };
            let detail = format!("must be a whole number from {least} to {most}");
            self.fault(name, code, detail);
        }
        found
    }

    /// A list of different texts, each of which `check` finds in order; what is wrong with one is said of that one.
    pub fn optional_texts(
        &mut self,
        name: &str,
        count: RangeInclusive<usize>,
        check: impl Fn(&str) -> Result<(), String>,
    ) -> Option<BTreeSet<String>> {
        let Value::Array(items) = self.take(name)? else {
            self.fault(name, code::WRONG_TYPE, "must be a list of texts");
            return None;
        };
        if !count.contains(&items.len()) {
            let (least, most) = (count.start(), count.end());
            let detail = format!("must have {least} to {most} items; leave it out for none");
            self.fault(name, code::OUT_OF_RANGE, detail);
        }
        let mut texts = BTreeSet::new();
        for (place, item) in items.into_iter().enumerate() {
            let (code, detail) = match item {
                Value::String(text) => match check(&text) {
                    Ok(()) if texts.insert(text) => continue,
                    Ok(()) => (code::DUPLICATE, "is given twice".to_owned()),
                    Err(detail) => (code::INVALID, detail),
                },
                _ => (code::WRONG_TYPE, "must be a text".to_owned()),
            };
            self.faults
                .push(FieldFault::new(format!("/{name}/{place}"), code, detail));
        }
        Some(texts)
    }

    /// To the microsecond, as the database keeps it, so that what is answered is what is stored.
    pub fn optional_time(&mut self, name: &str) -> Option<Timestamp> {
        let Value::String(text) = self.take(name)? else {
            self.fault(
                name,
                code::WRONG_TYPE,
                "must be a text with an RFC 3339 time",
            );
            return None;
        };
        let parsed = text
            .parse()
            .ok()
            .and_then(|at: Timestamp| Timestamp::from_microsecond(at.as_microsecond()).ok());
        if parsed.is_none() {
            self.fault(
                name,
                code::INVALID,
                "must be an RFC 3339 time, such as 2026-11-25T12:00:00Z",
            );
        }
        parsed
    }

    pub fn optional_number(&mut self, name: &str, least: u32, most: u32) -> Option<u32> {
        let value = self.take(name)?;
        if !value.is_number() {
            self.fault(name, code::WRONG_TYPE, "must be a number");
            return None;
        }
        let number = value
            .as_u64()
            .and_then(|number| u32::try_from(number).ok())
            .filter(|number| (least..=most).contains(number));
        if number.is_none() {
            let detail = format!("must be a whole number from {least} to {most}");
            self.fault(name, code::OUT_OF_RANGE, detail);
        }
        number
    }

    /// Whether it is not there; that is noted as a fault.
    pub fn is_missing(&mut self, name: &str) -> bool {
        let missing = self.object.get(name).is_none_or(Value::is_null);
        if missing {
            self.object.remove(name);
            self.fault(name, code::MISSING, "is required");
        }
        missing
    }
}
