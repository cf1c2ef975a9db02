//! Amazon Connect: its operations and what its instances hold.
//!
//! One lock guards everything; it is never held across an await. Every operation checks its input, then the caller's
//! rights, then that things exist, so that a caller without rights learns nothing.
//!
//! Failure: errors carry the names and statuses of the service's own model.

pub mod behaviour;
pub mod create_instance;
mod defaults;
pub mod describe_contact;
mod failure;
mod flow_edit;
mod flows;
mod instance;
pub mod model;
mod page;
mod queues;
mod request;
mod route;
mod search_flows;
pub mod start_task;
mod stop_contact;
mod tags;
mod users;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::aws::{AwsError, AwsRequest, AwsResponse};
use crate::world::World;
use behaviour::Behaviour;
use failure::Failure;
use model::Instance;
use request::Call;
pub use route::decode as decode_path;

/// Every instance of every account, by ARN.
#[derive(Debug, Default)]
pub struct State(Mutex<Inner>);

/// What the lock guards.
#[derive(Debug, Default)]
pub struct Inner {
    pub instances: BTreeMap<String, Instance>,
    pub behaviour: Behaviour,
}

impl State {
    pub fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The operation that a method and a path mean.
pub fn operation(method: &str, path: &str) -> Option<&'static str> {
    route::resolve(method, path).map(|route| route.operation)
}

/// Performs one request.
pub fn handle(world: &Arc<World>, request: &AwsRequest) -> Result<AwsResponse, AwsError> {
    let answer = perform(world, request).map_err(Failure::into_error)?;
    Ok(match answer {
        Some(body) => AwsResponse::json(200, &body),
        None => AwsResponse::empty(200),
    })
}

fn perform(world: &Arc<World>, request: &AwsRequest) -> Result<Option<serde_json::Value>, Failure> {
    let call = Call::new(world, request)?;
    let answer = match call.operation() {
        "DescribeInstance" => instance::describe(&call)?,
        "ListInstances" => instance::list(&call)?,
        "ListContactFlows" => flows::list(&call)?,
        "SearchContactFlows" => search_flows::search(&call)?,
        "CreateContactFlow" => flows::create(&call)?,
        "DescribeContactFlow" => flows::describe(&call)?,
        "UpdateContactFlowContent" => flow_edit::update_content(&call)?,
        "UpdateContactFlowMetadata" => flow_edit::update_metadata(&call)?,
        "UpdateContactFlowName" => flow_edit::update_name(&call)?,
        "DeleteContactFlow" => flow_edit::delete(&call)?,
        "CreateContactFlowVersion" => flow_edit::create_version(&call)?,
        "TagResource" => return tags::tag(&call),
        "UntagResource" => return tags::untag(&call),
        "ListTagsForResource" => tags::list(&call)?,
        "ListQueues" => queues::list(&call)?,
        "DescribeQueue" => queues::describe(&call)?,
        "UpdateQueueOutboundCallerConfig" => return queues::update_outbound_caller_config(&call),
        "ListPhoneNumbersV2" => users::list_phone_numbers(&call)?,
        "ListUsers" => users::list_users(&call)?,
        "DescribeUser" => users::describe_user(&call)?,
        "ListRoutingProfiles" => users::list_routing_profiles(&call)?,
        "DescribeRoutingProfile" => users::describe_routing_profile(&call)?,
        "ListRoutingProfileQueues" => users::list_routing_profile_queues(&call)?,
        "DescribeHoursOfOperation" => users::describe_hours(&call)?,
        "StopContact" => stop_contact::stop(&call)?,
        "StartTaskContact" => start_task::start(&call)?,
        "DescribeContact" => describe_contact::describe(&call)?,
        other => return Err(Failure::not_found(other)),
    };
    Ok(Some(answer))
}
