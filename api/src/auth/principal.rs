//! Somebody who was recognised.

use jiff::Timestamp;

use super::session::SignedIn;
use crate::domain::ids::{ApiKeyId, MemberId, OperatorKeyId, TokenIssuerId};
use crate::domain::role::Role;
use crate::domain::tenant::Tenant;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    OperatorKey(OperatorKeyId),
    ApiKey(ApiKeyId),
    /// A token of the operator's identity provider, or of an issuer that the tenant registered.
    Token {
        subject: String,
        issuer: Option<TokenIssuerId>,
        is_operator: bool,
    },
    /// A person's browser.
    Session(Box<SignedIn>),
}

/// Who asks, for which tenant, and with which rights in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub kind: Kind,
    /// None: an operator who acts for no tenant.
    pub tenant: Option<Tenant>,
    /// Rights in that tenant; an operator has the owner's.
    pub role: Role,
    /// The permissions out of that role that a key is narrowed to; none: all of them.
    pub scopes: Option<Vec<String>>,
    /// When a key is over. None: it is not, or the credential is a person's or a program's proof of who they are, who get
    /// another as long as their provider vouches for them.
    pub expires_at: Option<Timestamp>,
}

impl Principal {
    #[must_use]
    pub fn is_operator(&self) -> bool {
        match &self.kind {
            Kind::OperatorKey(_) => true,
            Kind::ApiKey(_) => false,
            Kind::Token { is_operator, .. } => *is_operator,
            Kind::Session(signed_in) => signed_in.is_operator,
        }
    }

    /// Whether the scopes leave this permission.
    #[must_use]
    pub fn is_within_scopes(&self, permission: &str) -> bool {
        let scopes = self.scopes.as_ref();
        scopes.is_none_or(|scopes| scopes.iter().any(|scope| scope == permission))
    }

    /// Nobody gives more than they have: neither a higher role, nor what their own scopes leave out.
    #[must_use]
    pub fn may_give(&self, role: Role, scopes: Option<&[String]>) -> bool {
        let all_within = match (&self.scopes, scopes) {
            (None, _) => true,
            (Some(_), None) => false,
            (Some(_), Some(given)) => given.iter().all(|scope| self.is_within_scopes(scope)),
        };
        role <= self.role && all_within
    }

    /// Nobody gives for longer than they have.
    #[must_use]
    pub fn may_give_until(&self, expires_at: Option<Timestamp>) -> bool {
        self.expires_at
            .is_none_or(|own| expires_at.is_some_and(|given| given <= own))
    }

    /// The member that the caller is in the tenant, if it is a person and a member.
    #[must_use]
    pub fn member(&self) -> Option<MemberId> {
        let (Kind::Session(signed_in), Some(tenant)) = (&self.kind, &self.tenant) else {
            return None;
        };
        let mut memberships = signed_in.memberships.iter();
        let own = memberships.find(|membership| membership.tenant.id == tenant.id);
        own.map(|membership| membership.member)
    }

    /// As the audit log names it.
    #[must_use]
    pub fn actor(&self) -> String {
        match &self.kind {
            Kind::OperatorKey(id) => format!("operator:{id}"),
            Kind::ApiKey(id) => format!("api_key:{id}"),
            Kind::Token {
                subject,
                is_operator: true,
                ..
            } => format!("operator:{subject}"),
            Kind::Token {
                subject,
                issuer: None,
                ..
            } => format!("token:{subject}"),
            // Subjects of two issuers may be alike.
            Kind::Token {
                subject,
                issuer: Some(issuer),
                ..
            } => format!("token:{issuer}:{subject}"),
            // What an operator does is done with an operator's rights, also where they are a member.
            Kind::Session(signed_in) if signed_in.is_operator => {
                format!("operator:{}", signed_in.person.id)
            }
            Kind::Session(signed_in) => match self.member() {
                Some(member) => format!("member:{member}"),
                None => format!("person:{}", signed_in.person.id),
            },
        }
    }

    /// The id or the subject of the credential.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.kind {
            Kind::OperatorKey(id) => id.to_string(),
            Kind::ApiKey(id) => id.to_string(),
            Kind::Token { subject, .. } => subject.clone(),
            Kind::Session(signed_in) => signed_in.person.id.to_string(),
        }
    }
}
