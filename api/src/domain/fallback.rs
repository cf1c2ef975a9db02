//! The function in a customer's account that stops a call about which the limiter gave no answer.

use super::ids::ConnectionId;
use super::instance_arn::InstanceArn;

/// How its name begins; the connection's id follows, as `deploy/customer-fallback.yaml` names it.
pub const FALLBACK_NAME: &str = "ringfence-fallback";

/// The same in every region.
#[must_use]
pub fn fallback_function_name(connection: ConnectionId) -> String {
    format!("{FALLBACK_NAME}-{connection}")
}

/// In the account and region of the instance.
#[must_use]
pub fn fallback_function_arn(instance: &InstanceArn, connection: ConnectionId) -> String {
    format!(
        "arn:{}:lambda:{}:{}:function:{}",
        instance.partition(),
        instance.region(),
        instance.account_id(),
        fallback_function_name(connection)
    )
}
