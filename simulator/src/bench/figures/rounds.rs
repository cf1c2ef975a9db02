//! How often an answer waits for the store. Read from when requests began and ended: as many as follow each other.

use std::time::Duration;

use serde_json::{Value, json};
use tokio::time::Instant;

use super::super::front::Seen;
use super::super::function::Function;
use super::super::scene::{CUSTOMER_MAX, STORE_LATENCY, Scene, event};
use super::super::table::Table;
use super::super::{Result, failed};

/// The longest chain of requests each of which began after the one before had ended.
fn rounds(seen: &[Seen]) -> usize {
    let mut by_end: Vec<&Seen> = seen.iter().collect();
    by_end.sort_by_key(|request| request.ended);
    let mut last_end: Option<Instant> = None;
    let mut chain = 0;
    for request in by_end {
        if last_end.is_none_or(|end| request.begun >= end) {
            last_end = Some(request.ended);
            chain += 1;
        }
    }
    chain
}

fn of_the_store(seen: Vec<Seen>) -> Vec<Seen> {
    seen.into_iter().filter(Seen::is_of_the_store).collect()
}

struct Counted {
    answer: Value,
    seen: Vec<Seen>,
}

async fn counted(scene: &Scene, function: &mut Function, event: &Value) -> Result<Counted> {
    function.ready().await?;
    scene.front.count_from_now_on();
    let (answer, _) = function.invoke(event).await?;
    function.ready().await?;
    let seen = scene.front.stop_counting();
    Ok(Counted { answer, seen })
}

fn allowed(counted: &Counted, what: &str) -> Result<()> {
    match counted.answer["CallAllowed"] == json!("true") {
        true => Ok(()),
        false => Err(failed(format!(
            "{what} was not allowed: {}",
            counted.answer
        ))),
    }
}

pub(in super::super) async fn round_trips(scene: &Scene, table: &mut Table) -> Result<()> {
    eprintln!(
        "Round trips, with {} ms of latency added to the store",
        STORE_LATENCY.as_millis()
    );
    scene.front.latency(STORE_LATENCY);
    let mut function = scene.function().await?;
    // The first call reads the policy.
    function.invoke(&event("plain", 1, 1, 1)).await?;
    let new = counted(scene, &mut function, &event("plain", 2, 2, 2)).await?;
    let known = counted(scene, &mut function, &event("plain", 3, 2, 2)).await?;
    for contact in 100..200 {
        function
            .invoke(&event("plain", contact, contact, 3))
            .await?;
    }
    let hot = counted(scene, &mut function, &event("plain", 200, 200, 3)).await?;
    for (what, counted) in [("new", &new), ("known", &known), ("hot", &hot)] {
        allowed(counted, what)?;
        let store = of_the_store(counted.seen.clone());
        let told = format!("{} ({} requests)", rounds(&store), store.len());
        table.judged(
            &format!("store round trips, allowed call, {what} number"),
            told,
            "1",
            rounds(&store) == 1,
        );
    }
    denied(scene, &mut function, table).await?;
    scene.front.latency(Duration::ZERO);
    function.end().await
}

async fn denied(scene: &Scene, function: &mut Function, table: &mut Table) -> Result<()> {
    // The first denial assumes the runtime role; the figure is of those after it.
    for contact in 300..=300 + u64::from(CUSTOMER_MAX) {
        function.invoke(&event("plain", contact, 300, 300)).await?;
    }
    let denied = counted(scene, function, &event("plain", 400, 300, 300)).await?;
    if denied.answer["CallAllowed"] != json!("false") {
        return Err(failed(format!(
            "a call too many was allowed: {}",
            denied.answer
        )));
    }
    let store = of_the_store(denied.seen.clone());
    let stop = denied
        .seen
        .iter()
        .find(|seen| seen.operation == "StopContact");
    let first_round_ends = store.iter().map(|seen| seen.ended).min();
    let beside = match (stop, first_round_ends) {
        (Some(stop), Some(end)) => store
            .iter()
            .any(|seen| seen.begun >= end && seen.overlaps(stop)),
        _ => false,
    };
    let told = format!(
        "{} ({} requests), the stop {} the second",
        rounds(&store),
        store.len(),
        if beside { "beside" } else { "not beside" }
    );
    table.judged(
        "store round trips, denied call",
        told,
        "2, the stop beside the second",
        rounds(&store) <= 2 && beside,
    );
    let connect: Vec<&Seen> = denied
        .seen
        .iter()
        .filter(|seen| matches!(seen.operation.as_str(), "StopContact" | "StartTaskContact"))
        .collect();
    let waited: Vec<Seen> = store
        .into_iter()
        .filter(|request| !connect.iter().any(|other| request.overlaps(other)))
        .collect();
    table.told(
        "of them, with neither the stop nor the notice under way",
        rounds(&waited).to_string(),
    );
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_one_round_and_what_follows_is_another() {
        let start = Instant::now();
        let seen = |begun: u64, ended: u64| Seen {
            operation: "PutItem".to_owned(),
            begun: start + Duration::from_millis(begun),
            ended: start + Duration::from_millis(ended),
            units: 1.0,
        };
        assert_eq!(rounds(&[seen(0, 5), seen(1, 6), seen(2, 9)]), 1);
        assert_eq!(rounds(&[seen(0, 5), seen(0, 4), seen(6, 9), seen(6, 8)]), 2);
        assert_eq!(rounds(&[]), 0);
    }
}
