//! What must hold, judged by what is in the instance alone. Pure.

mod content;
mod fate;

use std::collections::BTreeSet;

use super::script::Request;
use super::site::{Seen, SeenFlow, Site};
use content::differing;
use fate::{Fate, fate};

/// What does not hold.
#[derive(Debug, Default)]
pub struct Findings {
    /// Flows or permissions that are there twice, or still there.
    pub duplicates: Vec<String>,
    /// Queues that do not have what they should.
    pub lost: Vec<String>,
    /// Queues that point at nothing.
    pub dangling: Vec<String>,
    /// Flows whose calls no limiter function decides.
    pub unlimited: Vec<String>,
}

impl Findings {
    pub fn add(&mut self, more: Self) {
        self.duplicates.extend(more.duplicates);
        self.lost.extend(more.lost);
        self.dangling.extend(more.dangling);
        self.unlimited.extend(more.unlimited);
    }

    pub fn all(&self) -> impl Iterator<Item = &String> {
        self.duplicates
            .iter()
            .chain(&self.lost)
            .chain(&self.dangling)
            .chain(&self.unlimited)
    }
}

/// At every moment: a queue's whisper exists and is published, unless the customer deleted or archived it or had just pointed
/// the queue at it, and calls a limiter function that lets it in, unless somebody edited it or took the permission; and
/// everything of the customer's is untouched.
pub fn always(site: &Site, seen: &Seen) -> Findings {
    let mut findings = Findings::default();
    let published: BTreeSet<&str> = seen
        .flows
        .iter()
        .filter(|flow| flow.is_published)
        .map(|flow| flow.id.as_str())
        .collect();
    for (queue, outbound) in &seen.queues {
        if let Some(flow) = &outbound.flow_id
            && !published.contains(flow.as_str())
            && site.is_choosable(flow)
            && !site.deleted.contains(flow)
            && !site.archived.contains(flow)
            && !site.pointed.contains(&(queue.clone(), flow.clone()))
        {
            findings.dangling.push(format!(
                "queue {queue} points at {flow}, which is not there"
            ));
        }
    }
    let used = seen.queues.values().filter_map(|now| now.flow_id.as_ref());
    let used: BTreeSet<&String> = used.collect();
    for flow in &seen.flows {
        let is_meant = flow.ours.is_some() && !site.edited.contains(&flow.id);
        if is_meant && used.contains(&flow.id) && !site.unpermitted {
            findings.unlimited.extend(unlimited(seen, flow));
        }
    }
    for (_, queue, wanted) in site.open_queues() {
        let now = seen.queues.get(queue);
        if now.is_none_or(|now| now.name != wanted.name || now.number_id != wanted.number_id) {
            findings.lost.push(format!(
                "queue {queue} has the caller id {now:?}, not {wanted:?}"
            ));
        }
    }
    for flow in &site.theirs {
        let now = seen.flows.iter().find(|now| now.id == flow.id);
        let is_same = |now: &SeenFlow| {
            let then = (&flow.name, &flow.content, &flow.draft, &flow.tags);
            then == (&now.name, &now.content, &now.draft, &now.tags)
        };
        if !now.is_some_and(is_same) {
            findings
                .lost
                .push(format!("the customer's flow {} was changed", flow.name));
        }
    }
    findings
}

/// Why a flow's calls are not limited.
fn unlimited(seen: &Seen, flow: &SeenFlow) -> Option<String> {
    match flow.calls().as_slice() {
        [function] if seen.statements.get(function) == Some(&0) => Some(format!(
            "the flow {} calls {function}, which does not let it in",
            flow.name
        )),
        [_] => None,
        other => Some(format!("the flow {} calls {other:?}", flow.name)),
    }
}

/// Once the installation was reached.
pub fn installed(site: &Site, seen: &Seen, request: &Request) -> Findings {
    let mut findings = always(site, seen);
    let ours: Vec<&SeenFlow> = seen
        .flows
        .iter()
        .filter(|flow| flow.ours.is_some())
        .collect();
    let mut used: BTreeSet<&str> = BTreeSet::new();
    for (place, queue, wanted) in site.open_queues() {
        let wanted = wanted.flow_id.as_deref();
        let now = seen
            .queues
            .get(queue)
            .and_then(|now| now.flow_id.as_deref());
        let flow = ours.iter().find(|flow| Some(flow.id.as_str()) == now);
        used.extend(flow.map(|flow| flow.id.as_str()));
        let behind = flow.map(|flow| flow.original());
        let should = fate(site, request, place, wanted);
        let is_so = match (&should, behind) {
            (Fate::Limited(original), Some(behind)) => behind == *original,
            (Fate::LimitedSomehow, Some(_)) => true,
            (Fate::LimitedSomehow, None) => now == wanted,
            (Fate::AsItWas, None) => is_back(site, wanted, now),
            (Fate::Limited(_), None) | (Fate::AsItWas, Some(_)) => false,
        };
        if !is_so {
            findings.lost.push(format!(
                "queue {queue} runs {now:?} before {behind:?}; wanted {should:?}, the customer's {wanted:?}"
            ));
        }
    }
    let mut known = BTreeSet::new();
    for flow in &ours {
        let Some(key) = &flow.ours else { continue };
        if !known.insert(key) {
            findings
                .duplicates
                .push(format!("the flow {} is there twice", flow.name));
        }
        if key.0 == "whisper" && !used.contains(flow.id.as_str()) {
            findings
                .duplicates
                .push(format!("the flow {} is of no use", flow.name));
        }
    }
    if !known.iter().any(|key| key.0 == "notice") {
        findings.lost.push("there is no notice flow".to_owned());
    }
    for flow in &ours {
        findings.unlimited.extend(unlimited(seen, flow));
        findings.lost.extend(differing(site, seen, flow, request));
    }
    if seen.fallback != usize::from(request.denies()) {
        let times = seen.fallback;
        let told = format!("the fallback function admits the instance {times} times");
        findings.duplicates.push(told);
    }
    let admitted: usize = seen.statements.values().sum();
    // While it moves, both functions do.
    let is_more = if site.moved {
        admitted > 2
    } else {
        admitted != 1
    };
    if is_more || seen.statements.values().any(|count| *count > 1) {
        findings.duplicates.push(format!(
            "the functions admit the instance so often: {:?}",
            seen.statements
        ));
    }
    findings
}

/// Once everything was taken away.
pub fn removed(site: &Site, seen: &Seen) -> Findings {
    let mut findings = always(site, seen);
    for (_, queue, wanted) in site.open_queues() {
        let now = seen
            .queues
            .get(queue)
            .and_then(|now| now.flow_id.as_deref());
        if !is_back(site, wanted.flow_id.as_deref(), now) {
            findings.lost.push(format!(
                "queue {queue} was left with {now:?} instead of {:?}",
                wanted.flow_id
            ));
        }
    }
    for flow in seen.flows.iter().filter(|flow| flow.ours.is_some()) {
        findings
            .duplicates
            .push(format!("the flow {} was left", flow.name));
    }
    if seen.fallback > 0 || seen.statements.values().any(|count| *count > 0) {
        let (statements, fallback) = (&seen.statements, seen.fallback);
        findings.duplicates.push(format!(
            "a permission was left: {statements:?}, and {fallback} at the fallback function"
        ));
    }
    findings
}

/// A queue without a whisper of its own runs Connect's default, and may say so afterwards; so does one whose whisper cannot
/// be chosen any more.
fn is_back(site: &Site, wanted: Option<&str>, now: Option<&str>) -> bool {
    let has_whisper = wanted.is_some_and(|flow| site.is_choosable(flow));
    let is_default = now.is_none_or(|flow| flow == site.default_outbound());
    now == wanted || (!has_whisper && is_default)
}
