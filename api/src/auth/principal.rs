//! Somebody who was recognised.

use crate::domain::ids::{ApiKeyId, OperatorKeyId};
use crate::domain::role::Role;
use crate::domain::tenant::Tenant;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    OperatorKey(OperatorKeyId),
    ApiKey(ApiKeyId),
    /// A token of the identity provider, with its subject.
    Token {
        subject: String,
        is_operator: bool,
    },
}

/// Who asks, for which tenant, and with which rights in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    pub kind: Kind,
    /// None: an operator who acts for no tenant.
    pub tenant: Option<Tenant>,
    /// Rights in that tenant; an operator has the owner's.
    pub role: Role,
}

impl Principal {
    #[must_use]
    pub fn is_operator(&self) -> bool {
        matches!(
            self.kind,
            Kind::OperatorKey(_)
                | Kind::Token {
                    is_operator: true,
                    ..
                }
        )
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
            } => format!("operator:{subject}"),
            Kind::Token {
                subject,
                is_operator: false,
            } => format!("token:{subject}"),
        }
    }

    /// The id or the subject of the credential.
    #[must_use]
    pub fn subject(&self) -> String {
        match &self.kind {
            Kind::OperatorKey(id) => id.to_string(),
            Kind::ApiKey(id) => id.to_string(),
            Kind::Token { subject, .. } => subject.clone(),
        }
    }
}
