//! The control API's accounts, roles and what a role's holder is handed; and the record of requests.

use std::sync::Arc;

use axum::extract::{Query, State};
use axum::response::Json;
use serde::Deserialize;
use serde_json::{Value, json};

use super::body::{Body, Refused};
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
pub struct NewRole {
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
    Body(new): Body<NewRole>,
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
    let policies = new.policy.into_iter().collect();
    let stored = world.iam.put_role(
        &new.account_id,
        &new.role_name,
        new.trust_policy,
        policies,
        new.max_session_seconds,
        &world.ids,
    );
    let role_arn = stored.map_err(|refusal| Refused::invalid(refusal.field, refusal.message))?;
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
    let credentials = credentials.map_err(|_| Refused::not_found("role_arn"))?;
    Ok(Json(json!({
        "access_key_id": credentials.access_key_id,
        "secret_access_key": credentials.secret_access_key,
        "session_token": credentials.session_token,
        "expiration": credentials.expires_at,
    })))
}

pub async fn requests(
    State(world): State<Arc<World>>,
    Query(filter): Query<Filter>,
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
