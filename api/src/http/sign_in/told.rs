//! What the audit log tells of sign-ins: every tenant that the person is a member of finds it in its own, the operator finds
//! the others.

use serde_json::{Value, json};

use crate::auth::session::SignedIn;
use crate::auth::{Kind, Principal};
use crate::domain::ids::TenantId;
use crate::domain::role::Role;
use crate::domain::tenant::Tenant;
use crate::http::caller::{change, states};
use crate::http::origin::Origin;
use crate::http::problem::ApiResult;
use crate::http::state::AppState;
use crate::store::{Change, RenamedMember, SystemTx};

/// The rows of one transaction, and in whose log each stands.
pub(super) struct Told<'a> {
    app: &'a AppState,
    origin: Origin,
    rows: Vec<(Option<TenantId>, Change)>,
}

impl<'a> Told<'a> {
    pub fn new(app: &'a AppState, origin: Origin) -> Self {
        Self {
            app,
            origin,
            rows: Vec::new(),
        }
    }

    /// What became of a session.
    pub fn session(&mut self, action: &'static str, signed_in: &SignedIn, after: Option<Value>) {
        let tenants = signed_in.memberships.iter().map(|one| &one.tenant);
        let in_operators = signed_in.memberships.is_empty() || signed_in.is_operator;
        let logs = in_operators.then_some(None).into_iter();
        for tenant in logs.chain(tenants.map(Some)) {
            let principal = principal(signed_in, tenant);
            let change = change(self.app, &principal, self.origin, action, signed_in.session);
            let id = tenant.map(|tenant| tenant.id);
            self.rows.push((id, states(change, None, after.clone())));
        }
    }

    /// Which of them, and not what they were and are: the log is never erased, and people are forgotten.
    pub fn renamed(&mut self, signed_in: &SignedIn, renamed: &RenamedMember) {
        let mut tenants = signed_in.memberships.iter().map(|one| &one.tenant);
        let tenant = tenants.find(|tenant| tenant.id == renamed.tenant);
        let principal = principal(signed_in, tenant);
        let change = change(
            self.app,
            &principal,
            self.origin,
            "member.update",
            renamed.member,
        );
        let changed = [("name", renamed.is_name), ("email", renamed.is_email)];
        let changed = changed.iter().filter(|(_, is_new)| *is_new);
        let changed: Vec<&str> = changed.map(|(name, _)| *name).collect();
        let after = json!({ "changed": changed });
        self.rows
            .push((Some(renamed.tenant), states(change, None, Some(after))));
    }

    /// In one order of logs: of two who write to the same ones, neither waits for the other for ever.
    pub async fn write(mut self, tx: &mut SystemTx) -> ApiResult<()> {
        self.rows.sort_by_key(|(log, _)| *log);
        for (log, change) in &self.rows {
            tx.audit_append(*log, change).await?;
        }
        Ok(())
    }
}

fn principal(signed_in: &SignedIn, tenant: Option<&Tenant>) -> Principal {
    Principal {
        kind: Kind::Session(Box::new(signed_in.clone())),
        tenant: tenant.cloned(),
        role: Role::Viewer,
        scopes: None,
        expires_at: None,
    }
}
