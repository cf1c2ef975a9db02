//! What the control plane publishes: a snapshot per instance, and the numbers that a tenant has listed.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{is_false, schema};
use crate::elsewhere::LimitsElsewhere;
use crate::policy::Policy;

/// Whether an instance's tenant is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    Active,
    Suspended,
}

/// A runtime role, and the external id that it may let the limiter in with.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RuntimeAccess {
    pub role_arn: String,
    pub external_id: String,
}

impl fmt::Debug for RuntimeAccess {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RuntimeAccess")
            .field("role_arn", &self.role_arn)
            .finish_non_exhaustive()
    }
}

/// All that the limiter needs to serve one instance.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Snapshot {
    #[serde(deserialize_with = "schema")]
    pub schema: u32,
    pub tenant_id: String,
    pub instance_id: String,
    pub instance_arn: String,
    pub status: Status,
    /// Counts the instance's publications; it only ever grows.
    pub revision: u64,
    pub policy_id: String,
    pub policy_version: u64,
    pub policy: Policy,
    /// What the tenant's other policies need to have remembered in meters that this one reads too.
    #[serde(default, skip_serializing_if = "LimitsElsewhere::is_empty")]
    pub limits_elsewhere: LimitsElsewhere,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub runtime_role_arn: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_id: Option<String>,
    /// Tried in this order where role and external id are refused, as may be while one of them is being changed.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub other_runtime_access: Vec<RuntimeAccess>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice_flow_id: Option<String>,
    /// Where the tenant's tenant-wide meters are; absent means in the instance's own region.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub home_region: Option<String>,
    /// Whether looking for a [`ListedNumber`] can find one.
    #[serde(default, skip_serializing_if = "is_false")]
    pub has_listed_numbers: bool,
    pub published_at: Timestamp,
}

impl fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Snapshot")
            .field("instance_id", &self.instance_id)
            .field("status", &self.status)
            .field("revision", &self.revision)
            .field("policy_id", &self.policy_id)
            .field("policy_version", &self.policy_version)
            .finish_non_exhaustive()
    }
}

/// On which list of the tenant's a number is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Listed {
    Exemption,
    Block,
    /// It was taken off: stays as long as an older document might still be written after it.
    None,
}

/// A number of which the tenant has said that it is never counted, or never called.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListedNumber {
    #[serde(deserialize_with = "schema")]
    pub schema: u32,
    pub tenant_id: String,
    /// As it is counted: in E.164.
    pub number: String,
    pub list: Listed,
    pub entry_id: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl fmt::Debug for ListedNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ListedNumber")
            .field("tenant_id", &self.tenant_id)
            .field("list", &self.list)
            .field("entry_id", &self.entry_id)
            .field("expires_at", &self.expires_at)
            .finish_non_exhaustive()
    }
}
