//! What the bearer of a token may do.
//!
//! The operator's own provider is trusted to say it for every tenant. An issuer that a tenant registered speaks for that
//! tenant alone, and its claims are translated as the tenant said: whatever they are, they make nobody an operator.

use serde_json::{Map, Value};

use super::JwtError;
use super::claims::text;
use crate::domain::ids::TenantId;
use crate::domain::role::Role;

const ROLE: &str = "ringfence_role";
const TENANT: &str = "ringfence_tenant";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grant {
    Operator,
    Member { tenant: TenantId, role: Role },
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Trust {
    /// The operator's provider, which names tenant and role in claims of ours.
    Operator,
    /// A tenant's issuer.
    Tenant {
        tenant: TenantId,
        roles: RoleMapping,
    },
}

/// How a tenant's issuer says what somebody may do.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct RoleMapping {
    /// The claim that is looked at: a text, or a list of texts.
    pub claim: Option<String>,
    /// What each value of the claim stands for.
    pub roles: Vec<(String, Role)>,
    /// For those whom no value gives a role; none: they are refused.
    pub otherwise: Option<Role>,
}

impl RoleMapping {
    fn role(&self, claims: &Map<String, Value>) -> Option<Role> {
        let said = self.claim.as_ref().and_then(|name| claims.get(name));
        let says = |value: &str| match said {
            Some(Value::String(one)) => one == value,
            Some(Value::Array(several)) => several.iter().any(|one| one == value),
            _ => false,
        };
        let named = self.roles.iter().filter(|(value, _)| says(value));
        named.map(|(_, role)| *role).max().or(self.otherwise)
    }
}

impl Trust {
    pub(super) fn grant(&self, claims: &Map<String, Value>) -> Result<Grant, JwtError> {
        match self {
            Self::Operator => by_our_claims(claims),
            Self::Tenant { tenant, roles } => {
                let role = roles.role(claims).ok_or(JwtError::NoRole)?;
                Ok(Grant::Member {
                    tenant: *tenant,
                    role,
                })
            }
        }
    }
}

/// An operator's token names no tenant: one that does was meant for a member, and must not reach further.
fn by_our_claims(claims: &Map<String, Value>) -> Result<Grant, JwtError> {
    let role = text(claims, ROLE)?;
    if role == "operator" {
        return match claims.get(TENANT) {
            None => Ok(Grant::Operator),
            Some(_) => Err(JwtError::Claim(TENANT)),
        };
    }
    let role = role.parse().map_err(|_| JwtError::Claim(ROLE))?;
    let tenant = text(claims, TENANT)?
        .parse()
        .map_err(|_| JwtError::Claim(TENANT))?;
    Ok(Grant::Member { tenant, role })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn mapping() -> RoleMapping {
        RoleMapping {
            claim: Some("groups".to_owned()),
            roles: vec![
                ("staff".to_owned(), Role::Viewer),
                ("leads".to_owned(), Role::Admin),
            ],
            otherwise: None,
        }
    }

    fn role(mapping: &RoleMapping, claims: Value) -> Option<Role> {
        mapping.role(claims.as_object().expect("an object"))
    }

    #[test]
    fn the_highest_role_that_a_claim_s_values_stand_for_counts_and_no_other_claim() {
        let mapping = mapping();
        assert_eq!(
            role(&mapping, json!({ "groups": "staff" })),
            Some(Role::Viewer)
        );
        assert_eq!(
            role(&mapping, json!({ "groups": ["leads", "staff"] })),
            Some(Role::Admin)
        );
        for claims in [
            json!({}),
            json!({ "groups": "lead" }),
            json!({ "groups": { "leads": true } }),
            json!({ "groups": ["lead", 7] }),
            json!({ "roles": ["leads"] }),
        ] {
            assert_eq!(role(&mapping, claims.clone()), None, "{claims}");
        }
    }

    #[test]
    fn who_has_no_value_gets_the_role_for_everybody_else() {
        let mapping = RoleMapping {
            otherwise: Some(Role::Editor),
            ..mapping()
        };
        assert_eq!(role(&mapping, json!({})), Some(Role::Editor));
        assert_eq!(
            role(&mapping, json!({ "groups": "staff" })),
            Some(Role::Viewer)
        );
    }
}
