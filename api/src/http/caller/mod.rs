//! Who calls, as an argument that handlers cannot do without: the tenant comes out of the checked credential only.

mod admit;
mod recognise;

use std::fmt::Display;
use std::marker::PhantomData;

use jiff::Timestamp;
use serde_json::Value;

use super::once::{self, Early, Once, OnceTx};
use super::origin::Origin;
use super::problem::ApiResult;
use super::state::AppState;
use crate::auth::session::SignedIn;
use crate::auth::{Permission, Principal};
use crate::domain::ids::TenantId;
use crate::domain::tenant::Tenant;
use crate::store::{Change, SystemTx, TenantTx};

/// Anybody who was recognised.
#[derive(Debug)]
pub(super) struct AnyCaller {
    pub principal: Principal,
    /// For people's browsers: what requests that change something must bring.
    pub csrf_token: Option<String>,
}

/// Somebody who may do `P` in a tenant.
#[derive(Debug)]
pub(super) struct Caller<P> {
    pub app: AppState,
    pub principal: Principal,
    pub tenant: Tenant,
    origin: Origin,
    once: Option<Once>,
    permission: PhantomData<fn() -> P>,
}

/// A person, in a browser where they are signed in; of whatever tenant, or of none.
#[derive(Debug)]
pub(super) struct Somebody {
    pub app: AppState,
    pub signed_in: SignedIn,
    principal: Principal,
    origin: Origin,
    once: Option<Once>,
}

/// An operator, for whatever tenant.
#[derive(Debug)]
pub(super) struct Operator {
    pub app: AppState,
    pub principal: Principal,
    origin: Origin,
    once: Option<Once>,
}

impl AnyCaller {
    pub const NAME: &str = "any";
}

impl Somebody {
    pub const NAME: &str = "person";
}

impl Operator {
    pub const NAME: &str = "operator";
}

impl<P: Permission> Caller<P> {
    /// One moment per use: what belongs together takes it once.
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    /// To change something, only if the caller still may.
    pub async fn begin(&self) -> ApiResult<TenantTx> {
        if !P::CHANGES {
            return Ok(self.app.store.tenant(self.tenant.id).await?);
        }
        Ok(self
            .principal
            .begin_change(&self.app.store, self.now())
            .await?)
    }

    /// As [`Self::begin`], while nothing else of the tenant is changed: for what takes rights away.
    pub async fn begin_alone(&self) -> ApiResult<TenantTx> {
        Ok(self
            .principal
            .begin_change_alone(&self.app.store, self.now())
            .await?)
    }

    /// For work that is done once, however often its request is sent with the same `Idempotency-Key`.
    pub async fn begin_once(&self) -> Result<OnceTx<TenantTx>, Early> {
        once::begin(self.begin().await?, self.once.as_ref(), &self.app).await
    }

    /// To read only: the same rows all along, whoever writes meanwhile.
    pub async fn begin_frozen(&self) -> ApiResult<TenantTx> {
        Ok(self.app.store.tenant_frozen(self.tenant.id).await?)
    }

    /// The audit row of a change, to be completed and written in the change's own transaction.
    pub fn change(&self, action: &'static str, target: impl Display) -> Change {
        change(&self.app, &self.principal, self.origin, action, target)
    }
}

impl Somebody {
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    /// As [`Caller::begin_once`], for what is nobody's tenant's yet.
    pub async fn begin_once(&self, reason: &'static str) -> Result<OnceTx<SystemTx>, Early> {
        let tx = self.app.store.system(reason).await?;
        once::begin(tx, self.once.as_ref(), &self.app).await
    }

    pub fn change(&self, action: &'static str, target: impl Display) -> Change {
        change(&self.app, &self.principal, self.origin, action, target)
    }
}

impl Operator {
    pub fn now(&self) -> Timestamp {
        self.app.now()
    }

    pub async fn begin(&self) -> ApiResult<SystemTx> {
        Ok(self
            .app
            .store
            .system("the operator manages tenants")
            .await?)
    }

    /// As [`Caller::begin_frozen`].
    pub async fn begin_frozen(&self) -> ApiResult<SystemTx> {
        let reason = "the operator reads what concerns no tenant";
        Ok(self.app.store.system_frozen(reason).await?)
    }

    /// As [`Caller::begin_once`], for what concerns no tenant that is there already.
    pub async fn begin_once(&self) -> Result<OnceTx<SystemTx>, Early> {
        once::begin(self.begin().await?, self.once.as_ref(), &self.app).await
    }

    /// As [`Caller::begin_once`], inside a tenant.
    pub async fn begin_once_in(&self, tenant: TenantId) -> Result<OnceTx<TenantTx>, Early> {
        let tx = self.app.store.tenant(tenant).await?;
        once::begin(tx, self.once.as_ref(), &self.app).await
    }

    pub fn change(&self, action: &'static str, target: impl Display) -> Change {
        change(&self.app, &self.principal, self.origin, action, target)
    }
}

pub(super) fn change(
    app: &AppState,
    principal: &Principal,
    origin: Origin,
    action: &'static str,
    target: impl Display,
) -> Change {
    Change {
        id: app.ids.uuid(),
        at: app.now(),
        actor: principal.actor(),
        action,
        target: target.to_string(),
        before: None,
        after: None,
        request_id: Some(origin.request_id.to_string()),
        ip: origin.ip,
    }
}

/// Before and after, as far as there are any.
pub(super) fn states(mut change: Change, before: Option<Value>, after: Option<Value>) -> Change {
    change.before = before;
    change.after = after;
    change
}
