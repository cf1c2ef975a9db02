//! A webhook's deliveries.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::{DeliveryBody, DeliveryStateWord};
use crate::auth::ViewWebhooks;
use crate::domain::ids::WebhookId;
use crate::domain::webhook::DeliveryState;
use crate::http::caller::Caller;
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::{Query, page};
use crate::store::Delivery;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct DeliveryList {
    data: Vec<DeliveryBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

/// List what was sent to a webhook, newest first
///
/// Deliveries are kept for 30 days.
#[utoipa::path(
    get, path = "/v1/webhooks/{id}/deliveries", operation_id = "webhook_deliveries_list", tag = "webhooks",
    security(("bearer" = [ViewWebhooks::NAME])),
    security(("bearer" = [ViewWebhooks::NAME])),
    params(
        ("id" = String, Path), ("state" = Option<DeliveryStateWord>, Query, description = "How far they have come"),
        ("limit" = Option<u32>, Query), ("cursor" = Option<String>, Query),
    ),
    responses((status = 200, body = DeliveryList))
)]
pub(in crate::http) async fn list(
    caller: Caller<ViewWebhooks>,
    Id(id): Id<WebhookId>,
    mut query: Query,
) -> ApiResult<Json<DeliveryList>> {
    let wanted = "one of waiting, delivered, failed";
    let state = query.parsed("state", DeliveryState::parse, wanted)?;
    let limit = query.limit()?;
    let before = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    tx.webhook_get(id).await?.ok_or_else(ApiError::not_found)?;
    let deliveries = tx.delivery_list(id, state, before, limit + 1).await?;
    let list = page(
        deliveries,
        limit,
        |delivery: &Delivery| delivery.event.to_string(),
        DeliveryBody::from,
    );
    Ok(Json(DeliveryList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}
