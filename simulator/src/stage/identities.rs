//! The control API's accounts, roles and what a role's holder is handed; and the record of requests.

use std::sync::Arc;

use axum::extract::State;
use axum::response::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Asked, Body, Refused};
use crate::iam::NewRole;
use crate::iam::document::{DocumentError, Policy};
use crate::log::Filter;
use crate::world::World;

/// An account to make, or to get another key of.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAccount {
    account_id: String,
}

/// A role to make, or to replace.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoleRequest {
    account_id: String,
    role_name: String,
    trust_policy: Value,
    #[serde(default)]
    policy: Option<Value>,
    #[serde(default = "one_hour")]
    max_session_seconds: u32,
}

fn one_hour() -> u32 {
    3600
}

/// Whose credentials are wanted.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OfRole {
    role_arn: String,
}

pub async fn create_account(
    State(world): State<Arc<World>>,
    Body(new): Body<NewAccount>,
) -> Result<Json<Value>, Refused> {
    check_account(&new.account_id)?;
    let (access_key_id, secret_access_key) = world.iam.create_account(&new.account_id, &world.ids);
    Ok(Json(
        json!({"access_key_id": access_key_id, "secret_access_key": secret_access_key}),
    ))
}

pub async fn create_role(
    State(world): State<Arc<World>>,
    Body(new): Body<RoleRequest>,
) -> Result<Json<Value>, Refused> {
    check_account(&new.account_id)?;
    let allowed = |c: char| c.is_ascii_alphanumeric() || "_+=,.@-".contains(c);
    if !(1..=64).contains(&new.role_name.len()) || !new.role_name.chars().all(allowed) {
        return Err(Refused::invalid(
            "role_name",
            "1 to 64 letters, digits or _+=,.@-",
        ));
    }
    if !(3600..=43_200).contains(&new.max_session_seconds) {
        return Err(Refused::invalid("max_session_seconds", "3600 to 43200"));
    }
    let trust =
        Policy::trust(&new.trust_policy).map_err(|error| refused("trust_policy", &error))?;
    let policy = new
        .policy
        .as_ref()
        .map(Policy::identity)
        .transpose()
        .map_err(|error| refused("policy", &error))?;
    let role = NewRole {
        name: new.role_name,
        trust,
        policies: policy.into_iter().collect(),
        max_session_seconds: new.max_session_seconds,
    };
    let role_arn = world.iam.put_role(&new.account_id, role, &world.ids);
    Ok(Json(json!({"role_arn": role_arn})))
}

pub async fn role_credentials(
    State(world): State<Arc<World>>,
    Body(of): Body<OfRole>,
) -> Result<Json<Value>, Refused> {
    let credentials = world.iam.role_credentials(
        &of.role_arn,
        "instance-profile",
        &world.ids,
        world.clock.now(),
    );
    let credentials = credentials.ok_or_else(|| Refused::not_found("role_arn"))?;
    Ok(Json(json!({
        "access_key_id": credentials.access_key_id,
        "secret_access_key": credentials.secret_access_key,
        "session_token": credentials.session_token,
        "expiration": credentials.expires_at,
    })))
}

pub async fn requests(
    State(world): State<Arc<World>>,
    Asked(filter): Asked<Filter>,
) -> Json<Value> {
    Json(json!({"data": world.log.find(&filter)}))
}

fn check_account(account_id: &str) -> Result<(), Refused> {
    if account_id.len() == 12 && account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        Ok(())
    } else {
        Err(Refused::invalid("account_id", "12 digits"))
    }
}

fn refused(member: &str, error: &DocumentError) -> Refused {
    Refused::invalid(format!("{member}{}", error.path), error.message.clone())
}
