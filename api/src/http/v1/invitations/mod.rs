//! Invitations to become a member. No mail is sent: whoever invites gets a link, once, and passes it on. The token in it
//! works once, for a time, and stands behind the `#` of the address, which browsers send to nobody.

mod accept;
mod body;
mod create;
mod list;
mod withdraw;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
pub(super) use withdraw::tell_withdrawn;

use crate::http::state::AppState;

pub(in crate::http) fn routes() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(create::create, list::list))
        .routes(routes!(accept::accept))
        .routes(routes!(withdraw::withdraw))
}
