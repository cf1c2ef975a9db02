//! An issuer as the API shows it and as it is sent.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::auth::jwt::JwtSettings;
use crate::domain::role::Role;
use crate::http::fields::{Fields, FromFields};
use crate::http::v1::api_keys::{ROLES, RoleBody};
use crate::store::TokenIssuer;

const TEXT_MAX: usize = 255;
const URL_MAX: usize = 2000;
const ROLES_MAX: usize = 50;
const ALGORITHM_DEFAULT: &str = "RS256";

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = TokenIssuer)]
pub(super) struct TokenIssuerBody {
    #[schema(example = "iss_01890a5d000070008000000000000000")]
    id: String,
    #[schema(example = "https://login.example.com")]
    issuer: String,
    #[schema(example = "ringfence")]
    audience: String,
    #[schema(example = "https://login.example.com/.well-known/jwks.json")]
    jwks_url: String,
    algorithms: Vec<String>,
    #[schema(example = "groups")]
    role_claim: Option<String>,
    #[schema(example = json!({ "ringfence-admins": "admin" }))]
    roles: BTreeMap<String, RoleBody>,
    default_role: Option<RoleBody>,
    #[schema(value_type = String, format = DateTime)]
    created_at: Timestamp,
}

impl From<TokenIssuer> for TokenIssuerBody {
    fn from(issuer: TokenIssuer) -> Self {
        let roles = issuer.roles.into_iter();
        Self {
            id: issuer.id.to_string(),
            issuer: issuer.issuer,
            audience: issuer.audience,
            jwks_url: issuer.jwks_url,
            algorithms: issuer.algorithms,
            role_claim: issuer.role_claim,
            roles: roles.map(|(value, role)| (value, role.into())).collect(),
            default_role: issuer.default_role.map(Into::into),
            created_at: issuer.created_at,
        }
    }
}

/// As the audit log keeps it.
pub(super) fn audited(issuer: &TokenIssuer) -> Value {
    let roles = issuer.roles.iter();
    let roles: BTreeMap<&str, &str> = roles
        .map(|(value, role)| (value.as_str(), role.as_str()))
        .collect();
    json!({
        "issuer": issuer.issuer,
        "audience": issuer.audience,
        "jwks_url": issuer.jwks_url,
        "algorithms": issuer.algorithms,
        "role_claim": issuer.role_claim,
        "roles": roles,
        "default_role": issuer.default_role.map(Role::as_str),
    })
}

#[derive(Debug, ToSchema)]
pub(super) struct NewTokenIssuer {
    /// The claim `iss` of its tokens, letter by letter.
    #[schema(max_length = 255, example = "https://login.example.com")]
    pub issuer: String,
    /// A value of the claim `aud` of tokens that are meant for Ringfence.
    #[schema(max_length = 255, example = "ringfence")]
    pub audience: String,
    /// Where its public keys are: an https address that everybody can reach.
    #[schema(
        max_length = 2000,
        example = "https://login.example.com/.well-known/jwks.json"
    )]
    pub jwks_url: String,
    /// RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, EdDSA; RS256 alone if not given.
    #[schema(value_type = Option<Vec<String>>, required = false)]
    pub algorithms: Vec<String>,
    /// The claim that tells what somebody may do: a text, or a list of texts.
    #[schema(max_length = 255, example = "groups")]
    pub role_claim: Option<String>,
    /// What its values stand for; of several the highest counts.
    #[schema(value_type = Option<BTreeMap<String, RoleBody>>, required = false, example = json!({ "ringfence-admins": "admin" }))]
    pub roles: Vec<(String, Role)>,
    /// For everybody else. If not given, they are refused.
    #[schema(value_type = Option<RoleBody>, required = false)]
    pub default_role: Option<Role>,
}

impl FromFields for NewTokenIssuer {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let issuer = fields.text("issuer", TEXT_MAX);
        let audience = fields.text("audience", TEXT_MAX);
        let jwks_url = fields.text("jwks_url", URL_MAX);
        let algorithms = algorithms(fields);
        let role_claim = fields.optional_text("role_claim", TEXT_MAX);
        let roles = roles(fields);
        let default_role = fields.optional_word("default_role", |word| word.parse().ok(), ROLES);
        let roles = roles?;
        if roles.is_empty() != role_claim.is_none() {
            fields.fault(
                "roles",
                "invalid",
                "role_claim and roles say together what somebody may do; give both or neither",
            );
        }
        if roles.is_empty() && default_role.is_none() {
            fields.fault(
                "default_role",
                "missing",
                "give roles, a default role or both; otherwise nobody could do anything",
            );
        }
        Some(Self {
            issuer: issuer?,
            audience: audience?,
            jwks_url: jwks_url?,
            algorithms: algorithms?,
            role_claim,
            roles,
            default_role,
        })
    }
}

fn algorithms(fields: &mut Fields) -> Option<Vec<String>> {
    let Some(sent) = fields.take("algorithms") else {
        return Some(vec![ALGORITHM_DEFAULT.to_owned()]);
    };
    let Ok(names) = serde_json::from_value::<Vec<String>>(sent) else {
        fields.fault("algorithms", "wrong_type", "must be a list of texts");
        return None;
    };
    let mut found: Vec<String> = Vec::new();
    for name in names {
        if let Err(err) = JwtSettings::algorithm(&name) {
            fields.fault("algorithms", "invalid", err.to_string());
            return None;
        }
        if !found.contains(&name) {
            found.push(name);
        }
    }
    if found.is_empty() {
        fields.fault("algorithms", "out_of_range", "must name at least one");
        return None;
    }
    Some(found)
}

/// None where a fault was noted.
fn roles(fields: &mut Fields) -> Option<Vec<(String, Role)>> {
    let Some(sent) = fields.take("roles") else {
        return Some(Vec::new());
    };
    let Value::Object(sent) = sent else {
        fields.fault(
            "roles",
            "wrong_type",
            "must be an object of values and roles",
        );
        return None;
    };
    if sent.is_empty() || sent.len() > ROLES_MAX {
        let detail = format!("must have 1 to {ROLES_MAX} values");
        fields.fault("roles", "out_of_range", detail);
        return None;
    }
    let mut roles = Vec::new();
    for (value, role) in sent {
        let is_text = !value.is_empty()
            && value.chars().count() <= TEXT_MAX
            && !value.chars().any(char::is_control);
        match role.as_str().and_then(|role| role.parse().ok()) {
            Some(role) if is_text => roles.push((value, role)),
            _ => {
                let detail = format!("values have 1 to {TEXT_MAX} characters; roles are {ROLES}");
                fields.fault("roles", "invalid", detail);
                return None;
            }
        }
    }
    Some(roles)
}
