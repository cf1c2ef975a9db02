//! A customer organisation.

use jiff::Timestamp;

use super::ids::TenantId;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TenantStatus {
    Active,
    /// The limiter allows every call and says so; the tenant's data stays.
    Suspended,
    /// The operator has deleted it, and its data is being erased.
    Deleting,
    /// Nothing is left of it but its id, its audit log and its usage.
    Deleted,
}

impl TenantStatus {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Suspended => "suspended",
            Self::Deleting => "deleting",
            Self::Deleted => "deleted",
        }
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Active, Self::Suspended, Self::Deleting, Self::Deleted]
            .into_iter()
            .find(|status| status.as_str() == text)
    }

    /// Whether there is no way back.
    #[must_use]
    pub fn is_going(self) -> bool {
        matches!(self, Self::Deleting | Self::Deleted)
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tenant {
    pub id: TenantId,
    pub name: String,
    pub home_region: String,
    pub status: TenantStatus,
    pub created_at: Timestamp,
}
