//! Ready rules to begin with.

use axum::Json;
use serde::Serialize;
use serde_json::Value;
use utoipa::ToSchema;

use super::rule::PolicyRule;
use crate::app::presets::{Preset, presets};
use crate::auth::View;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::Query;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct PresetList {
    data: Vec<PresetBody>,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Preset)]
pub(super) struct PresetBody {
    #[schema(pattern = "^[a-z0-9-]+$", example = "us-reg-f")]
    id: String,
    #[schema(example = "Regulation F: 7 calls in 7 days")]
    name: String,
    /// What the rules do.
    #[schema(
        example = "At most 7 calls to a customer on any 7 consecutive days, over all instances."
    )]
    about: String,
    /// ISO 3166, with the state where it is a state's; null: everywhere.
    #[schema(example = "US")]
    jurisdiction: Option<String>,
    #[schema(example = "12 CFR 1006.14(b)(2)")]
    citation: String,
    /// When the citation was last looked up.
    #[schema(format = Date, example = "2026-11-01")]
    as_of: String,
    /// Since when it is in force; null: not looked up.
    #[schema(format = Date, example = "2021-11-30")]
    effective_from: Option<String>,
    /// What the text asks for and these rules do not do.
    #[schema(example = "The rule counts per debt.")]
    caveat: Option<String>,
    /// To be put into a policy as they are.
    #[schema(value_type = Vec<PolicyRule>)]
    rules: Vec<Value>,
}

impl From<Preset> for PresetBody {
    fn from(preset: Preset) -> Self {
        Self {
            id: preset.id,
            name: preset.name,
            about: preset.about,
            jurisdiction: preset.jurisdiction,
            citation: preset.citation,
            as_of: preset.as_of,
            effective_from: preset.effective_from,
            caveat: preset.caveat,
            rules: preset.rules,
        }
    }
}

/// List ready rules
///
/// Each with the text that asks for it, and the day on which that was looked up. A start, and no legal advice.
#[utoipa::path(
    get, path = "/v1/presets", operation_id = "presets_list", tag = "policies",
    security(("bearer" = [View::NAME])),
    responses((status = 200, body = PresetList))
)]
pub(in crate::http) async fn list(
    _caller: Caller<View>,
    query: Query,
) -> ApiResult<Json<PresetList>> {
    query.finish()?;
    let data = presets().into_iter().map(Into::into).collect();
    Ok(Json(PresetList { data }))
}
