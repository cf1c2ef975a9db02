//! What a call costs in the store, in the store's own count of units.

use std::time::Duration;

use super::super::Result;
use super::super::front::Seen;
use super::super::scene::{Scene, event};
use super::super::table::Table;

const CALLS: u64 = 100;

pub(in super::super) async fn write_units(scene: &Scene, table: &mut Table) -> Result<()> {
    eprintln!("Units of {CALLS} allowed calls under two rules");
    scene.front.latency(Duration::ZERO);
    let mut function = scene.function().await?;
    function.invoke(&event("plain", 1000, 1000, 1000)).await?;
    scene.front.count_from_now_on();
    for contact in 0..CALLS {
        function
            .invoke(&event(
                "plain",
                1001 + contact,
                1001 + contact,
                1001 + contact % 10,
            ))
            .await?;
    }
    function.ready().await?;
    let seen = scene.front.stop_counting();
    let per_call = |units: f64| units / CALLS as f64;
    let writes: f64 = seen
        .iter()
        .filter(|seen| seen.writes())
        .map(|seen| seen.units)
        .sum();
    // An empty sum is a negative zero.
    let reads = 0.0
        + seen
            .iter()
            .filter(|seen| seen.is_of_the_store() && !seen.writes())
            .map(|seen| seen.units)
            .sum::<f64>();
    let requests = seen
        .iter()
        .filter(|seen| Seen::is_of_the_store(seen))
        .count();
    table.judged(
        "write units, allowed call, 2 rules",
        format!("{:.2}", per_call(writes)),
        "3",
        per_call(writes) <= 3.0,
    );
    table.told(
        "read units, allowed call",
        format!("{:.2}", per_call(reads)),
    );
    table.told(
        "requests to the store, allowed call",
        format!("{:.2}", requests as f64 / CALLS as f64),
    );
    function.end().await
}
