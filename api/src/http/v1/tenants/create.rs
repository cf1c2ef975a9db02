//! Making a tenant.

use axum::http::StatusCode;
use utoipa::ToSchema;

use super::body::{NAME_MAX, TenantBody, audited, checked_region};
use crate::domain::ids::TenantId;
use crate::domain::tenant::{Tenant, TenantStatus};
use crate::http::body::Body;
use crate::http::caller::{Operator, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;

#[derive(Debug, ToSchema)]
pub(super) struct NewTenant {
    #[schema(max_length = 200, example = "Northwind Collections")]
    name: String,
    /// A region with limiters; the first one of the operator's if not given.
    #[schema(example = "us-east-1")]
    home_region: Option<String>,
}

impl FromFields for NewTenant {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let name = fields.text("name", NAME_MAX);
        let home_region = fields.optional_text("home_region", NAME_MAX);
        Some(Self {
            name: name?,
            home_region,
        })
    }
}

/// Make a tenant
#[utoipa::path(
    post, path = "/v1/tenants", operation_id = "tenants_create", tag = "tenants",
    security(("bearer" = [Operator::NAME])),
    request_body = NewTenant, responses((status = 201, body = TenantBody))
)]
pub(in crate::http) async fn create(caller: Operator, Body(new): Body<NewTenant>) -> OnceResult {
    let app = &caller.app;
    let home_region = new
        .home_region
        .or_else(|| app.settings.regions().next().map(str::to_owned))
        .unwrap_or_default();
    let home_region = checked_region(app, home_region)?;
    let tenant = Tenant {
        id: TenantId(app.ids.uuid()),
        name: new.name,
        home_region,
        status: TenantStatus::Active,
        created_at: caller.now(),
    };
    let change = states(
        caller.change("tenant.create", tenant.id),
        None,
        Some(audited(&tenant)),
    );
    let mut tx = caller.begin_once().await?;
    tx.tenant_insert(&tenant).await?;
    tx.audit_append(Some(tenant.id), &change).await?;
    let made = TenantBody::from(tenant);
    Ok(tx.answer(StatusCode::CREATED, &made).await?)
}
