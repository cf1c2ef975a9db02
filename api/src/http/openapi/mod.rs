//! The API's description, made from the handlers.

use utoipa::openapi::extensions::ExtensionsBuilder;
use utoipa::openapi::path::{Operation, ParameterBuilder, ParameterIn};
use utoipa::openapi::security::{ApiKey, ApiKeyValue, Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, ObjectBuilder, OpenApi, OpenApiBuilder, Ref,
    RefOr, Required, Response, ResponseBuilder, SecurityRequirement, Type,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::caller::{AnyCaller, Operator, Somebody};
use super::problem::{FieldFault, Problem};
use super::router::described;
use crate::auth::PERMISSIONS;

const BEARER: &str = "bearer";
const SESSION: &str = "session";
/// Where an operation's permission stands by itself, for those who do not read security requirements.
const PERMISSION: &str = "x-permission";

const ABOUT: &str = "Ringfence keeps contact centres inside their outbound-calling limits.\n\n\
    Send a key or a token as `Authorization: Bearer rf_live_…`. An operator (`rf_op_…`), a person who is a member of \
    several tenants, and a token of a tenant's own issuer name the tenant in `Ringfence-Tenant: ten_…`. A browser where \
    somebody is signed in sends its cookie and, with everything but GET, the `csrf_token` of `/v1/me` in \
    `X-CSRF-Token`. What belongs to another tenant is answered like what does not exist. Every error is an RFC 9457 problem whose `type` is a page of this server. Lists take `limit` (1 to 100) and `cursor`.\n\n\
    A POST with an `Idempotency-Key` is done once, however often it is sent within 24 hours: later answers are those of \
    the first time, with `Idempotent-Replayed: true`. `RateLimit` and `RateLimit-Policy` tell what a key and a tenant \
    may still send; beyond it the answer is 429 with `Retry-After`.";

/// What stands in the description beside the operations.
pub(super) fn frame() -> OpenApi {
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
    OpenApiBuilder::new()
        .info(
            InfoBuilder::new()
                .title("Ringfence")
                .version(env!("CARGO_PKG_VERSION"))
                .description(Some(ABOUT))
                .build(),
        )
        .components(Some(components))
        .build()
}

/// The whole description.
#[must_use]
pub fn document() -> OpenApi {
    let mut document = described().into_openapi();
    for item in document.paths.paths.values_mut() {
        if let Some(operation) = &mut item.post {
            take_idempotency_key(operation);
        }
        let operations = [
            &mut item.get,
            &mut item.put,
            &mut item.post,
            &mut item.delete,
            &mut item.patch,
        ];
        for operation in operations.into_iter().flatten() {
            complete(operation);
        }
    }
    document
}

/// What holds for every operation and would otherwise stand at each.
fn complete(operation: &mut Operation) {
    operation
        .responses
        .responses
        .entry("default".to_owned())
        .or_insert_with(|| {
            RefOr::T(problem(
                "What went wrong; the codes are listed under /docs/errors",
            ))
        });
    let Some(permission) = permission(operation) else {
        return;
    };
    // A key, a token or an operator's key; or, in other words, the browser of somebody who is signed in.
    operation.security = Some(
        [BEARER, SESSION]
            .map(|scheme| SecurityRequirement::new(scheme, [&permission]))
            .into(),
    );
    let about = operation.description.take();
    let about = about.into_iter().chain([needs(&permission)]);
    operation.description = Some(about.collect::<Vec<_>>().join("\n\n"));
    let extension = ExtensionsBuilder::new().add(PERMISSION, permission).build();
    match &mut operation.extensions {
        Some(extensions) => extensions.merge(extension),
        none => *none = Some(extension),
    }
    for (status, description) in [
        ("401", "Nobody was recognised"),
        ("403", "The role does not allow it"),
        ("429", "Too many requests"),
    ] {
        operation
            .responses
            .responses
            .insert(status.to_owned(), RefOr::T(problem(description)));
    }
}

/// What the handler says that it needs: the one scope of its requirement. None: open to everybody.
fn permission(operation: &Operation) -> Option<String> {
    let requirements = serde_json::to_value(operation.security.as_ref()?).ok()?;
    let scope = requirements.pointer("/0/bearer/0")?.as_str()?;
    Some(scope.to_owned())
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
    let known = PERMISSIONS.iter().find(|known| known.name == permission);
    let role = known.map_or("owner", |known| known.least.as_str());
    format!("Needs the permission `{permission}`: the role {role} or more.")
}

fn take_idempotency_key(operation: &mut Operation) {
    let key = ObjectBuilder::new()
        .schema_type(Type::String)
        .min_length(Some(1))
        .max_length(Some(255))
        .build();
    let parameter = ParameterBuilder::new()
        .name("Idempotency-Key")
        .parameter_in(ParameterIn::Header)
        .required(Required::False)
        .description(Some(
            "Makes it safe to send the request again: for 24 hours it is done once, and answered as the first time",
        ))
        .schema(Some(key))
        .build();
    operation
        .parameters
        .get_or_insert_default()
        .push(RefOr::T(parameter));
}

fn problem(description: &str) -> Response {
    let schema = Ref::from_schema_name(Problem::name());
    ResponseBuilder::new()
        .description(description)
        .content(
            "application/problem+json",
            ContentBuilder::new().schema(Some(schema)).build(),
        )
        .build()
}

/// The description as it is committed.
#[must_use]
pub fn text() -> String {
    let mut text = document().to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
}
