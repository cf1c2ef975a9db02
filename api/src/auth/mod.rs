//! Who is asking, and what they may do. No HTTP here: a credential goes in, a [`Principal`] comes out.
//!
//! Failure: a credential that is wrong in any way gives one of [`AuthError`]'s refusals, which name no secret.

mod admission;
mod authenticate;
mod error;
pub mod jwt;
pub mod keys;
mod last_use;
pub mod oidc;
mod permission;
mod principal;
mod provider_client;
pub mod session;
mod token_issuers;

pub use admission::Refused;
pub use authenticate::{Authenticated, Authenticator};
pub use error::AuthError;
pub use permission::{
    Described, EditInstallations, EditNumbers, EditPolicies, EraseNumbers, ManageInstances,
    ManageKeys, ManageMembers, ManageTokenIssuers, ManageWebhooks, PERMISSIONS, Permission, View,
    ViewAudit, ViewInvitations, ViewKeys, ViewMembers, ViewTokenIssuers, ViewWebhooks,
};
pub use principal::{Kind, Principal};
pub use provider_client::{ProviderClient, ProviderError};
