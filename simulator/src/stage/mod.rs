//! The control API: accounts, roles, instances, functions, calls, and a view of everything in them.
//!
//! Failure: a bad body or query is a 400 that names the faulty member, something unknown a 404; both as
//! `{"error": {"code", "message", "field"}}`.

mod act;
mod body;
mod identities;
mod view;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::world::World;
pub use body::{Asked, Body, Refused, method_not_allowed};

/// Everything below `/_sim` but stacks, quotas and faults.
pub fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sim/accounts", post(identities::create_account))
        .route("/_sim/roles", post(identities::create_role))
        .route("/_sim/role-credentials", post(identities::role_credentials))
        .route("/_sim/requests", get(identities::requests))
        .route("/_sim/instances", post(act::create_instance))
        .route("/_sim/queues", post(act::open_queue))
        .route("/_sim/queues/{id}", delete(act::close_queue))
        .route("/_sim/functions", post(act::create_function))
        .route("/_sim/functions/{name}/logs", get(view::function_logs))
        .route("/_sim/calls", post(act::call))
        .route("/_sim/contacts", get(view::contacts))
        .route("/_sim/contacts/{id}", get(view::contact))
        .route("/_sim/tasks", get(view::tasks))
        .route("/_sim/tasks/{id}/complete", post(act::complete_task))
        .route("/_sim/flows", get(view::flows))
        .route(
            "/_sim/behaviour",
            get(view::behaviour).post(act::set_behaviour),
        )
        .route("/_sim/state", get(view::state))
}
