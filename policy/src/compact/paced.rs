//! Folding a meter of `pace` limits: how far a rate has got depends on the order of what it saw, so only the beginning of
//! the line can be folded.

use super::first;
use super::places::Places;
use super::standing::{Seen, Standing};
use crate::count::pace::Bucket;
use crate::limit::Limit;
use crate::meter::Log;
use crate::past::{Paced, Past};

/// The places to remove, and the new past.
pub(super) fn fold(
    limits: &[&Limit],
    standing: &Standing,
    log: &Log,
    at_most: usize,
) -> (Vec<usize>, Option<Past>) {
    let none = Places::none_of(log);
    let removable = none.clone().with(standing.removable(&none));
    let admissions = || standing.seen.iter().filter(|seen| seen.counts.admitted);
    let beginning = admissions()
        .take_while(|seen| removable.contains(seen.place))
        .map(|seen| seen.place);
    let dead = standing
        .seen
        .iter()
        .filter(|seen| !seen.counts.admitted && removable.contains(seen.place));
    let going = none
        .clone()
        .with(beginning)
        .with(dead.map(|seen| seen.place));
    let mut removed = first(at_most, log, &going);
    let folded: Vec<&Seen> = admissions()
        .filter(|seen| removed.contains(seen.place))
        .collect();
    let remembered = none.with(folded.iter().map(|seen| seen.place));
    standing.spare_times(&mut removed, &remembered);
    let next_ms = admissions()
        .find(|seen| !removed.contains(seen.place))
        .map_or(u64::MAX, |seen| seen.at_ms)
        .min(standing.decided_from_ms);
    let past = folded.last().map(|last| Past {
        runs: Vec::new(),
        paced: rates(limits, log.past(), &folded, next_ms),
        paced_until_ms: last.at_ms,
    });
    (removed.ascending().collect(), past)
}

/// Where no rate is ahead of what is looked at next, none has to be remembered; where one is, so are all: a rate that is not
/// remembered would take over what another has got to.
fn rates(limits: &[&Limit], past: &Past, folded: &[&Seen], next_ms: u64) -> Vec<Paced> {
    let rates: Vec<Paced> = limits
        .iter()
        .filter_map(|limit| rate(limit, past, folded))
        .collect();
    let is_ahead = |rate: &Paced| rate.arrival_us > next_ms.saturating_mul(1000);
    if rates.iter().any(is_ahead) {
        rates
    } else {
        Vec::new()
    }
}

fn rate(limit: &Limit, past: &Past, folded: &[&Seen]) -> Option<Paced> {
    let Limit::Pace { burst, .. } = limit else {
        return None;
    };
    let mut bucket = Bucket::of(past, limit.emission_interval_us(), *burst);
    for seen in folded {
        bucket.take(seen.at_ms);
    }
    Some(bucket.paced())
}
