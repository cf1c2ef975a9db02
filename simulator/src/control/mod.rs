//! The control API's part that shapes the AWS side itself: stacks, faults, quotas.

mod faults;
mod quotas;
mod stacks;

use std::sync::Arc;

use axum::Router;
use axum::routing::{delete, get, post};

use crate::world::World;
pub use stacks::Stacks;

pub fn router() -> Router<Arc<World>> {
    Router::new()
        .route("/_sim/stacks", post(stacks::deploy))
        .route("/_sim/stacks/{name}", delete(stacks::remove))
        .route(
            "/_sim/faults",
            get(faults::list).post(faults::add).delete(faults::clear),
        )
        .route("/_sim/holds", get(faults::held))
        .route("/_sim/holds/{id}", delete(faults::let_go))
        .route("/_sim/quotas", get(quotas::show).post(quotas::switch))
}
