//! Reading a list, page by page.

use axum::Json;
use serde::Serialize;
use utoipa::ToSchema;

use super::body::ListedNumberBody;
use crate::auth::View;
use crate::domain::listed_number::{List, ListedNumber};
use crate::domain::phone::PhoneNumber;
use crate::http::caller::Caller;
use crate::http::problem::ApiResult;
use crate::http::query::{Query, page};
use crate::store::ListQuery;

#[derive(Debug, Serialize, ToSchema)]
pub(super) struct ListedNumberList {
    data: Vec<ListedNumberBody>,
    #[schema(example = "MTc2NDA3MjAwMDAwMDAwMA")]
    next_cursor: Option<String>,
}

pub(super) async fn list(
    caller: &Caller<View>,
    list: List,
    mut query: Query,
) -> ApiResult<Json<ListedNumberList>> {
    let number = query.parsed("number", number, "a number in E.164")?;
    let limit = query.limit()?;
    let after = query.cursor(|text| text.parse().ok())?;
    query.finish()?;
    let mut tx = caller.begin().await?;
    let wanted = ListQuery {
        list,
        number: number.as_ref(),
        after,
        now: caller.now(),
        limit: limit + 1,
    };
    let entries = tx.listed_number_list(&wanted).await?;
    let list = page(
        entries,
        limit,
        |entry: &ListedNumber| entry.id.to_string(),
        ListedNumberBody::from,
    );
    Ok(Json(ListedNumberList {
        data: list.data,
        next_cursor: list.next_cursor,
    }))
}

/// A `+` that nobody escaped arrives as a space.
fn number(text: &str) -> Option<PhoneNumber> {
    let text = text.trim();
    if text.starts_with('+') {
        PhoneNumber::read(text)
    } else {
        PhoneNumber::read(&format!("+{text}"))
    }
}
