//! Who somebody is, by the word of an identity provider.

/// Issuer and subject identify; name and address are for show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    pub issuer: String,
    pub subject: String,
    pub name: Option<String>,
    pub email: Option<String>,
    /// The provider made sure that the address is theirs.
    pub email_verified: bool,
    pub is_operator: bool,
}
