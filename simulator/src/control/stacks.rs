//! Stacks: a template becomes roles. A named stack that is deployed again loses the roles that its new template no
//! longer has; a stack without a name is on its own, and its roles stay until others of their names replace them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::response::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cloudformation::{Place, RolePlan, plan};
use crate::iam::NewRole;
use crate::iam::document::{DocumentError, Policy};
use crate::stage::{Asked, Body, Refused};
use crate::world::World;

const UNNAMED: &str = "stack";

/// The roles that each named stack made.
#[derive(Debug, Default)]
pub struct Stacks(Mutex<BTreeMap<(String, String), Vec<String>>>);

impl Stacks {
    /// Keeps the new roles of a stack and returns those it had before.
    fn replace(&self, account_id: &str, name: &str, roles: Vec<String>) -> Option<Vec<String>> {
        let mut stacks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stacks.insert((account_id.to_owned(), name.to_owned()), roles)
    }

    fn remove(&self, account_id: &str, name: &str) -> Option<Vec<String>> {
        let mut stacks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stacks.remove(&(account_id.to_owned(), name.to_owned()))
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewStack {
    account_id: String,
    region: String,
    template: String,
    #[serde(default)]
    parameters: Map<String, Value>,
    #[serde(default)]
    stack_name: Option<String>,
}

#[derive(Debug, Deserialize)]
pub struct OfAccount {
    account_id: String,
}

pub async fn deploy(
    State(world): State<Arc<World>>,
    Body(new): Body<NewStack>,
) -> Result<Json<Value>, Refused> {
    if !world.iam.account_exists(&new.account_id) {
        return Err(Refused::not_found("account_id"));
    }
    let place = Place {
        account_id: &new.account_id,
        region: &new.region,
        stack_name: new.stack_name.as_deref().unwrap_or(UNNAMED),
    };
    let made = plan(&new.template, &new.parameters, &place).map_err(|wrong| {
        Refused::invalid(
            field(&wrong.path),
            format!("{}: {}", wrong.path, wrong.message),
        )
    })?;
    let roles: Vec<NewRole> = made.roles.iter().map(role).collect::<Result<_, _>>()?;
    let names: Vec<String> = roles.iter().map(|role| role.name.clone()).collect();
    if let Some(stack_name) = &new.stack_name {
        let former = world
            .stacks
            .replace(&new.account_id, stack_name, names.clone());
        for gone in former
            .into_iter()
            .flatten()
            .filter(|name| !names.contains(name))
        {
            world.iam.delete_role(&new.account_id, &gone);
        }
    }
    for role in roles {
        world.iam.put_role(&new.account_id, role, &world.ids);
    }
    Ok(Json(json!({ "outputs": made.outputs })))
}

pub async fn remove(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Asked(of): Asked<OfAccount>,
) -> Result<Json<Value>, Refused> {
    let roles = world
        .stacks
        .remove(&of.account_id, &name)
        .ok_or_else(|| Refused::not_found("name"))?;
    for role in &roles {
        world.iam.delete_role(&of.account_id, role);
    }
    Ok(Json(json!({ "removed": roles })))
}

fn role(made: &RolePlan) -> Result<NewRole, Refused> {
    let refused = |part: &str, wrong: DocumentError| {
        Refused::invalid("template", format!("role {}: {part}: {wrong}", made.name))
    };
    let trust = Policy::trust(&made.trust).map_err(|wrong| refused("trust policy", wrong))?;
    let policies = made
        .policies
        .iter()
        .map(Policy::identity)
        .collect::<Result<_, _>>();
    Ok(NewRole {
        name: made.name.clone(),
        trust,
        policies: policies.map_err(|wrong| refused("policy", wrong))?,
        max_session_seconds: made.max_session_seconds,
    })
}

/// The member of the request that a fault in a template or its parameters belongs to.
fn field(path: &str) -> String {
    match path.strip_prefix("/parameters/") {
        Some(name) => format!("parameters.{name}"),
        None => "template".to_owned(),
    }
}
