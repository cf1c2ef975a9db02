//! YAML or JSON text into plain values, the short forms of the intrinsics (`!Sub`) into their long ones (`Fn::Sub`).

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use serde_saphyr::Tagged;

use super::TemplateError;

pub fn read(text: &str) -> Result<Value, TemplateError> {
    let node: Node =
        serde_saphyr::from_str(text).map_err(|err| TemplateError::new("/", err.to_string()))?;
    Ok(node.0)
}

/// A value whose tags have become intrinsics.
struct Node(Value);

impl<'de> Deserialize<'de> for Node {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Tagged(Untagged(value), tag) = Tagged::<Untagged>::deserialize(deserializer)?;
        let name = match tag.as_deref().and_then(|tag| tag.strip_prefix('!')) {
            None => return Ok(Self(value)),
            Some("Ref") => "Ref",
            Some("Sub") => "Fn::Sub",
            Some("GetAtt") => "Fn::GetAtt",
            Some("Join") => "Fn::Join",
            Some(other) => {
                return Err(D::Error::custom(format!(
                    "!{other} is not supported by the simulator"
                )));
            }
        };
        Ok(Self(Value::Object(Map::from_iter([(
            name.to_owned(),
            value,
        )]))))
    }
}

/// A value whose own tag has been taken off; those inside become intrinsics.
struct Untagged(Value);

impl<'de> Deserialize<'de> for Untagged {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(AnyValue).map(Self)
    }
}

struct AnyValue;

impl<'de> Visitor<'de> for AnyValue {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a template")
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

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_none<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(Node(element)) = elements.next_element()? {
            list.push(element);
        }
        Ok(list.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some((name, Node(value))) = members.next_entry::<String, Node>()? {
            object.insert(name, value);
        }
        Ok(object.into())
    }
}
