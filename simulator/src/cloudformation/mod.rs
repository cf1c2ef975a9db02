//! CloudFormation, as much of it as role templates use: parameters, the intrinsics `Ref`, `Fn::Sub`, `Fn::GetAtt` and
//! `Fn::Join`, roles and their policies, functions with their code, outputs. Pure: a template and its parameters in, a plan out.
//!
//! What is not understood is refused by name, so that no part of a shipped template goes untested unnoticed.

mod functions;
mod intrinsics;
mod parameters;
mod roles;
mod template;

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::{Map, Value};

use self::intrinsics::Scope;
use self::roles::Resources;
pub use self::roles::RolePlan;
use crate::lambda::python::PythonFunction;

/// What is wrong, and where in the template or among the parameters.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct TemplateError {
    pub path: String,
    pub message: String,
}

impl TemplateError {
    fn new(path: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            message: message.into(),
        }
    }
}

/// Where a stack is deployed.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    pub account_id: &'a str,
    pub region: &'a str,
    pub stack_name: &'a str,
}

/// What a stack makes.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    pub roles: Vec<RolePlan>,
    pub functions: Vec<PythonFunction>,
    pub outputs: BTreeMap<String, String>,
}

pub fn plan(
    text: &str,
    given: &Map<String, Value>,
    place: &Place<'_>,
) -> Result<Plan, TemplateError> {
    let template = template::read(text)?;
    let sections = object(&template, "/")?;
    let known = [
        "AWSTemplateFormatVersion",
        "Description",
        "Metadata",
        "Parameters",
        "Resources",
        "Outputs",
    ];
    if let Some(section) = sections
        .keys()
        .find(|section| !known.contains(&section.as_str()))
    {
        return Err(TemplateError::new(
            format!("/{section}"),
            "this section is not supported by the simulator",
        ));
    }
    let mut scope = Scope::new(
        place,
        parameters::resolve(sections.get("Parameters"), given)?,
    );
    let resources = section(sections, "Resources")?;
    if resources.is_empty() {
        return Err(TemplateError::new(
            "/Resources",
            "at least one resource is needed",
        ));
    }
    let Resources { roles, functions } = roles::plan(&resources, &mut scope)?;
    let mut outputs = BTreeMap::new();
    for (name, output) in section(sections, "Outputs")?.iter() {
        let path = format!("/Outputs/{name}/Value");
        let value = output
            .get("Value")
            .ok_or_else(|| TemplateError::new(path.as_str(), "is missing"))?;
        outputs.insert(name.clone(), scope.text(value, &path)?);
    }
    Ok(Plan {
        roles,
        functions,
        outputs,
    })
}

fn object<'a>(value: &'a Value, path: &str) -> Result<&'a Map<String, Value>, TemplateError> {
    value
        .as_object()
        .ok_or_else(|| TemplateError::new(path, "must be a mapping"))
}

/// A section that may be left out.
fn section<'a>(
    sections: &'a Map<String, Value>,
    name: &str,
) -> Result<Cow<'a, Map<String, Value>>, TemplateError> {
    match sections.get(name) {
        Some(section) => object(section, &format!("/{name}")).map(Cow::Borrowed),
        None => Ok(Cow::Owned(Map::new())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    const PLACE: Place<'_> = Place {
        account_id: "111122220001",
        region: "us-east-1",
        stack_name: "ringfence",
    };
    const CUSTOMER: &str = include_str!("../../../deploy/customer.yaml");
    const FALLBACK: &str = include_str!("../../../deploy/customer-fallback.yaml");

    fn customer(parameters: Value) -> Result<Plan, TemplateError> {
        plan(CUSTOMER, parameters.as_object().expect("an object"), &PLACE)
    }

    fn good() -> Value {
        json!({
            "ConnectionId": "con_1",
            "ExternalId": "id-1",
            "ControlPlanePrincipal": "arn:aws:iam::999988887777:role/control",
            "LimiterPrincipal": "arn:aws:iam::999988887777:role/limiter",
        })
    }

    #[test]
    fn the_customers_template_makes_its_two_roles() {
        let made = customer(good()).expect("a plan");
        let names: Vec<&str> = made.roles.iter().map(|role| role.name.as_str()).collect();
        assert_eq!(
            names,
            ["ringfence-installer-con_1", "ringfence-runtime-con_1"]
        );
        assert_eq!(
            made.outputs["InstallerRoleArn"],
            "arn:aws:iam::111122220001:role/ringfence-installer-con_1"
        );
        let installer = &made.roles[0];
        let trust = &installer.trust["Statement"][0];
        assert_eq!(
            trust["Principal"]["AWS"],
            "arn:aws:iam::999988887777:role/control"
        );
        assert_eq!(
            trust["Condition"]["StringEquals"]["sts:ExternalId"],
            json!(["id-1"])
        );
        assert_eq!(installer.max_session_seconds, 3600);
        let first = &installer.policies[0]["Statement"][0];
        assert_eq!(
            first["Resource"],
            "arn:aws:connect:*:111122220001:instance/*"
        );
    }

    #[test]
    fn the_fallback_template_makes_its_function_and_a_role_that_only_stops_calls() {
        let parameters = json!({ "ConnectionId": "con_1" });
        let parameters = parameters.as_object().expect("an object");
        let made = plan(FALLBACK, parameters, &PLACE).expect("a plan");
        let [function] = made.functions.as_slice() else {
            panic!("{:?}", made.functions);
        };
        assert_eq!(function.name, "ringfence-fallback-con_1");
        assert!(function.code.contains("stop_contact"));
        assert_eq!(
            made.outputs["FallbackFunctionArn"],
            "arn:aws:lambda:us-east-1:111122220001:function:ringfence-fallback-con_1"
        );
        let [role] = made.roles.as_slice() else {
            panic!("{:?}", made.roles);
        };
        assert!(function.role_arn.ends_with(&role.name));
        let statements = &role.policies[0]["Statement"];
        let actions: Vec<&Value> = statements
            .as_array()
            .expect("statements")
            .iter()
            .map(|statement| &statement["Action"])
            .filter(|action| !action.to_string().contains("logs:"))
            .collect();
        assert_eq!(actions, [&json!("connect:StopContact")]);
    }

    #[test]
    fn while_the_external_id_changes_the_roles_accept_both() {
        let mut parameters = good();
        parameters["ExternalId"] = json!("id-1, id-2");
        let made = customer(parameters).expect("a plan");
        for role in &made.roles {
            assert_eq!(
                role.trust["Statement"][0]["Condition"]["StringEquals"]["sts:ExternalId"],
                json!(["id-1", "id-2"])
            );
        }
    }

    #[test]
    fn wrong_parameters_are_refused_by_name() {
        for (change, path) in [
            (json!({ "ConnectionId": null }), "/parameters/ConnectionId"),
            (
                json!({ "ConnectionId": "Con 1" }),
                "/parameters/ConnectionId",
            ),
            (json!({ "ExternalId": "x" }), "/parameters/ExternalId"),
            (json!({ "ExternalId": "id-1,x" }), "/parameters/ExternalId"),
            (
                json!({ "ControlPlanePrincipal": "somebody" }),
                "/parameters/ControlPlanePrincipal",
            ),
            (json!({ "Other": "x" }), "/parameters/Other"),
        ] {
            let mut parameters = good();
            for (name, value) in change.as_object().expect("an object") {
                match value.is_null() {
                    true => drop(parameters.as_object_mut().expect("an object").remove(name)),
                    false => parameters[name] = value.clone(),
                }
            }
            assert_eq!(
                customer(parameters).expect_err("refused").path,
                path,
                "{change}"
            );
        }
    }

    #[test]
    fn json_templates_and_all_intrinsics_work() {
        let template = json!({
            "Parameters": {
                "Name": { "Type": "String", "Default": "r" },
                "Seconds": { "Type": "Number", "Default": 7200, "AllowedValues": [3600, 7200] },
            },
            "Resources": {
                "Role": { "Type": "AWS::IAM::Role", "Properties": {
                    "RoleName": { "Fn::Join": ["-", ["a", { "Ref": "Name" }, { "Fn::Sub": ["${X}${!Y}", { "X": "x" }] }]] },
                    "MaxSessionDuration": { "Ref": "Seconds" },
                    "Path": { "Ref": "AWS::NoValue" },
                    "AssumeRolePolicyDocument": { "Version": "2012-10-17", "Statement": [] },
                } },
                "More": { "Type": "AWS::IAM::Policy", "DependsOn": "Role", "Properties": {
                    "PolicyName": "more", "Roles": [{ "Ref": "Role" }],
                    "PolicyDocument": { "Version": "2012-10-17", "Statement": [{ "Resource": { "Fn::GetAtt": "Role.Arn" } }] },
                } },
            },
            "Outputs": { "Where": { "Value": { "Fn::Sub": "${AWS::Region}/${AWS::Partition}/${AWS::StackName}/${Role}/${Role.Arn}" } } },
        });
        let made = plan(&template.to_string(), &Map::new(), &PLACE).expect("a plan");
        assert_eq!(made.roles.len(), 1);
        assert_eq!(made.roles[0].name, "a-r-x${Y}");
        assert_eq!(made.roles[0].max_session_seconds, 7200);
        assert_eq!(
            made.roles[0].policies[0]["Statement"][0]["Resource"],
            "arn:aws:iam::111122220001:role/a-r-x${Y}"
        );
        assert_eq!(
            made.outputs["Where"],
            "us-east-1/aws/ringfence/a-r-x${Y}/arn:aws:iam::111122220001:role/a-r-x${Y}"
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_where_it_stands() {
        for (template, path) in [
            ("", "/"),
            ("Resources: {}", "/Resources"),
            ("Resources: [", "/"),
            (
                "Conditions: {}\nResources: { A: { Type: AWS::S3::Bucket } }",
                "/Conditions",
            ),
            (
                "Resources: { A: { Type: AWS::S3::Bucket } }",
                "/Resources/A/Type",
            ),
            (
                "Resources: { A: { Type: AWS::IAM::Role, Properties: { RoleName: !If [a, b, c] } } }",
                "/",
            ),
            (
                "Resources: { A: { Type: AWS::IAM::Role, Properties: { RoleName: { 'Fn::If': [a] } } } }",
                "/Resources/A/Properties/RoleName",
            ),
            (
                "Resources: { A: { Type: AWS::IAM::Role, Properties: { RoleName: !Ref Nothing } } }",
                "/Resources/A/Properties/RoleName",
            ),
            (
                "Resources: { A: { Type: AWS::IAM::Role, Properties: { RoleName: a } } }",
                "/Resources/A/Properties/AssumeRolePolicyDocument",
            ),
            (
                "Resources: { A: { Type: AWS::IAM::Role, Properties: { RolName: a } } }",
                "/Resources/A/Properties/RolName",
            ),
            (
                "Resources: { A: { Type: AWS::IAM::Role, Properties: { RoleName: a, Path: /ringfence/ } } }",
                "/Resources/A/Properties/Path",
            ),
            (
                "Resources: { A: { Type: AWS::IAM::Role, Properties: { AssumeRolePolicyDocument: {}, Policies: { PolicyDocument: {} } } } }",
                "/Resources/A/Properties/Policies",
            ),
        ] {
            let refused = plan(template, &Map::new(), &PLACE).expect_err("refused");
            assert_eq!(refused.path, path, "{template}: {refused}");
        }
    }
}
