//! `until_quiet`: attempts are numbered since the last silence that was longer than the limit's.

use super::{Count, Line};

pub(super) fn count(line: &Line<'_>, block_at: u32, quiet_ms: u64, own_counts: bool) -> Count {
    let mut count: u32 = 0;
    let mut first_ms = line.at_ms;
    for standing in line.tried().rev() {
        if first_ms.saturating_sub(standing.at_ms) > quiet_ms {
            break;
        }
        count = count.saturating_add(standing.attempts);
        first_ms = standing.at_ms;
    }
    let number = count.saturating_add(1);
    let blocks = number.saturating_add(u32::from(own_counts)) >= block_at;
    let latest_ms = match line.tried().next_back() {
        Some(standing) if !own_counts => standing.at_ms,
        _ => line.at_ms,
    };
    Count {
        count,
        denied: number >= block_at,
        blocks_until_ms: blocks.then(|| latest_ms.saturating_add(quiet_ms).saturating_add(1)),
        stretch_ms: first_ms,
    }
}
