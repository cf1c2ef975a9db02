//! Texts of the description that may be anything. All others say which words, which pattern or which format they have, so
//! that whoever makes a client or a dashboard from it is told.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::operations::document;

/// By what they are: a property or parameter, wherever it stands or, with the schema or operation before it, just there.
const FREE: [(&str, &[&str]); 11] = [
    (
        "what people, or Amazon Connect, call something",
        &[
            "name",
            "rule_name",
            "tenant_name",
            "routing_profile_name",
            "whisper_flow_name",
            "description",
        ],
    ),
    (
        "prose",
        &[
            "detail",
            "fix",
            "message",
            "advice",
            "citation",
            "Coverage.problem",
            "Decision.notice_error",
            "Decision.stop_error",
            "Delivery.last_error",
            "DeliveryAttempt.answer",
            "DeliveryAttempt.error",
            "DialledQueue.reason",
            "ListedNumber.reason",
            "NewListedNumber.reason",
            "PolicyRule.notice",
            "Preset.about",
            "Preset.caveat",
            "Problem.title",
            "ResetRequest.reason",
            "Sentence.text",
            "SentenceChange.after",
            "SentenceChange.before",
        ],
    ),
    (
        "words to which limiters, checks and audited changes of later versions add",
        &[
            "action",
            "not_applied_because",
            "CallDeniedEvent.reason",
            "Condition.reason",
            "Decision.reason",
            "Decision.unavailable",
            "FieldFault.code",
        ],
    ),
    (
        "AWS's names of its things",
        &[
            "account_id",
            "agent_arn",
            "caller_id_number_id",
            "contact_id",
            "function_arn",
            "home_region",
            "installer_role_arn",
            "instance_arn",
            "notice_flow_id",
            "previous_flow_id",
            "queue_arn",
            "queue_id",
            "region",
            "routing_profile_id",
            "runtime_role_arn",
            "task_contact_id",
            "whisper_flow_id",
            "ConnectionUnhealthyEvent.failed",
            "FallbackStack.function_name",
            "MissingPermission.permission",
            "NewShardMove.to",
            "QueuesBody",
            "RuleWhen.queues",
            "ShardMove.from",
            "ShardMove.to",
            "StackParameters.ConnectionId",
            "StackParameters.ControlPlanePrincipal",
            "StackParameters.LimiterPrincipal",
        ],
    ),
    (
        "numbers as somebody writes them, their beginnings, and countries",
        &[
            "caller_id",
            "caller_id_prefixes",
            "customer_number",
            "default_country",
            "destination_countries",
            "destination_prefixes",
            "emergency",
            "number",
            "prefix_filter",
            "Preset.jurisdiction",
        ],
    ),
    (
        "the tenant's own: ids of rules, attributes, time zones, claims of their tokens",
        &[
            "agent_time_zones",
            "attributes",
            "audience",
            "issuer",
            "role_claim",
            "roles",
            "rule_id",
            "time_zone",
            "Replay.by_rule",
            "ResetAtInstance.rules_not_reset",
            "Top.value",
        ],
    ),
    (
        "addresses and pointers",
        &[
            "email",
            "jwks_url",
            "pointer",
            "quick_create_url",
            "template_url",
            "url",
            "AuditEntry.ip",
            "MadeInvitation.link",
            "Problem.type",
            "sign_in_begin.return_to",
            "sign_in_callback.iss",
        ],
    ),
    (
        "secrets and marks that only their maker reads",
        &[
            "Idempotency-Key",
            "If-Match",
            "If-None-Match",
            "ETag",
            "cursor",
            "next_cursor",
            "external_id",
            "ApiKey.prefix",
            "InvitationToken.token",
            "MadeApiKey.key",
            "Me.csrf_token",
            "StackParameters.ExternalId",
            "WebhookWithSecret.secret",
            "decisions_live.Last-Event-ID",
            "sign_in_callback.code",
            "sign_in_callback.error",
            "sign_in_callback.state",
        ],
    ),
    (
        "who, and what was changed: of many kinds",
        &[
            "actor",
            "created_by",
            "target",
            "AuditEntry.after",
            "AuditEntry.before",
            "AuditEntry.content",
            "Invitation.invited_by",
            "Me.subject",
        ],
    ),
    (
        "headers in a standard's or our own notation",
        &["RateLimit", "RateLimit-Policy", "X-Request-Id"],
    ),
    (
        "text to paste into a shell or a file",
        &["cli_command", "Onboarding.terraform"],
    ),
];

/// A text of the description that says nothing of what it may be.
#[derive(Debug)]
struct Text<'a> {
    /// The schema, the operation or the header.
    owner: &'a str,
    /// The property or parameter; the owner itself where it is the text.
    name: &'a str,
}

impl Text<'_> {
    fn free(&self) -> Option<&'static str> {
        let whole = match self.name {
            "" => self.owner.to_owned(),
            name => format!("{}.{name}", self.owner),
        };
        FREE.iter()
            .flat_map(|(_, names)| *names)
            .find(|known| **known == self.name || **known == whole)
            .copied()
    }
}

fn texts<'a>(owner: &'a str, name: &'a str, schema: &'a Value, found: &mut Vec<Text<'a>>) {
    if schema.is_null() {
        return;
    }
    let kind = &schema["type"];
    let several = kind.as_array().into_iter().flatten();
    let is_text = kind == "string" || several.clone().any(|one| one == "string");
    let says = ["enum", "const", "pattern", "format"];
    if is_text && says.iter().all(|says| schema[says].is_null()) {
        found.push(Text { owner, name });
    }
    for (name, property) in schema["properties"].as_object().into_iter().flatten() {
        texts(owner, name, property, found);
    }
    for part in ["items", "propertyNames", "additionalProperties"] {
        texts(owner, name, &schema[part], found);
    }
    for part in ["allOf", "oneOf", "anyOf"] {
        for one in schema[part].as_array().into_iter().flatten() {
            texts(owner, name, one, found);
        }
    }
}

/// Of bodies that are no JSON nothing is said: they are a file or a stream.
fn of_operation<'a>(id: &'a str, operation: &'a Value, found: &mut Vec<Text<'a>>) {
    for parameter in operation["parameters"].as_array().into_iter().flatten() {
        let name = parameter["name"].as_str().expect("a name");
        texts(id, name, &parameter["schema"], found);
    }
    let json = "application/json";
    texts(
        id,
        "",
        &operation["requestBody"]["content"][json]["schema"],
        found,
    );
    for answer in operation["responses"]
        .as_object()
        .expect("answers")
        .values()
    {
        texts(id, "", &answer["content"][json]["schema"], found);
        for (name, header) in answer["headers"].as_object().into_iter().flatten() {
            texts(id, name, &header["schema"], found);
        }
    }
}

#[test]
fn every_text_says_its_words_its_pattern_or_its_format_or_is_known_to_be_free() {
    let document = document();
    let mut found = Vec::new();
    for (name, schema) in document["components"]["schemas"]
        .as_object()
        .expect("schemas")
    {
        texts(name, "", schema, &mut found);
    }
    for (name, header) in document["components"]["headers"]
        .as_object()
        .expect("headers")
    {
        texts(name, "", &header["schema"], &mut found);
    }
    for item in document["paths"].as_object().expect("paths").values() {
        for operation in item.as_object().expect("operations").values() {
            let id = operation["operationId"].as_str().expect("an id");
            of_operation(id, operation, &mut found);
        }
    }
    let plain: Vec<_> = found.iter().filter(|text| text.free().is_none()).collect();
    assert!(
        plain.is_empty(),
        "they say nothing of themselves: {plain:#?}"
    );
    let used: BTreeSet<&str> = found.iter().filter_map(Text::free).collect();
    let known: BTreeSet<&str> = FREE.iter().flat_map(|(_, names)| *names).copied().collect();
    let gone: Vec<_> = known.difference(&used).collect();
    assert!(gone.is_empty(), "no text is called so any more: {gone:?}");
}

/// What generated clients would otherwise only learn by being refused.
#[test]
fn a_quota_is_a_number_within_its_bounds_or_one_of_two_words() {
    let document = document();
    let schemas = &document["components"]["schemas"];
    let ways = &schemas["QuotaValue"]["oneOf"];
    let named = |name: &str| json!({ "$ref": format!("#/components/schemas/{name}") });
    assert_eq!(*ways, json!([named("QuotaLimit"), named("QuotaWord")]));
    let limit = &schemas["QuotaLimit"];
    assert_eq!(limit["minimum"], 0, "{limit}");
    assert_eq!(limit["maximum"], 1_000_000_000_000_i64, "{limit}");
    let words = &schemas["QuotaWord"]["enum"];
    assert_eq!(*words, json!(["unlimited", "default"]));
}
