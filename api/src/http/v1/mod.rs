//! Version 1: a folder per resource, a file per operation.

mod api_keys;
mod audit_log;
mod checks;
mod connections;
mod customer_numbers;
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
mod stats;
mod tenants;
mod token_issuers;
mod usage;
mod webhooks;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

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
        .merge(stats::routes())
        .merge(numbers::routes())
        .merge(customer_numbers::routes())
        .merge(audit_log::routes())
        .merge(webhooks::routes())
        .merge(usage::routes())
        .merge(quotas::routes())
        .merge(shards::routes())
}

/// Operations that ask AWS, or take long for another reason.
pub(super) fn patient() -> OpenApiRouter<AppState> {
    instances::patient_routes()
        .merge(checks::routes())
        .merge(customer_numbers::patient_routes())
        .merge(policies::patient_routes())
}
