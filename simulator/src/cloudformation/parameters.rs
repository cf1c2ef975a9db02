//! A stack's parameters: given, or by default, and within what the template allows. A list's entries each have to be.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::{TemplateError, object};

/// What a parameter stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Parameter {
    Text(String),
    List(Vec<String>),
}

pub fn resolve(
    declared: Option<&Value>,
    given: &Map<String, Value>,
) -> Result<BTreeMap<String, Parameter>, TemplateError> {
    let none = Map::new();
    let declared = match declared {
        Some(declared) => object(declared, "/Parameters")?,
        None => &none,
    };
    if let Some(name) = given.keys().find(|name| !declared.contains_key(*name)) {
        return Err(TemplateError::new(
            format!("/parameters/{name}"),
            "the template has no such parameter",
        ));
    }
    let one = |(name, declaration): (&String, &Value)| {
        Ok((name.clone(), value(name, declaration, given.get(name))?))
    };
    declared.iter().map(one).collect()
}

fn value(
    name: &str,
    declaration: &Value,
    given: Option<&Value>,
) -> Result<Parameter, TemplateError> {
    let declared_at = format!("/Parameters/{name}");
    let declaration = object(declaration, &declared_at)?;
    let kind = declaration
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !matches!(kind, "String" | "Number" | "CommaDelimitedList") {
        return Err(TemplateError::new(
            format!("{declared_at}/Type"),
            "must be String, Number or CommaDelimitedList in the simulator",
        ));
    }
    let path = format!("/parameters/{name}");
    let Some(text) = given.or_else(|| declaration.get("Default")).and_then(plain) else {
        return Err(TemplateError::new(path, "a value is needed"));
    };
    if kind == "CommaDelimitedList" {
        let entries: Vec<String> = text
            .split(',')
            .map(|entry| entry.trim().to_owned())
            .collect();
        for entry in &entries {
            check(entry, declaration, &declared_at, &path)?;
        }
        return Ok(Parameter::List(entries));
    }
    check(&text, declaration, &declared_at, &path)?;
    Ok(Parameter::Text(text))
}

fn check(
    text: &str,
    declaration: &Map<String, Value>,
    declared_at: &str,
    path: &str,
) -> Result<(), TemplateError> {
    let kind = declaration.get("Type").and_then(Value::as_str);
    let refuse = |message: String| Err(TemplateError::new(path, message));
    if kind == Some("Number") && text.parse::<f64>().is_err() {
        return refuse("must be a number".to_owned());
    }
    if let Some(Value::Array(allowed)) = declaration.get("AllowedValues")
        && !allowed
            .iter()
            .any(|allowed| plain(allowed).as_deref() == Some(text))
    {
        return refuse("is not one of the allowed values".to_owned());
    }
    if let Some(pattern) = declaration.get("AllowedPattern").and_then(Value::as_str) {
        let whole = Regex::new(&format!("^(?:{pattern})$"));
        let whole = whole.map_err(|err| {
            TemplateError::new(format!("{declared_at}/AllowedPattern"), err.to_string())
        })?;
        if !whole.is_match(text) {
            return refuse(format!("must match {pattern}"));
        }
    }
    let length = text.chars().count() as f64;
    let number = text.parse::<f64>().unwrap_or_default();
    for (bound, found, too) in [
        ("MinLength", length, "short"),
        ("MaxLength", length, "long"),
        ("MinValue", number, "small"),
        ("MaxValue", number, "large"),
    ] {
        let Some(limit) = declaration
            .get(bound)
            .and_then(plain)
            .and_then(|limit| limit.parse::<f64>().ok())
        else {
            continue;
        };
        let beyond = if bound.starts_with("Min") {
            found < limit
        } else {
            found > limit
        };
        if beyond {
            return refuse(format!("is too {too}"));
        }
    }
    Ok(())
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
