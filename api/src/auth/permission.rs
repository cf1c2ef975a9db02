//! What an operation needs, as a type, so that it stands in the signature of the handler.

use crate::domain::role::Role;

pub trait Permission: Send + Sync + 'static {
    /// The least role that may do it.
    const LEAST: Role;
    /// Whether something may be different afterwards: that is what a suspended tenant cannot do.
    const CHANGES: bool = true;
}

/// To read anything of the tenant.
#[derive(Debug, Clone, Copy)]
pub struct View;
#[derive(Debug, Clone, Copy)]
pub struct EditPolicies;
/// To exempt and to block numbers.
#[derive(Debug, Clone, Copy)]
pub struct EditNumbers;
#[derive(Debug, Clone, Copy)]
pub struct EditInstallations;
/// To register, verify and delete instances.
#[derive(Debug, Clone, Copy)]
pub struct ManageInstances;
/// To see which keys there are.
#[derive(Debug, Clone, Copy)]
pub struct ViewKeys;
#[derive(Debug, Clone, Copy)]
pub struct ManageKeys;
/// To read who did what.
#[derive(Debug, Clone, Copy)]
pub struct ViewAudit;

/// To see where events are told, and what came of telling.
#[derive(Debug, Clone, Copy)]
pub struct ViewWebhooks;
#[derive(Debug, Clone, Copy)]
pub struct ManageWebhooks;

impl Permission for ViewWebhooks {
    const LEAST: Role = Role::Admin;
    const CHANGES: bool = false;
}
impl Permission for ManageWebhooks {
    const LEAST: Role = Role::Admin;
}
impl Permission for View {
    const LEAST: Role = Role::Viewer;
    const CHANGES: bool = false;
}
impl Permission for ViewKeys {
    const LEAST: Role = Role::Admin;
    const CHANGES: bool = false;
}
impl Permission for EditPolicies {
    const LEAST: Role = Role::Editor;
}
impl Permission for EditNumbers {
    const LEAST: Role = Role::Editor;
}
impl Permission for EditInstallations {
    const LEAST: Role = Role::Editor;
}
impl Permission for ManageInstances {
    const LEAST: Role = Role::Admin;
}
impl Permission for ManageKeys {
    const LEAST: Role = Role::Admin;
}
impl Permission for ViewAudit {
    const LEAST: Role = Role::Admin;
    const CHANGES: bool = false;
}
