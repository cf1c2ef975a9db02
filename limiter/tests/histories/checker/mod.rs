//! Judges a history without knowing how anything is counted: from answers, clocks and what overlapped, and from what
//! stands in the meters when all is over.
//!
//! Every finding is certain: where an order or a time is not known, whatever it may have been is given the benefit. What
//! is not held against the limiter: what it could not write and said so in its log, and what a killed process left.

mod limits;
mod line;
mod listed;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use crate::history::{Answered, Cause, Contact, Delivery, History, Standing};
use crate::rules::Rule;
use line::Line;
use listed::Listings;

/// Connect repeats an invocation within seconds. Whoever comes back later than this (less what clocks may differ) may
/// find that the place has been forgotten.
const REMEMBERED_MS: i64 = 18_000;

/// All deliveries of one contact, in the order in which they began.
pub(super) struct Attempt<'h> {
    contact: Contact,
    deliveries: Vec<&'h Delivery>,
}

impl<'h> Attempt<'h> {
    fn any(&self, holds: impl Fn(&Answered) -> bool) -> bool {
        self.deliveries
            .iter()
            .any(|delivery| holds(&delivery.answered))
    }

    /// The delivery whose answer first let the contact go and count.
    fn admission(&self) -> Option<&'h Delivery> {
        let allowed = self
            .deliveries
            .iter()
            .filter(|delivery| delivery.answered == Answered::Allowed);
        allowed.min_by_key(|delivery| delivery.ended).copied()
    }

    fn denial(&self) -> Option<&'h Delivery> {
        let denied = self
            .deliveries
            .iter()
            .filter(|delivery| matches!(delivery.answered, Answered::Denied { .. }));
        denied.min_by_key(|delivery| delivery.ended).copied()
    }

    /// Whichever delivery was denied was told so by this rule.
    fn is_denied_by(&self, rule: &str) -> bool {
        let mut denied = self
            .deliveries
            .iter()
            .filter(|delivery| matches!(delivery.answered, Answered::Denied { .. }));
        denied.all(|delivery| matches!(&delivery.answered, Answered::Denied { by: Cause::Rule(told), .. } if told == rule))
    }

    /// From here on the contact may have been judged anew, and released: where the policy or a list has changed, a later
    /// delivery may deny what an earlier one had let go, or find it exempt.
    fn may_be_released_from(&self, history: &History) -> Option<u64> {
        let judged_anew = |delivery: &&&Delivery| match delivery.answered {
            Answered::Exempt => true,
            Answered::Nothing => history.changes(),
            _ => delivery.is_denied(),
        };
        let judged_anew = self.deliveries.iter().filter(judged_anew);
        judged_anew.map(|delivery| delivery.began).min()
    }

    fn admits_failure(&self) -> bool {
        self.deliveries
            .iter()
            .any(|delivery| delivery.admits_failure)
    }

    /// Nothing of it can have been left half done.
    fn is_settled(&self) -> bool {
        !self.admits_failure()
            && !self.any(|answered| {
                matches!(
                    answered,
                    Answered::Nothing | Answered::Uncounted { .. } | Answered::Odd(_)
                )
            })
    }

    /// Denied, but the contact could not be stopped: it counts as if it had been let go.
    fn went_out_all_the_same(&self) -> bool {
        self.any(|answered| matches!(answered, Answered::Denied { stopped: false, .. }))
    }

    /// Delivered once, and no rule had a say.
    fn is_decided_by_list(&self) -> bool {
        self.deliveries.len() == 1
            && self.any(|answered| {
                matches!(
                    answered,
                    Answered::Exempt
                        | Answered::Denied {
                            by: Cause::Block,
                            stopped: true
                        }
                )
            })
    }

    fn began(&self) -> u64 {
        self.deliveries[0].began
    }

    fn ended(&self) -> u64 {
        self.deliveries
            .iter()
            .map(|delivery| delivery.ended)
            .max()
            .unwrap()
    }

    /// In how many places it may count: whoever comes back when its place is forgotten is a new attempt.
    fn places(&self) -> usize {
        if self.came_back_late() {
            self.deliveries.len()
        } else {
            1
        }
    }

    fn came_back_late(&self) -> bool {
        let clocks = || self.deliveries.iter().map(|delivery| delivery.clock_ms);
        clocks().max().unwrap() - clocks().min().unwrap() > REMEMBERED_MS
    }
}

/// What is wrong with this history; nothing if all is well.
pub fn check(history: &History) -> Vec<String> {
    let attempts = attempts(history);
    let mut findings = Vec::new();
    for attempt in &attempts {
        let listings = Listings::of(history, attempt);
        findings.extend(odd_answers(attempt));
        findings.extend(listings.broken_promises());
        findings.extend(different_answers(attempt, &listings));
        findings.extend(stopped_although_allowed(history, attempt));
        findings.extend(charged_without_need(history, attempt));
        findings.extend(lost_admission(history, attempt));
        findings.extend(other_on_record(history, attempt));
    }
    for (name, deliveries) in meters_touched(history) {
        let line = Line::new(history, &attempts, name, deliveries);
        findings.extend(line.admits_too_many());
    }
    findings.extend(denied_without_cause(history, &attempts));
    for meter in history.meters.iter().filter(|meter| meter.unreadable > 0) {
        findings.push(format!("unreadable entries in {}", meter.key));
    }
    findings
}

fn attempts(history: &History) -> Vec<Attempt<'_>> {
    let mut by_contact: BTreeMap<Contact, Vec<&Delivery>> = BTreeMap::new();
    for delivery in &history.deliveries {
        by_contact
            .entry(delivery.contact)
            .or_default()
            .push(delivery);
    }
    let attempts = by_contact.into_iter().map(|(contact, mut deliveries)| {
        deliveries.sort_by_key(|delivery| delivery.began);
        Attempt {
            contact,
            deliveries,
        }
    });
    attempts.collect()
}

/// Every meter of every policy of the history, with the deliveries that some policy counts in it.
fn meters_touched(history: &History) -> BTreeMap<String, Vec<&Delivery>> {
    let mut touched: BTreeMap<String, Vec<&Delivery>> = BTreeMap::new();
    for delivery in &history.deliveries {
        let rules = history.policies.iter().flat_map(|policy| policy.counting());
        let names: BTreeSet<String> = rules
            .filter_map(|rule| rule.meter(&delivery.dialled))
            .collect();
        for name in names {
            touched.entry(name).or_default().push(delivery);
        }
    }
    touched
}

fn odd_answers(attempt: &Attempt<'_>) -> Vec<String> {
    let mut findings = Vec::new();
    for delivery in &attempt.deliveries {
        match &delivery.answered {
            Answered::Odd(what) => {
                findings.push(format!("contact {}: {what}", attempt.contact));
            }
            Answered::Denied {
                by: Cause::Unknown, ..
            } if !attempt.admits_failure() => {
                findings.push(format!(
                    "contact {}: a denial without a reason",
                    attempt.contact
                ));
            }
            Answered::Allowed | Answered::Exempt | Answered::Denied { .. }
                if delivery.version.is_none() =>
            {
                findings.push(format!(
                    "contact {}: an answer names no policy",
                    attempt.contact
                ));
            }
            _ => {}
        }
    }
    findings
}

fn different_answers(attempt: &Attempt<'_>, listings: &Listings<'_>) -> Option<String> {
    if attempt.admits_failure() {
        return None;
    }
    let allowed = || attempt.deliveries.iter().filter(|delivery| delivery.goes());
    let denied = || {
        attempt
            .deliveries
            .iter()
            .filter(|delivery| delivery.is_denied())
    };
    let again = denied().any(|denial| allowed().any(|later| denial.ended < later.began));
    if again {
        return Some(format!(
            "contact {} was denied, and then allowed",
            attempt.contact
        ));
    }
    let counted: Vec<_> = attempt
        .deliveries
        .iter()
        .filter(|delivery| delivery.goes() || matches!(delivery.answered, Answered::Denied { .. }))
        .collect();
    let one_policy = counted
        .windows(2)
        .all(|pair| pair[0].version == pair[1].version);
    let differ = counted.iter().any(|delivery| delivery.goes())
        && counted.iter().any(|delivery| delivery.is_denied());
    (one_policy && listings.are_one() && differ && !attempt.came_back_late()).then(|| {
        format!(
            "contact {} got different answers under one policy",
            attempt.contact
        )
    })
}

/// Of two deliveries at once, one may have asked for the stop before it learnt that the other had settled that the
/// contact goes; where there was no other, an allowed contact is left alone.
fn stopped_although_allowed(history: &History, attempt: &Attempt<'_>) -> Option<String> {
    let always_allowed = attempt.deliveries.iter().all(|delivery| delivery.goes());
    let one_by_one = attempt
        .deliveries
        .windows(2)
        .all(|pair| pair[0].ended < pair[1].began);
    let stopped = history.stopped.contains(&attempt.contact);
    (stopped && always_allowed && one_by_one).then(|| {
        format!(
            "contact {} was allowed, and stopped all the same",
            attempt.contact
        )
    })
}

fn standings(history: &History, contact: Contact) -> impl Iterator<Item = (&str, Vec<Standing>)> {
    history.meters.iter().map(move |meter| {
        let own = meter
            .entries
            .iter()
            .filter(|(_, _, other)| *other == contact);
        (
            meter.key.as_str(),
            own.map(|(standing, _, _)| *standing).collect(),
        )
    })
}

/// Neither what was denied nor what was exempt counts as admitted; what a list alone decided does not count as denied.
fn charged_without_need(history: &History, attempt: &Attempt<'_>) -> Option<String> {
    let every = |holds: fn(&Answered) -> bool| {
        let mut deliveries = attempt.deliveries.iter();
        deliveries.all(|delivery| holds(&delivery.answered))
    };
    let denied = every(|answered| matches!(answered, Answered::Denied { stopped: true, .. }));
    let exempt = every(|answered| *answered == Answered::Exempt);
    if !(denied || exempt) || attempt.admits_failure() {
        return None;
    }
    let decided_by_list = attempt.is_decided_by_list();
    let (key, _) = standings(history, attempt.contact).find(|(_, standings)| {
        standings.contains(&Standing::Admitted)
            || (decided_by_list && standings.contains(&Standing::Denied))
    })?;
    let what = if denied { "denied" } else { "exempt" };
    Some(format!(
        "contact {} was {what}, and is charged in {key}",
        attempt.contact
    ))
}

/// An admission that every policy of the history still needs must stand in each of its meters.
fn lost_admission(history: &History, attempt: &Attempt<'_>) -> Option<String> {
    let admission = attempt.admission()?;
    let policy = history.policy(admission.version?)?;
    if attempt.may_be_released_from(history).is_some() || attempt.came_back_late() {
        return None;
    }
    let latest_clock = history
        .deliveries
        .iter()
        .map(|delivery| delivery.clock_ms)
        .max()?;
    let age_ms = latest_clock - line::earliest(attempt, admission.ended);
    let expected: BTreeSet<String> = policy
        .counting()
        .filter_map(|rule| rule.meter(&admission.dialled))
        .filter(|name| age_ms < line::surely_kept_ms(history, name, &admission.dialled))
        .collect();
    let summarised = history.meters.iter().any(|meter| meter.summarised);
    let standing = standings(history, attempt.contact)
        .filter(|(_, standings)| standings.contains(&Standing::Admitted))
        .count();
    (!summarised && standing < expected.len()).then(|| {
        format!(
            "contact {} was allowed, and stands in {standing} of {} meters: {expected:?}",
            attempt.contact,
            expected.len()
        )
    })
}

/// Where every delivery got the same answer, that is what the record says.
fn other_on_record(history: &History, attempt: &Attempt<'_>) -> Option<String> {
    let outcome = history.records.get(&attempt.contact);
    let all = |holds: fn(&Delivery) -> bool| attempt.deliveries.iter().all(|one| holds(one));
    let all_denied = all(|one| matches!(one.answered, Answered::Denied { .. }));
    let all_exempt = all(|one| one.answered == Answered::Exempt);
    let contradicts = match outcome.map(String::as_str) {
        Some("denied") => all(Delivery::goes),
        Some("exempt") => all_denied,
        Some(_) | None => all_denied || all_exempt,
    };
    (contradicts && !attempt.admits_failure())
        .then(|| format!("contact {}: the record says {outcome:?}", attempt.contact))
}

fn denied_without_cause(history: &History, attempts: &[Attempt<'_>]) -> Vec<String> {
    let mut findings = Vec::new();
    for attempt in attempts {
        for denial in &attempt.deliveries {
            let Answered::Denied {
                by: Cause::Rule(rule),
                ..
            } = &denial.answered
            else {
                continue;
            };
            let Some(policy) = denial.version.and_then(|version| history.policy(version)) else {
                continue;
            };
            let named = policy
                .counting()
                .find(|one| one.id == *rule && policy.enforces(one));
            let causes = named.and_then(|named: &Rule| {
                let name = named.meter(&denial.dialled)?;
                let line = Line::new(history, attempts, name.clone(), touching(history, &name));
                Some(line.may_have_denied(named, attempt, denial))
            });
            match causes {
                None => findings.push(format!(
                    "contact {} was denied by {rule:?}, which does not apply",
                    attempt.contact
                )),
                Some(false) => findings.push(format!(
                    "contact {} was denied by {rule:?} without a cause",
                    attempt.contact
                )),
                Some(true) => {}
            }
        }
    }
    findings
}

fn touching<'h>(history: &'h History, name: &str) -> Vec<&'h Delivery> {
    let touches = |delivery: &&Delivery| {
        let mut rules = history.policies.iter().flat_map(|policy| policy.counting());
        rules.any(|rule| rule.meter(&delivery.dialled).as_deref() == Some(name))
    };
    history.deliveries.iter().filter(touches).collect()
}
