//! What an `until_quiet` limit needs of a series: its latest attempts, its first, and what holds them together.

use super::COUNTED_SINGLY;
use super::standing::{Seen, Standing};

/// Entries that may hold the older part of a series together; beyond it a log would outgrow what the store takes.
const LINKS_MAX: usize = 512;

/// The places of the settled entries of the running series that have to stay.
pub(super) fn series(standing: &Standing, quiet_ms: u64) -> Vec<usize> {
    let mut later = standing.decided_from_ms;
    let series: Vec<&Seen> = standing
        .latest_settled()
        .filter(|seen| seen.counts.tried)
        .take_while(|seen| {
            let belongs = later.saturating_sub(seen.at_ms) <= quiet_ms;
            later = seen.at_ms;
            belongs
        })
        .collect();
    let newest = series.iter().take(COUNTED_SINGLY).map(|seen| seen.place);
    newest.chain(links(&series, quiet_ms)).collect()
}

/// The places of the fewest entries without which a silence would seem to part a series (newest first), its first entry
/// among them: that one names the stretch of denials.
fn links(series: &[&Seen], quiet_ms: u64) -> Vec<usize> {
    let mut links: Vec<usize> = Vec::new();
    let mut held_ms: Option<u64> = None;
    let mut oldest_first = series.iter().rev().peekable();
    while let Some(seen) = oldest_first.next() {
        let reaches = |next: &&&Seen| {
            held_ms.is_some_and(|held_ms| next.at_ms.saturating_sub(held_ms) <= quiet_ms)
        };
        if !oldest_first.peek().is_some_and(reaches) {
            links.push(seen.place);
            held_ms = Some(seen.at_ms);
        }
    }
    let forgotten = links.len().saturating_sub(LINKS_MAX);
    links.split_off(forgotten)
}
