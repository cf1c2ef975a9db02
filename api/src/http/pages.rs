//! Documents that come with the program: the page of each error, and the templates of a customer's stacks.

use axum::extract::Path;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use rust_embed::RustEmbed;

use super::problem::ApiError;

#[derive(RustEmbed)]
#[folder = "../docs/errors"]
struct ErrorPages;

const CUSTOMER_TEMPLATE: &str = include_str!("../../../deploy/customer.yaml");
const FALLBACK_TEMPLATE: &str = include_str!("../../../deploy/customer-fallback.yaml");

fn typed(media_type: &'static str) -> [(HeaderName, HeaderValue); 1] {
    [(header::CONTENT_TYPE, HeaderValue::from_static(media_type))]
}

pub(super) async fn error(Path(code): Path<String>) -> Response {
    match ErrorPages::get(&format!("{code}.md")) {
        Some(page) => (
            typed("text/markdown; charset=utf-8"),
            page.data.into_owned(),
        )
            .into_response(),
        None => ApiError::not_found().into_response(),
    }
}

/// The CloudFormation template of the stack that customers deploy
#[utoipa::path(
    get, path = "/templates/customer.yaml", tag = "service", security(()),
    responses((
        status = 200, body = String, content_type = "text/plain",
        example = json!("AWSTemplateFormatVersion: \"2010-09-09\"\n…"),
    ))
)]
pub(super) async fn customer_template() -> Response {
    template(CUSTOMER_TEMPLATE)
}

/// The CloudFormation template of the function that denies calls while the limiter is down
///
/// For tenants with `on_limiter_unavailable` set to `deny`; deployed beside the roles, in each region.
#[utoipa::path(
    get, path = "/templates/customer-fallback.yaml", tag = "service", security(()),
    responses((
        status = 200, body = String, content_type = "text/plain",
        example = json!("AWSTemplateFormatVersion: \"2010-09-09\"\n…"),
    ))
)]
pub(super) async fn fallback_template() -> Response {
    template(FALLBACK_TEMPLATE)
}

/// Not a YAML type: CloudFormation's own tags (`!Sub`) are none that YAML parsers know, and browsers show plain text.
fn template(text: &'static str) -> Response {
    (typed("text/plain; charset=utf-8"), text).into_response()
}
