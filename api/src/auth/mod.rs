//! Who is asking, and what they may do. No HTTP here: a credential goes in, a [`Principal`] comes out.
//!
//! Failure: a credential that is wrong in any way gives one of [`AuthError`]'s refusals, which name no secret.

mod authenticate;
pub mod jwt;
pub mod keys;
mod permission;
mod principal;

pub use authenticate::{AuthError, Authenticator};
pub use permission::{
    EditInstallations, EditNumbers, EditPolicies, ManageInstances, ManageKeys, ManageWebhooks,
    PERMISSIONS, Permission, View, ViewAudit, ViewKeys, ViewWebhooks,
};
pub use principal::{Kind, Principal};
