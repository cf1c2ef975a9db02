//! Stacks: a template becomes roles and functions. A named stack that is deployed again loses the roles and functions
//! that its new template no longer has; a stack without a name is on its own, and what it made stays until others of
//! their names replace it.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::{Path, State};
use axum::response::Json;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::cloudformation::{Place, RolePlan, plan};
use crate::iam::NewRole;
use crate::iam::document::{DocumentError, Policy};
use crate::lambda::create_function::create;
use crate::stage::{Asked, Body, Refused};
use crate::world::World;

const UNNAMED: &str = "stack";

/// What each named stack made, by account and name.
#[derive(Debug, Default)]
pub struct Stacks(Mutex<BTreeMap<(String, String), Made>>);

/// Names.
#[derive(Debug, Clone, Default)]
struct Made {
    region: String,
    roles: Vec<String>,
    functions: Vec<String>,
}

impl Made {
    /// Takes away what the stack has no more.
    fn clear(self, world: &World, account_id: &str, kept: &Self) {
        for gone in self.roles.iter().filter(|name| !kept.roles.contains(name)) {
            world.iam.delete_role(account_id, gone);
        }
        let same_region = self.region == kept.region;
        for gone in self
            .functions
            .iter()
            .filter(|name| !(same_region && kept.functions.contains(name)))
        {
            world.lambda.remove(account_id, &self.region, gone);
        }
    }
}

impl Stacks {
    /// Keeps what a stack made now and returns what it had before.
    fn replace(&self, account_id: &str, name: &str, made: Made) -> Option<Made> {
        let mut stacks = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        stacks.insert((account_id.to_owned(), name.to_owned()), made)
    }

    fn remove(&self, account_id: &str, name: &str) -> Option<Made> {
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
    let names = Made {
        region: new.region.clone(),
        roles: roles.iter().map(|role| role.name.clone()).collect(),
        functions: made.functions.iter().map(|it| it.name.clone()).collect(),
    };
    if let Some(stack_name) = &new.stack_name {
        let stacks = &world.stacks;
        if let Some(former) = stacks.replace(&new.account_id, stack_name, names.clone()) {
            former.clear(&world, &new.account_id, &names);
        }
    }
    for role in roles {
        world.iam.put_role(&new.account_id, role, &world.ids);
    }
    for function in &made.functions {
        let function = function.in_place(&new.account_id, &new.region);
        create(&world, function)
            .map_err(|refused| Refused::invalid("template", refused.to_string()))?;
    }
    Ok(Json(json!({ "outputs": made.outputs })))
}

pub async fn remove(
    State(world): State<Arc<World>>,
    Path(name): Path<String>,
    Asked(of): Asked<OfAccount>,
) -> Result<Json<Value>, Refused> {
    let made = world
        .stacks
        .remove(&of.account_id, &name)
        .ok_or_else(|| Refused::not_found("name"))?;
    let removed = [made.roles.clone(), made.functions.clone()].concat();
    made.clear(&world, &of.account_id, &Made::default());
    Ok(Json(json!({ "removed": removed })))
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
