//! Roles and the policies attached to them.

use serde_json::{Map, Value};

use super::functions::function;
use super::intrinsics::Scope;
use super::{TemplateError, object};
use crate::lambda::python::PythonFunction;

const SESSION_SECONDS_DEFAULT: u32 = 3600;

#[derive(Debug, Clone, PartialEq)]
pub struct RolePlan {
    pub name: String,
    pub trust: Value,
    pub policies: Vec<Value>,
    pub max_session_seconds: u32,
}

/// The resources of a stack, in the order in which they are made.
#[derive(Debug)]
pub struct Resources {
    pub roles: Vec<RolePlan>,
    pub functions: Vec<PythonFunction>,
}

pub fn plan(resources: &Map<String, Value>, scope: &mut Scope) -> Result<Resources, TemplateError> {
    let resources: Vec<Resource<'_>> = resources
        .iter()
        .map(|(logical, resource)| Resource::read(logical, resource))
        .collect::<Result<_, _>>()?;
    // Names first: the rest of the template refers to them.
    for resource in &resources {
        let (reference, arn) = resource.identity(scope)?;
        scope.add(resource.logical, &reference, &arn);
    }
    let of = |kinds: &'static [Kind]| {
        let mine = move |resource: &&Resource<'_>| kinds.contains(&resource.kind);
        resources.iter().filter(mine)
    };
    let mut roles = Vec::new();
    for resource in of(&[Kind::Role]) {
        roles.push(resource.role(scope)?);
    }
    for resource in of(&[Kind::Policy, Kind::ManagedPolicy]) {
        resource.attach(scope, &mut roles)?;
    }
    let functions = of(&[Kind::Function]).map(|resource| function(resource, scope));
    Ok(Resources {
        roles,
        functions: functions.collect::<Result<_, _>>()?,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Role,
    Policy,
    ManagedPolicy,
    Function,
}

#[derive(Debug)]
pub(super) struct Resource<'a> {
    logical: &'a str,
    kind: Kind,
    properties: &'a Map<String, Value>,
    path: String,
}

impl<'a> Resource<'a> {
    fn read(logical: &'a str, resource: &'a Value) -> Result<Self, TemplateError> {
        let at = format!("/Resources/{logical}");
        let members = object(resource, &at)?;
        let known = [
            "Type",
            "Properties",
            "DependsOn",
            "DeletionPolicy",
            "UpdateReplacePolicy",
            "Metadata",
        ];
        if let Some(member) = members
            .keys()
            .find(|member| !known.contains(&member.as_str()))
        {
            return Err(TemplateError::new(
                format!("{at}/{member}"),
                "is not supported by the simulator",
            ));
        }
        let kind = match members.get("Type").and_then(Value::as_str) {
            Some("AWS::IAM::Role") => Kind::Role,
            Some("AWS::IAM::Policy") => Kind::Policy,
            Some("AWS::IAM::ManagedPolicy") => Kind::ManagedPolicy,
            Some("AWS::Lambda::Function") => Kind::Function,
            other => {
                let message = format!(
                    "{} is not supported by the simulator",
                    other.unwrap_or("a resource without type")
                );
                return Err(TemplateError::new(format!("{at}/Type"), message));
            }
        };
        let path = format!("{at}/Properties");
        let properties = members
            .get("Properties")
            .ok_or_else(|| TemplateError::new(path.as_str(), "is missing"))?;
        let resource = Self {
            logical,
            kind,
            properties: object(properties, &path)?,
            path,
        };
        resource.check_members()?;
        Ok(resource)
    }

    fn check_members(&self) -> Result<(), TemplateError> {
        let known: &[&str] = match self.kind {
            Kind::Role => &[
                "RoleName",
                "Description",
                "AssumeRolePolicyDocument",
                "Policies",
                "MaxSessionDuration",
                "Path",
                "Tags",
            ],
            Kind::Policy => &["PolicyName", "PolicyDocument", "Roles"],
            Kind::ManagedPolicy => &[
                "ManagedPolicyName",
                "Description",
                "PolicyDocument",
                "Roles",
                "Path",
            ],
            Kind::Function => &[
                "FunctionName",
                "Description",
                "Role",
                "Runtime",
                "Architectures",
                "Handler",
                "Timeout",
                "MemorySize",
                "Code",
                "Tags",
            ],
        };
        match self
            .properties
            .keys()
            .find(|name| !known.contains(&name.as_str()))
        {
            Some(name) => Err(TemplateError::new(
                self.at(name),
                "this property is not supported by the simulator",
            )),
            None => Ok(()),
        }
    }

    pub(super) fn at(&self, property: &str) -> String {
        format!("{}/{property}", self.path)
    }

    /// What `Ref` gives, and the ARN. A name that the template leaves open is made of stack and resource.
    fn identity(&self, scope: &Scope) -> Result<(String, String), TemplateError> {
        let (property, resource) = match self.kind {
            Kind::Role => ("RoleName", "role"),
            Kind::Policy => ("PolicyName", "policy"),
            Kind::ManagedPolicy => ("ManagedPolicyName", "policy"),
            Kind::Function => ("FunctionName", "function"),
        };
        let name = match self.properties.get(property) {
            Some(name) => scope.text(name, &self.at(property))?,
            None => format!("{}-{}", scope.stack_name, self.logical),
        };
        // A path would be part of the ARN, which this makes without one.
        if let Some(path) = self.evaluated(scope, "Path")?
            && path != "/"
        {
            return Err(TemplateError::new(
                self.at("Path"),
                "must be / in the simulator",
            ));
        }
        let (account, region) = (&scope.account_id, &scope.region);
        let arn = match self.kind {
            Kind::Function => format!("arn:aws:lambda:{region}:{account}:{resource}:{name}"),
            _ => format!("arn:aws:iam::{account}:{resource}/{name}"),
        };
        let reference = if self.kind == Kind::ManagedPolicy {
            arn.clone()
        } else {
            name
        };
        Ok((reference, arn))
    }

    fn role(&self, scope: &Scope) -> Result<RolePlan, TemplateError> {
        let mut policies = Vec::new();
        if let Some(inline) = self.evaluated(scope, "Policies")? {
            for (index, policy) in self.list("Policies", &inline)?.iter().enumerate() {
                let at = format!("{}/{index}/PolicyDocument", self.at("Policies"));
                policies.push(
                    policy
                        .get("PolicyDocument")
                        .cloned()
                        .ok_or_else(|| TemplateError::new(at, "is missing"))?,
                );
            }
        }
        let max_session_seconds = match self.properties.get("MaxSessionDuration") {
            Some(seconds) => {
                let at = self.at("MaxSessionDuration");
                let text = scope.text(seconds, &at)?;
                let seconds = text
                    .parse()
                    .ok()
                    .filter(|seconds| (3600..=43200).contains(seconds));
                seconds.ok_or_else(|| TemplateError::new(at, "must be between 3600 and 43200"))?
            }
            None => SESSION_SECONDS_DEFAULT,
        };
        let (name, _) = self.identity(scope)?;
        Ok(RolePlan {
            name,
            trust: self.required(scope, "AssumeRolePolicyDocument")?,
            policies,
            max_session_seconds,
        })
    }

    /// Adds a policy of its own to the roles that it names.
    fn attach(&self, scope: &Scope, roles: &mut [RolePlan]) -> Result<(), TemplateError> {
        let document = self.required(scope, "PolicyDocument")?;
        let named = self.required(scope, "Roles")?;
        for name in self.list("Roles", &named)? {
            let role = roles.iter_mut().find(|role| *name == role.name.as_str());
            let role = role.ok_or_else(|| {
                TemplateError::new(
                    self.at("Roles"),
                    format!("there is no role {name} in this stack"),
                )
            })?;
            role.policies.push(document.clone());
        }
        Ok(())
    }

    fn list<'v>(&self, property: &str, value: &'v Value) -> Result<&'v [Value], TemplateError> {
        let list = value.as_array().map(Vec::as_slice);
        list.ok_or_else(|| TemplateError::new(self.at(property), "must be a list"))
    }

    fn evaluated(&self, scope: &Scope, property: &str) -> Result<Option<Value>, TemplateError> {
        match self.properties.get(property) {
            Some(value) => scope.value(value, &self.at(property)),
            None => Ok(None),
        }
    }

    pub(super) fn required(&self, scope: &Scope, property: &str) -> Result<Value, TemplateError> {
        self.evaluated(scope, property)?
            .ok_or_else(|| TemplateError::new(self.at(property), "is missing"))
    }
}
