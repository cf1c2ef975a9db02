//! Another external id for a connection, without a moment in which the roles cannot be used.

use axum::http::StatusCode;
use serde_json::json;

use super::body::ConnectionBody;
use super::new_external_id;
use super::onboarding::Onboarding;
use crate::auth::ManageInstances;
use crate::domain::ids::ConnectionId;
use crate::http::caller::{Caller, states};
use crate::http::once::OnceResult;
use crate::http::path::Id;
use crate::http::problem::ApiError;

/// Change the external id of a connection
///
/// Makes another external id and tells limiters of it; nothing else changes yet. Then
///
/// 1. update the stack with the parameters that are shown: the roles then accept both external ids;
/// 2. the next check of the connection (or `verify` on one of its instances) takes up the new one;
/// 3. update the stack again, with the new external id alone.
///
/// Calls are limited and agents told all along. While a change is under way it is answered as it stands, and nothing new
/// begins.
#[utoipa::path(
    post, path = "/v1/connections/{id}/rotate-external-id", operation_id = "connections_rotate_external_id",
    tag = "connections",
    security(("bearer" = [ManageInstances::NAME])), params(("id" = String, Path)), responses((status = 200, body = ConnectionBody))
)]
pub(in crate::http) async fn rotate(
    caller: Caller<ManageInstances>,
    Id(id): Id<ConnectionId>,
) -> OnceResult {
    let app = &caller.app;
    let mut tx = caller.begin_once().await?;
    let mut connection = tx
        .connection_get_locked(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let is_new = connection.pending_external_id.is_none();
    if is_new {
        connection.pending_external_id = Some(new_external_id(&app.ids));
        tx.connection_set_access(&connection).await?;
        tx.publication_touch(None, caller.now()).await?;
        let change = caller.change("connection.rotate_external_id", id);
        let after = json!({ "external_id": "another one is pending" });
        tx.audit_append(&states(change, None, Some(after))).await?;
    }
    let view = tx
        .connection_view_get(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let onboarding = Onboarding::of(app, &view.region, &view.connection);
    let connection = ConnectionBody::from(view).with_onboarding(onboarding);
    let answer = tx.answer(StatusCode::OK, &connection).await?;
    if is_new {
        app.wake_ups.publications.wake();
    }
    Ok(answer)
}
