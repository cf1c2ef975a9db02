//! One request to Amazon Connect, taken apart: what every operation asks of it.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::{Value, json};

use super::failure::Failure;
use super::model::{Instance, Tags};
use super::queues::last_segment;
use super::route::{self, Route};
use crate::aws::AwsRequest;
use crate::world::World;

/// Condition keys of a request and their values.
pub type Conditions = Vec<(String, Vec<String>)>;

/// A parsed request.
#[derive(Debug)]
pub struct Call<'r> {
    pub world: &'r Arc<World>,
    pub body: Value,
    request: &'r AwsRequest,
    route: Route,
    pub(super) query: Vec<(String, String)>,
}

impl<'r> Call<'r> {
    pub fn new(world: &'r Arc<World>, request: &'r AwsRequest) -> Result<Self, Failure> {
        let route = route::resolve(&request.method, &request.path)
            .ok_or_else(|| Failure::not_found("operation"))?;
        let body = if request.body.is_empty() {
            json!({})
        } else {
            let body: Value = serde_json::from_slice(&request.body).map_err(|_| {
                Failure::new(
                    400,
                    "SerializationException",
                    "The request body is not JSON.",
                )
            })?;
            if !body.is_object() {
                return Err(Failure::new(
                    400,
                    "SerializationException",
                    "The request body is not a JSON object.",
                ));
            }
            body
        };
        let query = url::form_urlencoded::parse(request.query.as_bytes())
            .into_owned()
            .collect();
        Ok(Self {
            world,
            body,
            request,
            route,
            query,
        })
    }

    pub fn operation(&self) -> &'static str {
        self.route.operation
    }

    pub fn account(&self) -> &str {
        &self.request.caller.account_id
    }

    pub fn region(&self) -> &str {
        &self.request.region
    }

    pub fn label(&self, index: usize) -> Result<&str, Failure> {
        self.route
            .labels
            .get(index)
            .map(String::as_str)
            .ok_or_else(|| Failure::invalid_request("The path is incomplete."))
    }

    pub fn query_all(&self, name: &str) -> Vec<String> {
        self.query
            .iter()
            .filter(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
            .collect()
    }

    /// A required text of the body, of a length within bounds.
    pub fn text(&self, name: &str, min: usize, max: usize) -> Result<&str, Failure> {
        self.optional_text(name, min, max)?
            .ok_or_else(|| Failure::missing(name))
    }

    pub fn optional_text(
        &self,
        name: &str,
        min: usize,
        max: usize,
    ) -> Result<Option<&str>, Failure> {
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if (min..=max).contains(&text.chars().count()) => {
                Ok(Some(text))
            }
            Some(Value::String(_)) => Err(Failure::invalid_parameter(&format!(
                "{name}: {min} to {max} characters"
            ))),
            Some(_) => Err(Failure::invalid_parameter(&format!("{name}: text"))),
        }
    }

    pub fn tags(&self, name: &str) -> Result<Tags, Failure> {
        let tags = match self.body.get(name) {
            None | Some(Value::Null) => return Ok(Tags::new()),
            Some(Value::Object(tags)) => tags,
            Some(_) => return Err(Failure::invalid_parameter(&format!("{name}: a map"))),
        };
        let tags: BTreeMap<String, String> = tags
            .iter()
            .filter_map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
            .collect();
        let allowed = |c: char| c.is_alphanumeric() || c.is_whitespace() || "_.:/=+-@".contains(c);
        let fine = |(key, value): (&String, &String)| {
            (1..=128).contains(&key.chars().count())
                && !key.starts_with("aws:")
                && key.chars().all(allowed)
                && value.chars().count() <= 256
        };
        if tags.len() > 50 || !tags.iter().all(fine) {
            return Err(Failure::invalid_parameter(&format!(
                "{name}: at most 50 tags, keys 1 to 128, values at most 256 characters"
            )));
        }
        Ok(tags)
    }

    /// The ARN of an instance of the caller's account in this Region, by its id or ARN.
    pub fn instance_arn(&self, instance_id: &str) -> String {
        format!(
            "arn:aws:connect:{}:{}:instance/{}",
            self.region(),
            self.account(),
            last_segment(instance_id)
        )
    }

    /// Whether the caller may do this on the instance, or on what `suffix` names in it.
    pub fn authorize_instance(&self, instance_id: &str, suffix: &str) -> Result<(), Failure> {
        let resource = format!("{}{suffix}", self.instance_arn(instance_id));
        self.authorize(
            &[resource],
            &[(
                "connect:InstanceId".to_owned(),
                vec![last_segment(instance_id).to_owned()],
            )],
        )
    }

    pub fn authorize_in_instance(
        &self,
        instance_id: &str,
        within: &[String],
        conditions: &[(String, Vec<String>)],
    ) -> Result<(), Failure> {
        let resources: Vec<String> = within
            .iter()
            .map(|path| format!("{}/{path}", self.instance_arn(instance_id)))
            .collect();
        let mut conditions = conditions.to_vec();
        conditions.push((
            "connect:InstanceId".to_owned(),
            vec![last_segment(instance_id).to_owned()],
        ));
        self.authorize(&resources, &conditions)
    }

    pub fn authorize(
        &self,
        resources: &[String],
        conditions: &[(String, Vec<String>)],
    ) -> Result<(), Failure> {
        self.authorize_as(self.operation(), resources, conditions)
    }

    /// For an operation that demands the permission of another one, too.
    pub fn authorize_as(
        &self,
        operation: &str,
        resources: &[String],
        conditions: &[(String, Vec<String>)],
    ) -> Result<(), Failure> {
        let context = conditions.iter().cloned().collect();
        let action = format!("connect:{operation}");
        let resources: Vec<&str> = resources.iter().map(String::as_str).collect();
        self.world
            .authorize(&self.request.caller, &action, &resources, &context)
            .map_err(|error| Failure::Refused(Box::new(error)))
    }

    /// Looks at an instance, if it is there.
    pub fn peek<R>(&self, instance_id: &str, look: impl FnOnce(&Instance) -> R) -> Option<R> {
        self.world
            .connect
            .lock()
            .instances
            .get(&self.instance_arn(instance_id))
            .map(look)
    }

    pub fn read<R>(
        &self,
        instance_id: &str,
        look: impl FnOnce(&Instance) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        self.peek(instance_id, look)
            .unwrap_or_else(|| Err(Failure::not_found("instance")))
    }

    pub fn change<R>(
        &self,
        instance_id: &str,
        edit: impl FnOnce(&mut Instance) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let mut connect = self.world.connect.lock();
        let instance = connect
            .instances
            .get_mut(&self.instance_arn(instance_id))
            .ok_or_else(|| Failure::not_found("instance"))?;
        edit(instance)
    }
}

/// The condition keys of tags in a request.
pub fn tag_keys(tags: &Tags) -> Conditions {
    let mut conditions: Conditions = tags
        .iter()
        .map(|(key, value)| (format!("aws:RequestTag/{key}"), vec![value.clone()]))
        .collect();
    if !tags.is_empty() {
        conditions.push(("aws:TagKeys".to_owned(), tags.keys().cloned().collect()));
    }
    conditions
}
