//! What an operation needs, as a type, so that it stands in the signature of the handler. Its name stands in the API's
//! description, which is checked against the signature.

use crate::domain::role::Role;

pub trait Permission: Send + Sync + 'static {
    const NAME: &'static str;
    /// The least role that may do it.
    const LEAST: Role;
    /// Whether something may be different afterwards: that is what a suspended tenant cannot do.
    const CHANGES: bool;
}

/// A permission among all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Described {
    pub name: &'static str,
    pub least: Role,
    pub changes: bool,
}

macro_rules! permissions {
    ($($(#[$about:meta])* $type:ident $name:literal $least:ident changes: $changes:literal;)+) => {
        $(
            $(#[$about])*
            #[derive(Debug, Clone, Copy)]
            pub struct $type;

            impl $type {
                pub const NAME: &'static str = $name;
            }

            impl Permission for $type {
                const NAME: &'static str = $name;
                const LEAST: Role = Role::$least;
                const CHANGES: bool = $changes;
            }
        )+

        /// All that there are.
        pub const PERMISSIONS: &[Described] = &[
            $(Described { name: $name, least: Role::$least, changes: $changes }),+
        ];
    };
}

permissions! {
    /// To read anything of the tenant that has no permission of its own.
    View "tenant:view" Viewer changes: false;
    EditPolicies "policies:edit" Editor changes: true;
    /// To exempt and to block numbers, and to let what is counted for one begin anew.
    EditNumbers "numbers:edit" Editor changes: true;
    /// To erase what there is of a number.
    EraseNumbers "numbers:erase" Admin changes: true;
    EditInstallations "installations:edit" Editor changes: true;
    /// To register, verify and delete instances.
    ManageInstances "instances:manage" Admin changes: true;
    /// To see which keys there are.
    ViewKeys "keys:view" Admin changes: false;
    ManageKeys "keys:manage" Admin changes: true;
    /// To see who belongs to the tenant.
    ViewMembers "members:view" Viewer changes: false;
    /// To see who is invited.
    ViewInvitations "invitations:view" Admin changes: false;
    /// To invite members, change their roles and remove them.
    ManageMembers "members:manage" Admin changes: true;
    /// To see which issuers' tokens are accepted.
    ViewTokenIssuers "token-issuers:view" Admin changes: false;
    ManageTokenIssuers "token-issuers:manage" Admin changes: true;
    /// To see where events are told, and what came of telling.
    ViewWebhooks "webhooks:view" Admin changes: false;
    ManageWebhooks "webhooks:manage" Admin changes: true;
    /// To read who did what.
    ViewAudit "audit:view" Admin changes: false;
}
