//! What is posted to tenants' webhooks: each kind of event with its message, its headers and an example.
//!
//! Whoever makes an event writes its `data` where it happens; the workers' tests compare what is told with this.

use serde_json::{Map, Value, json};

use super::examples::sample;
use super::ids;
use crate::domain::drift::DriftKind;
use crate::domain::webhook::EventKind;

const EXAMPLE_ARN: &str =
    "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b";
const SIGNED: &str = "v1,K5oZfzN95Z9UVu1EsfQmfVNQhnkZ2pj9o9NDN/H/pI4=";

pub(super) fn describe(document: &mut Value) {
    let schemas = &mut document["components"]["schemas"];
    let mut hooks = Map::new();
    for kind in EventKind::ALL {
        let (name, about, data) = told(kind);
        schemas[name] = object(&data);
        let message = object(&json!({
            "type": { "type": "string", "const": kind.as_str() },
            "timestamp": time("When it happened"),
            "data": { "$ref": format!("#/components/schemas/{name}") },
        }));
        let example = sample(schemas, &message);
        hooks.insert(
            kind.as_str().to_owned(),
            json!({ "post": operation(about, &message, &example) }),
        );
    }
    document["webhooks"] = hooks.into();
}

fn operation(about: &str, message: &Value, example: &Option<Value>) -> Value {
    json!({
        "tags": ["webhooks"],
        "summary": about,
        "parameters": headers(),
        "requestBody": {
            "required": true,
            "content": { "application/json": { "schema": message, "example": example } },
        },
        "responses": {
            "2XX": { "description": "It has arrived" },
            "410": { "description": "The webhook is to be disabled" },
            "default": { "description": "It is sent again later" },
        },
    })
}

/// By [Standard Webhooks](https://www.standardwebhooks.com).
fn headers() -> Value {
    let header = |name: &str, description: &str, schema: Value| {
        json!({
            "name": name, "in": "header", "required": true, "description": description, "schema": schema,
            "example": schema["example"],
        })
    };
    json!([
        header(
            "webhook-id",
            "The event's id: the same at every attempt, so that what comes twice is known",
            ids::schema("evt"),
        ),
        header(
            "webhook-timestamp",
            "When this attempt was signed, in Unix seconds",
            json!({ "type": "integer", "format": "int64", "minimum": 0, "example": 1_764_072_000 }),
        ),
        header(
            "webhook-signature",
            "Signatures with a space between them: `v1,` and the base64 of the HMAC-SHA256, under the webhook's secret, of \
                `<webhook-id>.<webhook-timestamp>.<body>`",
            json!({
                "type": "string", "pattern": "^v1,[A-Za-z0-9+/]{43}=( v1,[A-Za-z0-9+/]{43}=)*$", "example": SIGNED,
            }),
        ),
    ])
}

/// The name of its data's schema, when it is sent, and what stands in it.
fn told(kind: EventKind) -> (&'static str, &'static str, Value) {
    match kind {
        EventKind::CallDenied => ("CallDeniedEvent", "A call was not let out", denied()),
        EventKind::LimitNear => (
            "LimitNearEvent",
            "A call that went out took a rule's count to four fifths of its limit",
            near(),
        ),
        EventKind::PolicyPublished => (
            "PolicyPublishedEvent",
            "Limiters of an instance can read another version of a policy",
            published(),
        ),
        EventKind::ConnectionUnhealthy => (
            "ConnectionUnhealthyEvent",
            "Ringfence can no longer work at an instance",
            unhealthy(),
        ),
        EventKind::InstallationDrifted => (
            "InstallationDriftedEvent",
            "Somebody changed what Ringfence had installed",
            drifted(),
        ),
        EventKind::WebhookTest => (
            "WebhookTestEvent",
            "Somebody asked for a test",
            json!({ "webhook_id": ids::schema("whk") }),
        ),
    }
}

fn denied() -> Value {
    let reason = "What the deciding rule counts, or why nothing was counted";
    call(&json!({
        "outcome": {
            "type": "string", "enum": ["denied", "failed_closed"],
            "description": "`failed_closed`: it could not be counted",
        },
        "reason": nullable(&described(text("customer"), reason)),
        "rule_id": nullable(&text("repeat-calls")),
        "retry_at": nullable(&time("When such a call is let out again")),
    }))
}

fn near() -> Value {
    call(&json!({
        "rule_id": text("repeat-calls"),
        "mode": { "type": "string", "enum": ["enforce", "shadow"], "description": "Of the rule" },
        "count": nullable(&described(whole(4), "This call included")),
        "limit": whole(5),
    }))
}

/// What both kinds say of a call, and this besides.
fn call(more: &Value) -> Value {
    let agent = format!("{EXAMPLE_ARN}/agent/11111111-2222-4333-8444-555555555555");
    let queue = format!("{EXAMPLE_ARN}/queue/7d1c4a55-2200-4265-82c0-0123456789ab");
    let mut policy = described(
        ids::schema("pol"),
        "`none`: a block list denied it, and there was no policy",
    );
    policy["pattern"] = "^(pol_[0-9a-f]{32}|none)$".into();
    let masked = "Masked, unless the webhook was set to `customer_numbers: full`";
    let mut all = json!({
        "decision_id": ids::schema("dec"),
        "instance_id": ids::schema("ins"),
        "contact_id": text("4a573372-1f28-4e26-b97b-0123456789ab"),
        "at": time("When it was decided"),
        "customer_number": nullable(&described(text("+12•••••••00"), masked)),
        "caller_id": nullable(&text("+14255550100")),
        "agent_arn": nullable(&text(&agent)),
        "queue_arn": nullable(&text(&queue)),
        "policy_id": policy,
        "policy_version": whole(3),
    });
    if let (Some(all), Some(more)) = (all.as_object_mut(), more.as_object()) {
        all.extend(more.clone());
    }
    all
}

fn published() -> Value {
    json!({
        "instance_id": ids::schema("ins"),
        "policy_id": ids::schema("pol"),
        "version": whole(3),
        "former_policy_id": nullable(&ids::schema("pol")),
        "former_version": nullable(&whole(2)),
    })
}

fn unhealthy() -> Value {
    json!({
        "connection_id": ids::schema("con"),
        "instance_id": ids::schema("ins"),
        "failed": {
            "type": "array", "items": text("connect:DescribeQueue"), "description": "Names of the checks that fail",
        },
    })
}

fn drifted() -> Value {
    let kinds = DriftKind::ALL.map(DriftKind::as_str);
    json!({
        "instance_id": ids::schema("ins"),
        "kind": { "type": "string", "enum": kinds, "example": DriftKind::QueueRepointed.as_str() },
        "target": described(text("7d1c4a55-2200-4265-82c0-0123456789ab"), "The queue or flow; empty where it is neither"),
        "name": text("Sales"),
        "mended": {
            "type": "boolean", "description": "Whether Ringfence puts it right, or only tells", "example": true,
        },
        "message": text("the queue \"Sales\" points at another whisper"),
    })
}

/// Of which every member is always there; what is not known is null.
fn object(properties: &Value) -> Value {
    let names: Vec<&String> = properties
        .as_object()
        .into_iter()
        .flat_map(Map::keys)
        .collect();
    json!({ "type": "object", "required": names, "properties": properties })
}

fn text(example: &str) -> Value {
    json!({ "type": "string", "example": example })
}

fn time(description: &str) -> Value {
    json!({
        "type": "string", "format": "date-time", "description": description, "example": "2026-11-25T12:00:00Z",
    })
}

fn whole(example: u32) -> Value {
    json!({ "type": "integer", "format": "int64", "minimum": 0, "example": example })
}

fn described(mut schema: Value, description: &str) -> Value {
    schema["description"] = description.into();
    schema
}

fn nullable(schema: &Value) -> Value {
    let mut either = schema.clone();
    either["type"] = json!([schema["type"], "null"]);
    either
}
