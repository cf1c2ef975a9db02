//! DescribeInstance and ListInstances.

use serde_json::{Value, json};

use super::failure::Failure;
use super::model::Instance;
use super::request::Call;

pub fn describe(call: &Call<'_>) -> Result<Value, Failure> {
    call.authorize_instance(call.label(0)?, "")?;
    call.read(call.label(0)?, |instance| {
        Ok(json!({
            "Instance": {
                "Id": instance.id,
                "Arn": instance.arn,
                "IdentityManagementType": "CONNECT_MANAGED",
                "InstanceAlias": instance.alias,
                "CreatedTime": seconds(instance.created_at),
                "ServiceRole": format!(
                    "arn:aws:iam::{}:role/aws-service-role/connect.amazonaws.com/AWSServiceRoleForAmazonConnect",
                    instance.account_id
                ),
                "InstanceStatus": "ACTIVE",
                "InboundCallsEnabled": true,
                "OutboundCallsEnabled": true,
                "InstanceAccessUrl": format!("https://{}.my.connect.aws", instance.alias),
                "Tags": instance.tags,
            },
        }))
    })
}

pub fn list(call: &Call<'_>) -> Result<Value, Failure> {
    call.authorize(&["*".to_owned()], &[])?;
    let mine = |instance: &&Instance| {
        instance.account_id == call.account() && instance.region == call.region()
    };
    let summaries = call
        .world
        .connect
        .lock()
        .instances
        .values()
        .filter(mine)
        .map(summary)
        .collect();
    call.page("InstanceSummaryList", summaries, call.page_request(10)?)
}

fn summary(instance: &Instance) -> Value {
    json!({
        "Id": instance.id,
        "Arn": instance.arn,
        "InstanceAlias": instance.alias,
        "IdentityManagementType": "CONNECT_MANAGED",
        "InstanceStatus": "ACTIVE",
        "CreatedTime": seconds(instance.created_at),
        "InboundCallsEnabled": true,
        "OutboundCallsEnabled": true,
    })
}

/// Times in bodies are epoch seconds with a fraction.
pub fn seconds(at: jiff::Timestamp) -> f64 {
    let milliseconds = at.as_millisecond();
    #[expect(
        clippy::cast_precision_loss,
        reason = "milliseconds of this century are exact in a double"
    )]
    let seconds = milliseconds as f64 / 1000.0;
    seconds
}
