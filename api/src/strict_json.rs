//! JSON in which no object names a member twice.
//!
//! Parsers differ in which of two equal names they believe, so a signer and a checker, or a proxy and we, could read
//! different documents.

use std::fmt;

use serde::de::{Error, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Number, Value};

/// Any document; what is wrong with it is an error of the category `Data`.
#[derive(Debug, Clone)]
pub struct Strict(pub Value);

impl<'de> Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Document).map(Self)
    }
}

struct Document;

impl<'de> Visitor<'de> for Document {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON whose objects name no member twice")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Value, E> {
        let number = Number::from_f64(value).map(Value::Number);
        number.ok_or_else(|| E::custom("a number is out of range"))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(Strict(item)) = access.next_element()? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let mut members = Map::new();
        while let Some((name, Strict(value))) = access.next_entry::<String, Strict>()? {
            if members.insert(name, value).is_some() {
                return Err(A::Error::custom("a member is named twice"));
            }
        }
        Ok(members.into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn read(text: &str) -> Result<Value, serde_json::Error> {
        serde_json::from_str::<Strict>(text).map(|Strict(value)| value)
    }

    #[test]
    fn a_member_named_twice_is_refused_however_deep_and_however_it_is_written() {
        for text in [
            r#"{"a":1,"a":1}"#,
            r#"{"a":1,"\u0061":2}"#,
            r#"{"rules":[{"limit":{"max":3,"max":300}}]}"#,
            r#"[[{"":null,"":null}]]"#,
        ] {
            let err = read(text).expect_err(text);
            assert!(err.is_data(), "{text}: {err}");
        }
        for text in [r#"{"a":{"a":1},"b":[{"a":1},{"a":1}]}"#, r#"{"a":1,"A":1}"#] {
            read(text).expect(text);
        }
    }

    #[test]
    fn it_is_as_deep_as_the_parser_goes_and_no_deeper() {
        let nested = |deep: usize| format!("{}{}", "[".repeat(deep), "]".repeat(deep));
        assert!(read(&nested(100)).is_ok());
        assert!(read(&nested(100_000)).is_err());
    }

    proptest! {
        #[test]
        fn everything_else_is_read_as_it_is(
            whole: i64, large: u64, broken in -1e300_f64..1e300, text: String, yes: bool,
        ) {
            let value = serde_json::json!({
                "whole": whole, "large": large, "broken": broken, (text.clone()): [text, yes, null], "none": {},
            });
            let text = value.to_string();
            let usual: Value = serde_json::from_str(&text).expect("JSON");
            prop_assert_eq!(read(&text).expect("JSON"), usual);
        }
    }
}
