//! Version 1: a folder per resource, a file per operation.

mod api_keys;
mod audit_log;
mod connections;
mod decisions;
mod installation;
mod instances;
mod invitations;
mod me;
mod members;
mod numbers;
mod policies;
mod quotas;
mod shards;
mod tenants;
mod token_issuers;
mod usage;
mod webhooks;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(super) use tenants::must_be_there;

use super::state::AppState;

/// Operations that ask nobody but the database.
pub(super) fn prompt() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(me::get))
        .merge(tenants::routes())
        .merge(api_keys::routes())
        .merge(connections::routes())
        .merge(members::routes())
        .merge(invitations::routes())
        .merge(token_issuers::routes())
        .merge(instances::routes())
        .merge(installation::routes())
        .merge(policies::routes())
        .merge(decisions::routes())
        .merge(numbers::routes())
        .merge(audit_log::routes())
        .merge(webhooks::routes())
        .merge(usage::routes())
        .merge(quotas::routes())
        .merge(shards::routes())
}

/// Operations that ask a customer's AWS account.
pub(super) fn patient() -> OpenApiRouter<AppState> {
    instances::patient_routes()
}
