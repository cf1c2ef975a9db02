//! Decisions as they come back from the limiters, as server-sent events.
//!
//! A decision's id is made when it comes in, but its transaction may end after those of later ones, and a process's clock
//! may be ahead of another's. So looks go back over what has been read, and what this stream has told is left out. A new
//! stream does not know what the one before it told, and tells the last minute again: at least once, not exactly once.

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

use super::body::{DecisionBody, DecisionOutcome, Policies, policies_of};
use super::filter::live_filter;
use crate::auth::View;
use crate::domain::ids::{DecisionId, TenantId};
use crate::http::caller::Caller;
use crate::http::live_streams::Place;
use crate::http::problem::{ApiError, ApiResult};
use crate::http::query::Query;
use crate::http::state::AppState;
use crate::store::{DecisionFilter, StoredDecision};

const LAST_EVENT_ID: &str = "last-event-id";
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Longer than storing decisions takes as a rule.
const LOOKS_BACK: SignedDuration = SignedDuration::from_secs(5);
/// Longer than it takes at worst: a wait for a connection, a batch, and the same again; clocks that differ included.
const LOOKS_FAR_BACK: SignedDuration = SignedDuration::from_mins(1);
/// Reading a whole minute at each would be much to read.
const LOOKS_PER_FAR_LOOK: u32 = 10;
/// Who was away for longer finds what they missed in the list.
const MISSED_MAX: SignedDuration = SignedDuration::from_mins(15);
const READ_AT_ONCE: i64 = 200;
/// In a row; then the stream ends, and whoever listens asks anew.
const FAILED_LOOKS_MAX: u32 = 10;
/// Then whoever listens asks anew, and is recognised anew.
const SECONDS_MAX: u64 = 300;

/// Decisions as they come in
///
/// Server-sent events of the type `decision`, each with a decision as lists show it, a moment after a limiter made it. A
/// stream begins with the last minute. It ends after `seconds` and when the server is about to stop; browsers ask again by
/// themselves, with the last event's id, and it goes on from a minute before that one, or from a quarter of an hour ago. So a
/// decision may come again after a reconnect: tell them apart by `id`. They come in the order in which they were found. One
/// that took most of a minute to be stored, or longer, may be in the list only. At most 10 streams of a tenant may be open at once.
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
            description = "The last event that was seen: the stream goes on from a minute before it",
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
        _place: caller.app.live_streams.open(caller.tenant.id)?,
        tenant: caller.tenant.id,
        filter,
        floor: floor(caller.now(), seen),
        reading: None,
        began: None,
        looks: 0,
        failed_looks: 0,
        told: BTreeSet::new(),
        until: Instant::now() + Duration::from_secs(seconds.unwrap_or(SECONDS_MAX)),
    };
    // A database that is away is still told by the answer's status.
    let first = watch.page().await?;
    let events = stream::iter(first).chain(watch.events());
    Ok(Sse::new(events.map(Ok::<_, Infallible>)).keep_alive(KeepAlive::default()))
}

/// From where on decisions are told: a little before the last that was seen, unless that is long ago.
fn floor(now: Timestamp, seen: Option<DecisionId>) -> DecisionId {
    let recent = first_id_before(now, LOOKS_FAR_BACK);
    let earliest = first_id_before(now, MISSED_MAX);
    match seen.and_then(made_at) {
        Some(at) => first_id_before(at, LOOKS_FAR_BACK).clamp(earliest, recent),
        None => recent,
    }
}

fn made_at(id: DecisionId) -> Option<Timestamp> {
    let milliseconds = i64::try_from(id.0.as_u128() >> 80).ok()?;
    Timestamp::from_millisecond(milliseconds).ok()
}

fn first_id_before(at: Timestamp, ago: SignedDuration) -> DecisionId {
    first_id_at(at.checked_sub(ago).unwrap_or(at))
}

/// No id that was made before is larger.
fn first_id_at(at: Timestamp) -> DecisionId {
    let milliseconds = u128::try_from(at.as_millisecond()).unwrap_or_default();
    DecisionId(Uuid::from_u128(milliseconds << 80))
}

struct Watch {
    app: AppState,
    _place: Place,
    tenant: TenantId,
    filter: DecisionFilter,
    floor: DecisionId,
    /// Behind this one the look goes on; none: it came to its end.
    reading: Option<DecisionId>,
    /// When the look began.
    began: Option<Timestamp>,
    looks: u32,
    failed_looks: u32,
    /// Those that a later look may find again.
    told: BTreeSet<DecisionId>,
    until: Instant,
}

impl Watch {
    fn events(self) -> impl Stream<Item = Event> {
        let pages = stream::unfold(self, async |mut watch| {
            tokio::select! {
                biased;
                () = watch.app.draining.cancelled() => return None,
                () = sleep_until(watch.until) => return None,
                () = sleep(watch.pause()) => {}
            }
            match watch.page().await {
                Ok(events) => {
                    watch.failed_looks = 0;
                    Some((events, watch))
                }
                Err(err) => {
                    watch.failed_looks += 1;
                    let ends = watch.failed_looks == FAILED_LOOKS_MAX;
                    tracing::warn!(cause = err.cause(), ends, "a live stream cannot look");
                    (!ends).then_some((Vec::new(), watch))
                }
            }
        });
        pages.flat_map(stream::iter)
    }

    /// None while there is more to read.
    fn pause(&self) -> Duration {
        if self.reading.is_some() && self.failed_looks == 0 {
            Duration::ZERO
        } else {
            BETWEEN_LOOKS
        }
    }

    /// What the look finds next that has not been told. A page that failed is read again.
    async fn page(&mut self) -> ApiResult<Vec<Event>> {
        let after = self.reading.unwrap_or_else(|| self.begin_look());
        self.reading = Some(after);
        let mut tx = self.app.store.tenant(self.tenant).await?;
        let found = tx
            .decision_arrivals(&self.filter, after, READ_AT_ONCE)
            .await?;
        let is_full = i64::try_from(found.len()).is_ok_and(|found| found >= READ_AT_ONCE);
        let last = found.last().map(|last| last.id);
        let new: Vec<StoredDecision> = found
            .into_iter()
            .filter(|decision| !self.told.contains(&decision.id))
            .collect();
        let policies = policies_of(&mut tx, &new).await?;
        tx.commit().await?;
        let ids: Vec<DecisionId> = new.iter().map(|decision| decision.id).collect();
        let events = new
            .into_iter()
            .map(|decision| event(decision, &policies))
            .collect::<ApiResult<_>>()?;
        self.told.extend(ids);
        self.reading = last.filter(|_| is_full);
        Ok(events)
    }

    /// From where on it reads.
    fn begin_look(&mut self) -> DecisionId {
        let Some(before) = self.began.replace(self.app.now()) else {
            return self.floor;
        };
        self.looks = self.looks.wrapping_add(1);
        let far = first_id_before(before, LOOKS_FAR_BACK).max(self.floor);
        self.told = self.told.split_off(&far);
        if self.looks.is_multiple_of(LOOKS_PER_FAR_LOOK) {
            far
        } else {
            first_id_before(before, LOOKS_BACK).max(self.floor)
        }
    }
}

fn event(decision: StoredDecision, policies: &Policies) -> ApiResult<Event> {
    let id = decision.id.to_string();
    Event::default()
        .event("decision")
        .id(id)
        .json_data(DecisionBody::new(decision, policies))
        .map_err(|err| ApiError::internal(err.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_begins_a_minute_back_or_a_minute_before_what_was_seen_if_that_is_not_long_ago() {
        let now: Timestamp = "2026-11-25T12:00:00Z".parse().expect("a time");
        let ago = |minutes| first_id_before(now, SignedDuration::from_mins(minutes));
        assert_eq!(floor(now, None), ago(1));
        assert_eq!(floor(now, Some(ago(0))), ago(1));
        assert_eq!(floor(now, Some(ago(3))), ago(4));
        assert_eq!(floor(now, Some(ago(60))), ago(15));
        assert_eq!(floor(now, Some(ago(-60))), ago(1));
        assert_eq!(floor(now, Some(DecisionId(Uuid::max()))), ago(1));
        let made = DecisionId(
            "01890a5d-ac96-774b-bcce-b302099a8057"
                .parse()
                .expect("an id"),
        );
        let at = Timestamp::from_millisecond(0x0189_0a5d_ac96).expect("a time");
        assert!(first_id_at(at) <= made);
    }
}
