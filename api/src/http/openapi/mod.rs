//! The API's description: what the handlers say of themselves, and what holds for all of them and would otherwise stand at
//! each.
//!
//! Handlers name their permission, their bodies, and in `x-errors` the codes that only they answer. The rest follows from
//! that: credentials, headers, the other errors, the pattern of every id, an example of every body.

mod errors;
mod examples;
mod ids;
mod lines;
mod operations;
mod webhooks;
mod words;

use serde_json::Value;
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::tag::TagBuilder;
use utoipa::openapi::{ComponentsBuilder, InfoBuilder, OpenApi, OpenApiBuilder, ServerBuilder};
use utoipa::{PartialSchema as _, ToSchema as _};
use utoipa_axum::router::OpenApiRouter;

use super::problem::{FieldFault, Problem};
use super::routes::described;

const BEARER: &str = "bearer";
const SESSION: &str = "session";

const ABOUT: &str = "Ringfence keeps contact centres inside their outbound-calling limits.\n\n\
    Send a key or a token as `Authorization: Bearer rf_live_…`. An operator (`rf_op_…`), a person who is a member of \
    several tenants, and a token of a tenant's own issuer name the tenant in `Ringfence-Tenant: ten_…`. A browser where \
    somebody is signed in sends its cookie and, with everything but GET, the `csrf_token` of `/v1/me` in \
    `X-CSRF-Token`. What belongs to another tenant is answered like what does not exist. Every error is an RFC 9457 problem whose `type` is a page of this server. Lists take `limit` (1 to 100) and `cursor`.\n\n\
    A POST that changes something and has an `Idempotency-Key` is done once, however often it is sent within 24 hours: \
    later answers are those of the first time, with `Idempotent-Replayed: true`. Checks, validating and replaying change \
    nothing and are worked out anew each time. `RateLimit` and `RateLimit-Policy` tell what a key and a tenant \
    may still send; beyond it the answer is 429 with `Retry-After`.";

/// In the order in which they are read.
const TAGS: [(&str, &str); 20] = [
    ("me", "Who is calling"),
    (
        "instances",
        "Amazon Connect instances: registering, verifying, their queues",
    ),
    ("connections", "AWS accounts as Ringfence knows them"),
    (
        "installation",
        "What Ringfence puts into an instance, and how far it has come",
    ),
    ("policies", "The limits, version by version"),
    ("decisions", "What became of each call"),
    (
        "checks",
        "What would become of a call, and what stands against a number: looked up, begun anew, erased",
    ),
    (
        "stats",
        "Decisions counted, over time and by what they have in common",
    ),
    ("exemptions", "Numbers that rules skip"),
    ("blocks", "Numbers that are never called"),
    (
        "webhooks",
        "Where a tenant's own systems are told of events",
    ),
    (
        "usage",
        "Decisions by month, and how much a tenant may have",
    ),
    ("audit-log", "Who changed what"),
    ("members", "People of a tenant, and invitations"),
    ("api-keys", "Keys of a tenant's programs"),
    (
        "token-issuers",
        "Identity providers whose tokens a tenant accepts",
    ),
    ("session", "People in a browser"),
    ("tenants", "For operators: customer organisations"),
    (
        "shards",
        "For operators: limiter functions, and which instances they serve",
    ),
    ("service", "The service itself"),
];

/// What stands in the description beside the operations.
fn frame() -> OpenApi {
    let mut schemas = Vec::new();
    Problem::schemas(&mut schemas);
    let components = ComponentsBuilder::new()
        .schemas_from_iter(schemas)
        .schema(Problem::name(), Problem::schema())
        .schema(FieldFault::name(), FieldFault::schema())
        .security_scheme(
            BEARER,
            SecurityScheme::Http(Http::new(HttpAuthScheme::Bearer)),
        )
        .security_scheme(
            SESSION,
            SecurityScheme::ApiKey(ApiKey::Cookie(ApiKeyValue::with_description(
                "__Host-ringfence_session",
                "A browser where somebody is signed in. Everything but GET also needs X-CSRF-Token.",
            ))),
        )
        .build();
    let tag = |(name, about)| {
        TagBuilder::new()
            .name(name)
            .description(Some(about))
            .build()
    };
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Ringfence")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .build(),
        )
        .servers(Some([ServerBuilder::new().url("/").build()]))
        .tags(Some(TAGS.map(tag)))
        .components(Some(components))
        .build()
}

/// The whole description.
#[must_use]
pub fn document() -> Value {
    // A description that cannot be written would be empty, which no test lets pass.
    let described = OpenApiRouter::with_openapi(frame()).merge(described());
    let mut document = serde_json::to_value(described.into_openapi()).unwrap_or_default();
    words::name(&mut document);
    ids::describe(&mut document);
    operations::complete(&mut document);
    errors::describe(&mut document);
    examples::give(&mut document);
    lines::describe(&mut document);
    webhooks::describe(&mut document);
    document.sort_all_objects();
    document
}

/// The description as it is committed.
#[must_use]
pub fn text() -> String {
    let mut text = serde_json::to_string_pretty(&document()).unwrap_or_default();
    text.push('\n');
    text
}

/// Operations, each with its path and method.
fn each_operation(document: &mut Value, mut visit: impl FnMut(&str, &str, &mut Value)) {
    let paths = document["paths"].as_object_mut();
    for (path, item) in paths.into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            visit(path, method, operation);
        }
    }
}
