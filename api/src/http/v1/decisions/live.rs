//! Decisions as they come back from the limiters, as server-sent events.
//!
//! A decision's id is made when it comes in, but its transaction may end after those of later ones: so each look goes a
//! little back, and what has been told already is left out.

use std::collections::BTreeSet;
use std::convert::Infallible;
use std::time::Duration;

use axum::http::HeaderMap;
use axum::response::IntoResponse;
use axum::response::sse::{Event, KeepAlive, Sse};
use futures::{Stream, StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};
use tokio::time::{Instant, sleep, sleep_until};
use uuid::Uuid;

use super::body::{DecisionBody, DecisionOutcome, policies_of};
use super::filter::live_filter;
use crate::auth::View;
use crate::domain::ids::{DecisionId, TenantId};
use crate::http::caller::Caller;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Query;
use crate::http::state::AppState;
use crate::store::DecisionFilter;

const LAST_EVENT_ID: &str = "last-event-id";
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Longer than a transaction that stores decisions takes.
const LOOKS_BACK: SignedDuration = SignedDuration::from_secs(5);
/// Who was away for longer finds what they missed in the list.
const MISSED_MAX: SignedDuration = SignedDuration::from_mins(15);
const READ_AT_ONCE: i64 = 200;
/// Then whoever listens asks anew, and is recognised anew.
const SECONDS_MAX: u64 = 300;

/// Decisions as they come in
///
/// Server-sent events of the type `decision`, each with a decision as lists show it, a moment after a limiter made it. The
/// stream ends after `seconds` and when the server is about to stop; browsers ask again by themselves, with the last
/// event's id, from which it then goes on.
#[utoipa::path(
    get, path = "/v1/decisions/live", operation_id = "decisions_live", tag = "decisions",
    security(("bearer" = [View::NAME])),
    params(
        ("instance_id" = Option<String>, Query, description = "The instance"),
        ("outcome" = Option<DecisionOutcome>, Query, description = "How it ended"),
        ("rule_id" = Option<String>, Query, description = "The rule that decided", example = "repeat-calls"),
        (
            "seconds" = Option<u64>, Query, minimum = 1, maximum = 300,
            description = "How long the stream stays open at most; 300 if not given", example = 60,
        ),
        (
            "Last-Event-ID" = Option<String>, Header, example = "dec_01890a5d000070008000000000000000",
            description = "The last event that was seen: the stream goes on behind it",
        ),
    ),
    responses((
        status = 200, body = String, content_type = "text/event-stream",
        example = json!("event: decision\nid: dec_01890a5d000070008000000000000000\ndata: {\"id\":\"dec_01890a5d000070008000000000000000\"}\n\n"),
    ))
)]
pub(in crate::http) async fn live(
    caller: Caller<View>,
    headers: HeaderMap,
    mut query: Query,
) -> ApiResult<impl IntoResponse> {
    let filter = live_filter(&mut query)?;
    let seconds = |text: &str| {
        let seconds: u64 = text.parse().ok()?;
        (1..=SECONDS_MAX).contains(&seconds).then_some(seconds)
    };
    let seconds = query.parsed("seconds", seconds, "a number from 1 to 300")?;
    query.finish()?;
    let seen = headers
        .get(LAST_EVENT_ID)
        .and_then(|id| id.to_str().ok()?.parse().ok());
    let mut watch = Watch {
        app: caller.app.clone(),
        tenant: caller.tenant.id,
        filter,
        floor: floor(caller.now(), seen),
        looked_at: None,
        told: BTreeSet::new(),
        until: Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS_MAX)),
    };
    // A database that is away is still told by the answer's status.
    let first = watch.look().await?;
    let events = stream::iter(first).chain(watch.events());
    Ok(Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::default()))
}

/// From where on decisions are told: behind the last that was seen, unless that is long ago.
fn floor(now: Timestamp, seen: Option<DecisionId>) -> DecisionId {
    let earliest = first_id_at(now.checked_sub(MISSED_MAX).unwrap_or(now));
    match seen {
        Some(seen) => seen.max(earliest),
        None => first_id_at(now),
    }
}

/// No id that was made before is larger.
fn first_id_at(at: Timestamp) -> DecisionId {
    let milliseconds = u128::try_from(at.as_millisecond()).unwrap_or_default();
    DecisionId(Uuid::from_u128(milliseconds << 80))
}

struct Watch {
    app: AppState,
    tenant: TenantId,
    filter: DecisionFilter,
    floor: DecisionId,
    looked_at: Option<Timestamp>,
    /// Those that the next look may find again.
    told: BTreeSet<DecisionId>,
    until: Instant,
}

impl Watch {
    fn events(self) -> impl Stream<Item = Event> {
        let looks = stream::unfold(self, async |mut watch| {
            tokio::select! {
                () = sleep(BETWEEN_LOOKS) => {}
                () = sleep_until(watch.until) => return None,
                () = watch.app.draining.cancelled() => return None,
            }
            match watch.look().await {
                Ok(events) => Some((events, watch)),
                Err(err) => {
                    tracing::warn!(cause = err.cause(), "a live stream breaks off");
                    None
                }
            }
        });
        looks.flat_map(stream::iter)
    }

    /// What has come in since the last look.
    async fn look(&mut self) -> ApiResult<Vec<Event>> {
        let back = self
            .looked_at
            .and_then(|at| at.checked_sub(LOOKS_BACK).ok());
        let back = back.map_or(self.floor, |at| first_id_at(at).max(self.floor));
        self.looked_at = Some(self.app.now());
        let mut after = back;
        let mut tx = self.app.store.tenant(self.tenant).await?;
        let mut new = Vec::new();
        loop {
            let found = tx
                .decision_arrivals(&self.filter, after, READ_AT_ONCE)
                .await?;
            let Some(last) = found.last() else {
                break;
            };
            after = last.id;
            new.extend(
                found
                    .into_iter()
                    .filter(|decision| self.told.insert(decision.id)),
            );
        }
        let policies = policies_of(&mut tx, &new).await?;
        tx.commit().await?;
        self.told = self.told.split_off(&back);
        new.into_iter()
            .map(|decision| {
                let id = decision.id.to_string();
                Event::default()
                    .event("decision")
                    .id(id)
                    .json_data(DecisionBody::new(decision, &policies))
                    .map_err(|err| ApiError::internal(err.to_string()))
            })
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_begins_now_or_behind_what_was_seen_if_that_is_not_long_ago() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().expect("a time");
        let ago = |minutes| first_id_at(now - SignedDuration::from_mins(minutes));
        assert_eq!(floor(now, None), first_id_at(now));
        assert_eq!(floor(now, Some(ago(1))), ago(1));
        assert_eq!(floor(now, Some(ago(60))), ago(15));
        let made = DecisionId(
            "01890a5d-ac96-774b-bcce-b302099a8057"
                .parse()
                .expect("an id"),
        );
        let at = Timestamp::from_millisecond(0x0189_0a5d_ac96).expect("a time");
        assert!(first_id_at(at) <= made);
    }
}
