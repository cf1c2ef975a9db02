//! The API's description, made from the handlers.

use utoipa::openapi::path::Operation;
use utoipa::openapi::security::{Http, HttpAuthScheme, SecurityScheme};
use utoipa::openapi::{
    ComponentsBuilder, ContentBuilder, InfoBuilder, OpenApi, OpenApiBuilder, Ref, RefOr, Response,
    ResponseBuilder, SecurityRequirement,
};
use utoipa::{PartialSchema as _, ToSchema as _};

use super::problem::{FieldFault, Problem};
use super::router::described;

const BEARER: &str = "bearer";

const ABOUT: &str = "Ringfence keeps contact centres inside their outbound-calling limits.\n\n\
    Send a key as `Authorization: Bearer rf_live_…`. An operator (`rf_op_…`) names the tenant that it acts for in \
    `Ringfence-Tenant: ten_…`. What belongs to another tenant is answered like what does not exist. Every error is an \
    RFC 9457 problem whose `type` is a page of this server. Lists take `limit` (1 to 100) and `cursor`.";

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
    let is_open = operation.security.is_some();
    if is_open {
        return;
    }
    operation.security = Some(vec![SecurityRequirement::new(BEARER, Vec::<String>::new())]);
    for (status, description) in [
        ("401", "Nobody was recognised"),
        ("403", "The role does not allow it"),
    ] {
        operation
            .responses
            .responses
            .insert(status.to_owned(), RefOr::T(problem(description)));
    }
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
