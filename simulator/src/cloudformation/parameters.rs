//! A stack's parameters: given, or by default, and within what the template allows.

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

use super::{TemplateError, object};

pub fn resolve(
    declared: Option<&Value>,
    given: &Map<String, Value>,
) -> Result<BTreeMap<String, String>, TemplateError> {
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

fn value(name: &str, declaration: &Value, given: Option<&Value>) -> Result<String, TemplateError> {
    let declared_at = format!("/Parameters/{name}");
    let declaration = object(declaration, &declared_at)?;
    let kind = declaration
        .get("Type")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !matches!(kind, "String" | "Number") {
        return Err(TemplateError::new(
            format!("{declared_at}/Type"),
            "must be String or Number in the simulator",
        ));
    }
    let path = format!("/parameters/{name}");
    let refuse = |message: String| Err(TemplateError::new(path.as_str(), message));
    let Some(text) = given.or_else(|| declaration.get("Default")).and_then(plain) else {
        return refuse("a value is needed".to_owned());
    };
    if kind == "Number" && text.parse::<f64>().is_err() {
        return refuse("must be a number".to_owned());
    }
    if let Some(Value::Array(allowed)) = declaration.get("AllowedValues")
        && !allowed
            .iter()
            .any(|allowed| plain(allowed).as_deref() == Some(&text))
    {
        return refuse("is not one of the allowed values".to_owned());
    }
    if let Some(pattern) = declaration.get("AllowedPattern").and_then(Value::as_str) {
        let whole = Regex::new(&format!("^(?:{pattern})$"));
        let whole = whole.map_err(|err| {
            TemplateError::new(format!("{declared_at}/AllowedPattern"), err.to_string())
        })?;
        if !whole.is_match(&text) {
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
    Ok(text)
}

fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        _ => None,
    }
}
