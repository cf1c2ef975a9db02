//! The intrinsic functions, evaluated where everything they may name is known.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::parameters::Parameter;
use super::{Place, TemplateError};

/// What `Ref`, `Fn::Sub` and `Fn::GetAtt` may name.
#[derive(Debug)]
pub struct Scope {
    /// Parameters and pseudo parameters; once their names are known, resources too.
    names: BTreeMap<String, String>,
    /// Parameters that are lists, which only `Ref` may name.
    lists: BTreeMap<String, Vec<String>>,
    /// `Resource.Attribute`
    attributes: BTreeMap<String, String>,
    pub account_id: String,
    pub region: String,
    pub stack_name: String,
}

impl Scope {
    pub fn new(place: &Place<'_>, parameters: BTreeMap<String, Parameter>) -> Self {
        let (mut names, mut lists) = (BTreeMap::new(), BTreeMap::new());
        for (name, parameter) in parameters {
            match parameter {
                Parameter::Text(text) => drop(names.insert(name, text)),
                Parameter::List(entries) => drop(lists.insert(name, entries)),
            }
        }
        let pseudo = [
            ("AWS::AccountId", place.account_id),
            ("AWS::Region", place.region),
            ("AWS::Partition", "aws"),
            ("AWS::StackName", place.stack_name),
            ("AWS::URLSuffix", "amazonaws.com"),
        ];
        names.extend(
            pseudo
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.to_owned())),
        );
        Self {
            names,
            lists,
            attributes: BTreeMap::new(),
            account_id: place.account_id.to_owned(),
            region: place.region.to_owned(),
            stack_name: place.stack_name.to_owned(),
        }
    }

    /// Makes a resource known: what `Ref` gives, and its ARN.
    pub fn add(&mut self, logical: &str, reference: &str, arn: &str) {
        self.names.insert(logical.to_owned(), reference.to_owned());
        self.attributes
            .insert(format!("{logical}.Arn"), arn.to_owned());
    }

    /// The value with all intrinsics replaced; nothing for a reference to `AWS::NoValue`.
    pub fn value(&self, value: &Value, path: &str) -> Result<Option<Value>, TemplateError> {
        match value {
            Value::Object(members) => self.object(members, path),
            Value::Array(elements) => {
                let each = elements
                    .iter()
                    .enumerate()
                    .map(|(index, element)| self.value(element, &format!("{path}/{index}")));
                let each: Vec<Option<Value>> = each.collect::<Result<_, _>>()?;
                Ok(Some(each.into_iter().flatten().collect()))
            }
            plain => Ok(Some(plain.clone())),
        }
    }

    pub fn text(&self, value: &Value, path: &str) -> Result<String, TemplateError> {
        match self.value(value, path)? {
            Some(Value::String(text)) => Ok(text),
            Some(value @ (Value::Number(_) | Value::Bool(_))) => Ok(value.to_string()),
            _ => Err(TemplateError::new(path, "must be a text")),
        }
    }

    fn object(
        &self,
        members: &Map<String, Value>,
        path: &str,
    ) -> Result<Option<Value>, TemplateError> {
        let mut only = members.iter();
        if let (Some((name, argument)), None) = (only.next(), only.next())
            && (name == "Ref"
                || name.starts_with("Fn::")
                || name == "Condition" && path.ends_with("/Fn::If"))
        {
            return self.function(name, argument, path);
        }
        let mut object = Map::new();
        for (name, value) in members {
            if let Some(value) = self.value(value, &format!("{path}/{name}"))? {
                object.insert(name.clone(), value);
            }
        }
        Ok(Some(Value::Object(object)))
    }

    fn function(
        &self,
        name: &str,
        argument: &Value,
        path: &str,
    ) -> Result<Option<Value>, TemplateError> {
        let text = match (name, argument) {
            ("Ref", Value::String(name)) if name == "AWS::NoValue" => return Ok(None),
            ("Ref", Value::String(name)) => match self.lists.get(name) {
                Some(entries) => return Ok(Some(entries.iter().cloned().collect())),
                None => self.reference(name, path)?,
            },
            ("Fn::GetAtt", Value::String(attribute)) => self.attribute(attribute, path)?,
            ("Fn::GetAtt", Value::Array(parts)) => {
                let parts: Option<Vec<&str>> = parts.iter().map(Value::as_str).collect();
                self.attribute(&parts.unwrap_or_default().join("."), path)?
            }
            ("Fn::Sub", Value::String(text)) => self.substitute(text, &BTreeMap::new(), path)?,
            ("Fn::Sub", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(text), Value::Object(own)] => {
                    let own = own
                        .iter()
                        .map(|(name, value)| Ok((name.clone(), self.text(value, path)?)));
                    self.substitute(text, &own.collect::<Result<_, TemplateError>>()?, path)?
                }
                _ => {
                    return Err(TemplateError::new(
                        path,
                        "Fn::Sub takes a text, or a text and a mapping",
                    ));
                }
            },
            ("Fn::Join", Value::Array(parts)) => match parts.as_slice() {
                [Value::String(between), Value::Array(parts)] => {
                    let parts = parts.iter().map(|part| self.text(part, path));
                    parts.collect::<Result<Vec<_>, _>>()?.join(between)
                }
                _ => {
                    return Err(TemplateError::new(
                        path,
                        "Fn::Join takes a delimiter and a list",
                    ));
                }
            },
            _ => {
                return Err(TemplateError::new(
                    path,
                    format!("{name} is not supported by the simulator in this form"),
                ));
            }
        };
        Ok(Some(Value::String(text)))
    }

    fn reference(&self, name: &str, path: &str) -> Result<String, TemplateError> {
        let known = self.names.get(name).cloned();
        known.ok_or_else(|| {
            TemplateError::new(path, format!("there is no parameter or resource {name}"))
        })
    }

    fn attribute(&self, attribute: &str, path: &str) -> Result<String, TemplateError> {
        let known = self.attributes.get(attribute).cloned();
        known.ok_or_else(|| TemplateError::new(path, format!("there is no attribute {attribute}")))
    }

    fn substitute(
        &self,
        text: &str,
        own: &BTreeMap<String, String>,
        path: &str,
    ) -> Result<String, TemplateError> {
        let mut result = String::new();
        let mut rest = text;
        while let Some((before, after)) = rest.split_once("${") {
            result.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                return Err(TemplateError::new(path, "a ${ is not closed"));
            };
            match (name.strip_prefix('!'), own.get(name)) {
                (Some(literal), _) => {
                    result.push_str("${");
                    result.push_str(literal);
                    result.push('}');
                }
                (None, Some(value)) => result.push_str(value),
                (None, None) if name.contains('.') => result.push_str(&self.attribute(name, path)?),
                (None, None) => result.push_str(&self.reference(name, path)?),
            }
            rest = after;
        }
        result.push_str(rest);
        Ok(result)
    }
}
