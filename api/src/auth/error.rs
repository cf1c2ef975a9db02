//! Why a credential is refused.

use super::jwt::JwtError;
use crate::store::StoreError;

#[derive(Debug, thiserror::Error)]
pub enum AuthError {
    #[error("the key is not known, has expired, or has been revoked")]
    UnknownKey,
    #[error("nobody is signed in, or not any more")]
    UnknownSession,
    /// Neither the operator's provider nor one that the named tenant registered has signed it, as far as can be seen.
    #[error(
        "nobody vouches for the token: its issuer, its algorithm or its key is not accepted, or its signature could not be \
         verified; tokens of a tenant's own issuer need the header Ringfence-Tenant"
    )]
    UnknownIssuer,
    #[error(transparent)]
    Jwt(#[from] JwtError),
    /// The tenant that is named does not exist, or is not the caller's.
    #[error("there is no such tenant")]
    UnknownTenant,
    #[error(transparent)]
    Store(#[from] StoreError),
}
