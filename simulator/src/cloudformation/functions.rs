//! Functions whose code stands in the template.

use serde_json::Value;

use super::TemplateError;
use super::intrinsics::Scope;
use super::roles::Resource;
use crate::lambda::python::PythonFunction;

/// Lambda takes so much code in a template.
const CODE_CHARACTERS_MAX: usize = 4 * 1024 * 1024;

pub fn function(resource: &Resource<'_>, scope: &Scope) -> Result<PythonFunction, TemplateError> {
    let text = |property: &str| match resource.required(scope, property)? {
        Value::String(text) => Ok(text),
        _ => Err(TemplateError::new(resource.at(property), "must be a text")),
    };
    let runtime = text("Runtime")?;
    if !runtime.starts_with("python3.") {
        let message = format!("{runtime} is not supported by the simulator");
        return Err(TemplateError::new(resource.at("Runtime"), message));
    }
    let handler = text("Handler")?;
    if !handler.contains('.') {
        let message = "must be a module and a function with a dot between them";
        return Err(TemplateError::new(resource.at("Handler"), message));
    }
    let code = resource.required(scope, "Code")?;
    let code = code
        .get("ZipFile")
        .and_then(Value::as_str)
        .unwrap_or_default();
    if !(1..=CODE_CHARACTERS_MAX).contains(&code.chars().count()) {
        let message = "only code in ZipFile is supported by the simulator";
        return Err(TemplateError::new(resource.at("Code"), message));
    }
    let seconds = resource.required(scope, "Timeout")?.as_u64();
    let seconds = seconds.filter(|seconds| (1..=900).contains(seconds));
    let timeout_seconds = seconds
        .and_then(|seconds| u32::try_from(seconds).ok())
        .ok_or_else(|| TemplateError::new(resource.at("Timeout"), "must be 1 to 900"))?;
    Ok(PythonFunction {
        name: text("FunctionName")?,
        role_arn: text("Role")?,
        handler,
        code: code.to_owned(),
        timeout_seconds,
    })
}
