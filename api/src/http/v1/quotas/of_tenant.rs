//! A tenant's quotas, for the operator.

use std::collections::BTreeMap;

use axum::Json;
use ringfence_policy::draft::code;
use serde::Serialize;
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::body::QuotaList;
use crate::domain::ids::TenantId;
use crate::domain::quota::{Quota, QuotaState};
use crate::http::body::Body;
use crate::http::caller::{Operator, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::path::Id;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::standing::must_be_there;

/// Far above anything that anybody has.
const MOST_MAX: i64 = 1_000_000_000_000;

/// What is left out stays as it is. A number is a limit, `"unlimited"` none at all, `"default"` what the program has.
#[derive(Debug, ToSchema)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) struct QuotaChange {
    instances: Option<QuotaValue>,
    api_keys: Option<QuotaValue>,
    webhooks: Option<QuotaValue>,
    listed_numbers: Option<QuotaValue>,
    decisions_per_month: Option<QuotaValue>,
}

#[derive(Debug, Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum QuotaValue {
    Limit(QuotaLimit),
    Word(QuotaWord),
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(minimum = 0, maximum = 1_000_000_000_000_i64, example = 1000)]
pub(super) struct QuotaLimit(i64);

#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[expect(dead_code, reason = "only its schema is used")]
pub(super) enum QuotaWord {
    Unlimited,
    Default,
}

/// What is to be set; none within: no limit; none without: as the program has it.
#[derive(Debug)]
pub(super) struct PutQuotas(Vec<(Quota, Option<Option<i64>>)>);

impl FromFields for PutQuotas {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let mut wanted = Vec::new();
        for quota in Quota::ALL {
            let name = quota.as_str();
            let Some(value) = fields.take(name) else {
                continue;
            };
            match read(&value) {
                Some(most) => wanted.push((quota, most)),
                None => fields.fault(
                    name,
                    code::INVALID,
                    format!("must be a number from 0 to {MOST_MAX}, \"unlimited\" or \"default\""),
                ),
            }
        }
        Some(Self(wanted))
    }
}

fn read(value: &Value) -> Option<Option<Option<i64>>> {
    match value {
        Value::String(word) if word == "unlimited" => Some(Some(None)),
        Value::String(word) if word == "default" => Some(None),
        Value::Number(_) => {
            let most = value.as_i64()?;
            (0..=MOST_MAX).contains(&most).then_some(Some(Some(most)))
        }
        _ => None,
    }
}

/// As a request sets them.
fn audited(states: &[QuotaState]) -> Value {
    let word = |state: &QuotaState| match state.most {
        _ if !state.is_set => json!("default"),
        None => json!("unlimited"),
        Some(most) => json!(most),
    };
    let words: BTreeMap<&str, Value> = states
        .iter()
        .map(|state| (state.quota.as_str(), word(state)))
        .collect();
    json!(words)
}

/// A tenant's quotas, and how much of each is taken
#[utoipa::path(
    get, path = "/v1/tenants/{id}/quotas", operation_id = "tenants_quotas_get", tag = "tenants",
    security(("bearer" = [Operator::NAME])),
    params(("id" = String, Path)), responses((status = 200, body = QuotaList))
)]
pub(in crate::http) async fn get(
    caller: Operator,
    Id(id): Id<TenantId>,
) -> ApiResult<Json<QuotaList>> {
    let mut tx = caller.app.store.tenant(id).await?;
    tx.tenant_self().await?.ok_or_else(ApiError::not_found)?;
    let states = tx.quota_list(caller.now()).await?;
    Ok(Json(states.into()))
}

/// Set a tenant's quotas
///
/// A tenant that has more than a new quota keeps what it has, and gets no more.
#[utoipa::path(
    put, path = "/v1/tenants/{id}/quotas", operation_id = "tenants_quotas_put", tag = "tenants",
    security(("bearer" = [Operator::NAME])),
    extensions(("x-errors" = json!(["tenant_deleted"]))),
    params(("id" = String, Path)), request_body = QuotaChange, responses((status = 200, body = QuotaList))
)]
pub(in crate::http) async fn put(
    caller: Operator,
    Id(id): Id<TenantId>,
    Body(PutQuotas(wanted)): Body<PutQuotas>,
) -> ApiResult<Json<QuotaList>> {
    let now = caller.now();
    let mut tx = caller.app.store.tenant(id).await?;
    let tenant = tx.tenant_lock().await?.ok_or_else(ApiError::not_found)?;
    must_be_there(&tenant)?;
    let before = tx.quota_list(now).await?;
    for (quota, most) in wanted {
        tx.quota_set(quota, most).await?;
    }
    let after = tx.quota_list(now).await?;
    if before != after {
        let change = caller.change("tenant.set_quotas", id);
        let change = states(change, Some(audited(&before)), Some(audited(&after)));
        tx.audit_append(&change).await?;
        tx.commit().await?;
    }
    Ok(Json(after.into()))
}
