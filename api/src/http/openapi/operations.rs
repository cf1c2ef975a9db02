//! What holds for every operation: credentials, parameters, headers.

use serde_json::{Value, json};

use super::super::caller::{AnyCaller, Operator, Somebody};
use super::{BEARER, SESSION, each_operation, ids};
use crate::auth::{Described, PERMISSIONS};

/// Where an operation's permission stands by itself, for those who do not read security requirements.
pub(super) const PERMISSION: &str = "x-permission";

/// What every `ETag` is for.
const TAG: &str = "for `If-Match` and `If-None-Match` of a change; no validator for caches: a GET is answered in full";

pub(super) fn complete(document: &mut Value) {
    document["components"]["headers"] = headers();
    each_operation(document, |path, method, operation| {
        let needed = permission(operation);
        if let Some(permission) = &needed {
            secure(operation, permission);
        }
        parameters(path, method, operation, needed.as_deref());
        answers(method, operation, needed.as_deref());
    });
}

/// What the handler says that it needs: the one scope of its requirement. None: open to everybody.
fn permission(operation: &Value) -> Option<String> {
    let scope = operation.pointer("/security/0/bearer/0")?.as_str()?;
    Some(scope.to_owned())
}

/// What a role needs to do it in a tenant. None: it is done in no tenant.
pub(super) fn in_a_tenant(permission: &str) -> Option<&'static Described> {
    PERMISSIONS.iter().find(|known| known.name == permission)
}

/// Whether it is done once, however often it is sent under one `Idempotency-Key`. A POST that changes nothing may be done
/// again.
pub(super) fn is_done_once(method: &str, permission: Option<&str>) -> bool {
    let changes = |permission| in_a_tenant(permission).is_none_or(|known| known.changes);
    method == "post" && permission.is_some_and(changes)
}

/// A key, a token or an operator's key; or, in other words, the browser of somebody who is signed in.
fn secure(operation: &mut Value, permission: &str) {
    operation["security"] = [BEARER, SESSION]
        .map(|scheme| json!({ scheme: [permission] }))
        .into();
    let about = operation["description"].as_str().unwrap_or_default();
    let needs = needs(permission);
    operation["description"] = format!("{about}\n\n{needs}").trim_start().into();
    operation[PERMISSION] = permission.into();
}

fn needs(permission: &str) -> String {
    if permission == AnyCaller::NAME {
        return "For every caller who is recognised.".to_owned();
    }
    if permission == Operator::NAME {
        return "For operators only.".to_owned();
    }
    if permission == Somebody::NAME {
        return "For a person who is signed in in a browser.".to_owned();
    }
    let role = in_a_tenant(permission).map_or("owner", |known| known.least.as_str());
    format!("Needs the permission `{permission}`: the role {role} or more.")
}

fn parameters(path: &str, method: &str, operation: &mut Value, permission: Option<&str>) {
    let mut parameters = match operation["parameters"].take() {
        Value::Array(parameters) => parameters,
        _ => Vec::new(),
    };
    for parameter in &mut parameters {
        describe(path, parameter);
    }
    // Read with every credential, so that a client of one operation is a client of all.
    if permission.is_some() {
        parameters.push(json!({
            "name": "Ringfence-Tenant", "in": "header", "required": false, "schema": ids::schema("ten"),
            "description": "The tenant that is meant: for operators, for members of several tenants, and for tokens of a \
                tenant's own issuer",
        }));
    }
    // Read with every `If-Match`, by the same extractor.
    if parameters
        .iter()
        .any(|parameter| parameter["name"] == "If-Match")
    {
        parameters.push(json!({
            "name": "If-None-Match", "in": "header", "required": false, "schema": { "type": "string", "example": "*" },
            "description": "`*` for a change that must replace nothing; or an ETag that what is there must not have",
        }));
    }
    if is_done_once(method, permission) {
        parameters.push(json!({
            "name": "Idempotency-Key", "in": "header", "required": false,
            "schema": {
                "type": "string", "minLength": 1, "maxLength": 255, "example": "8e03978e-40d5-43e8-bc93-6894a57f9324",
            },
            "description": "Makes it safe to send the request again: for 24 hours it is done once, and answered as the \
                first time",
        }));
    }
    if parameters.is_empty() {
        // Taking it has left a null.
        operation
            .as_object_mut()
            .map(|members| members.remove("parameters"));
    } else {
        operation["parameters"] = parameters.into();
    }
}

/// Parameters that mean the same wherever they stand.
fn describe(path: &str, parameter: &mut Value) {
    let name = parameter["name"].as_str().unwrap_or_default().to_owned();
    if let Some(schema) = ids::of_parameter(path, &name) {
        parameter["schema"] = schema;
    }
    // A list whose items cost more than most says how many it takes.
    let most = parameter["schema"]["maximum"].as_i64().unwrap_or(100);
    let (schema, description) = match name.as_str() {
        "id" | "event_id" => (None, "Its id"),
        "version" => (
            Some(json!({ "type": "integer", "format": "int64", "minimum": 1, "example": 1 })),
            "Which version",
        ),
        "limit" => (
            Some(json!({
                "type": "integer", "format": "int32", "minimum": 1, "maximum": most, "default": most.min(50), "example": 20,
            })),
            "How many at most",
        ),
        "cursor" => (
            Some(json!({ "type": "string", "example": "MTc2NDA3MjAwMDAwMDAwMA" })),
            "`next_cursor` of the page before; the first page without it",
        ),
        "If-Match" => (
            Some(json!({ "type": "string", "example": "\"3\"" })),
            "The ETag of what was seen",
        ),
        _ => return,
    };
    if let Some(schema) = schema {
        parameter["schema"] = schema;
    }
    if parameter["description"].is_null() {
        parameter["description"] = description.into();
    }
}

/// Says what each status means, and which headers come with it.
fn answers(method: &str, operation: &mut Value, permission: Option<&str>) {
    let answers = operation["responses"].as_object_mut();
    for (status, answer) in answers.into_iter().flatten() {
        if answer["description"].as_str().is_none_or(str::is_empty) {
            answer["description"] = meaning(status).into();
        }
        if let Some(tag) = answer.pointer_mut("/headers/ETag") {
            let version = tag["description"].as_str().unwrap_or_default();
            tag["description"] = format!("{version}, {TAG}").into();
        }
        let mut add = |name: &str| {
            answer["headers"][name] = json!({ "$ref": format!("#/components/headers/{name}") });
        };
        add("X-Request-Id");
        if permission.is_some() {
            add("RateLimit");
            add("RateLimit-Policy");
        }
        if is_done_once(method, permission) {
            add("Idempotent-Replayed");
        }
    }
}

fn meaning(status: &str) -> &'static str {
    match status {
        "201" => "It is made",
        "202" => "It is taken on, and done in the background",
        "204" => "It is done",
        "303" => "The browser goes on there",
        _ => "As asked",
    }
}

fn headers() -> Value {
    let header = |description: &str, example: &str| json!({ "description": description, "schema": { "type": "string", "example": example } });
    let whole = |description: &str, example: u32| {
        json!({
            "description": description, "schema": { "type": "integer", "format": "int32", "minimum": 0, "example": example },
        })
    };
    json!({
        "X-Request-Id": header(
            "To be told when asking for help; it stands in the log and in the audit log",
            "req_01890a5d000070008000000000000000",
        ),
        "RateLimit": header("What is left, of the key's and the tenant's", "\"key\";r=1199;t=1, \"tenant\";r=5999;t=1"),
        "RateLimit-Policy": header("How much there is in all", "\"key\";q=1200;w=60, \"tenant\";q=6000;w=60"),
        "Retry-After": whole("Seconds until it is worth another try", 5),
        "Idempotent-Replayed": {
            "description": "There where the request was done before: this is its answer",
            "schema": { "type": "string", "enum": ["true"] },
        },
    })
}
