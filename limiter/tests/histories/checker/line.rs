//! One meter of a history: who may have stood in it, when, and before whom.

use crate::checker::Attempt;
use crate::checker::limits::{Span, possibly_denies, surely_denies};
use crate::history::{Delivery, History};
use crate::rules::{Dialled, Kind, Policy, Rule};

/// What is younger is kept whatever the policy; less what clocks may differ.
const ALWAYS_KEPT_MS: i64 = 16_000;

pub(super) struct Line<'a, 'h> {
    history: &'h History,
    attempts: &'a [Attempt<'h>],
    name: String,
    deliveries: Vec<&'h Delivery>,
}

/// An attempt that surely counts in the meter from `ended` on, and stood there no earlier than `began`.
struct Counted<'h> {
    began: u64,
    ended: u64,
    /// Whoever is decided after this event may not find it any more.
    until: Option<u64>,
    span: Span,
    /// The rule that admitted it, where one limits it.
    limited_by: Option<&'h Rule>,
}

impl<'a, 'h> Line<'a, 'h> {
    pub(super) fn new(
        history: &'h History,
        attempts: &'a [Attempt<'h>],
        name: String,
        deliveries: Vec<&'h Delivery>,
    ) -> Self {
        Self {
            history,
            attempts,
            name,
            deliveries,
        }
    }

    /// The latest clock of anybody who had begun: no time in the meter can be later.
    fn latest(&self, until: u64) -> i64 {
        let begun = self.deliveries.iter().filter(|other| other.began < until);
        begun.map(|other| other.clock_ms).max().unwrap_or(i64::MIN)
    }

    fn span(&self, attempt: &Attempt<'h>, until: u64) -> Span {
        Span {
            earliest: earliest(attempt, until),
            latest: self.latest(until),
        }
    }

    /// For each rule that reads the meter: of the attempts it admitted, one stood last. If each that may have been it
    /// would have to be denied by what stood before, too many were admitted.
    pub(super) fn admits_too_many(&self) -> Vec<String> {
        let mut ids: Vec<&str> = Vec::new();
        for rule in self
            .history
            .policies
            .iter()
            .flat_map(|policy| policy.counting())
        {
            if !ids.contains(&rule.id.as_str()) {
                ids.push(&rule.id);
            }
        }
        ids.into_iter()
            .filter_map(|id| self.too_many_for(id))
            .collect()
    }

    fn too_many_for(&self, id: &str) -> Option<String> {
        let counted: Vec<Counted<'h>> = self
            .attempts
            .iter()
            .filter_map(|attempt| self.counted(attempt, id))
            .collect();
        let limited = || counted.iter().filter(|one| one.limited_by.is_some());
        limited().find_map(|newest| {
            let answered: Vec<&Counted<'_>> =
                limited().filter(|one| one.ended <= newest.ended).collect();
            let may_be_last =
                |one: &&&Counted<'_>| !answered.iter().any(|other| one.ended < other.began);
            let all_would_be_denied = answered.iter().filter(may_be_last).all(|last| {
                let stands =
                    |other: &&Counted<'_>| other.until.is_none_or(|until| last.ended < until);
                let also_admitted = answered
                    .iter()
                    .copied()
                    .filter(|other| !std::ptr::eq(*other, *last))
                    .filter(stands);
                let otherwise_counted = counted
                    .iter()
                    .filter(|other| other.limited_by.is_none() && other.ended < last.began);
                let before: Vec<Span> = also_admitted
                    .chain(otherwise_counted)
                    .map(|other| other.span)
                    .filter(|span| self.remembers(*span, last.span))
                    .collect();
                let kind = last.limited_by.map(|rule| rule.kind);
                kind.is_some_and(|kind| surely_denies(kind, &before, last.span))
            });
            all_would_be_denied.then(|| {
                format!(
                    "{id} admitted too many in [{}]: {} by event {}",
                    self.name,
                    answered.len(),
                    newest.ended
                )
            })
        })
    }

    fn remembers(&self, before: Span, at: Span) -> bool {
        let one_policy = self.history.policies.len() == 1;
        let dialled = &self.deliveries[0].dialled;
        one_policy
            || at.latest - before.earliest
                < surely_kept_ms(self.history, &self.name, dialled).max(ALWAYS_KEPT_MS)
    }

    /// How an attempt surely counts for the rule with this id, if it does.
    fn counted(&self, attempt: &Attempt<'h>, id: &str) -> Option<Counted<'h>> {
        if let Some(admission) = attempt.admission() {
            let policy = self.counting_policy(admission)?;
            let limited_by = self.reading(policy, admission).find(|rule| rule.id == id);
            return Some(Counted {
                began: attempt.began(),
                ended: admission.ended,
                until: attempt.may_be_released_from(self.history),
                span: self.span(attempt, admission.ended),
                limited_by: limited_by.filter(|rule| policy.enforces(rule)),
            });
        }
        let denial = attempt.denial().filter(|_| attempt.is_settled())?;
        let policy = self.counting_policy(denial)?;
        // Of deliveries that look at different moments, one may be denied by this rule and another one no longer: then either
        // may be the one that marks the place.
        let told_by = |rule: &&Rule| attempt.is_denied_by(&rule.id);
        let in_the_series = self
            .reading(policy, denial)
            .filter(|rule| rule.id == id && matches!(rule.kind, Kind::UntilQuiet { .. }))
            .any(|rule| told_by(&rule));
        let ended = if in_the_series {
            denial.ended
        } else {
            attempt.ended()
        };
        (in_the_series || attempt.went_out_all_the_same()).then(|| Counted {
            began: attempt.began(),
            ended,
            until: None,
            span: self.span(attempt, ended),
            limited_by: None,
        })
    }

    fn counting_policy(&self, delivery: &Delivery) -> Option<&'h Policy> {
        let policy = self.history.policy(delivery.version?)?;
        self.reading(policy, delivery)
            .next()
            .is_some()
            .then_some(policy)
    }

    fn reading(&self, policy: &'h Policy, delivery: &Delivery) -> impl Iterator<Item = &'h Rule> {
        policy
            .counting()
            .filter(|rule| rule.meter(&delivery.dialled).as_ref() == Some(&self.name))
    }

    /// Whether enough others admitted, under way or left half done may have stood before the attempt.
    pub(super) fn may_have_denied(
        &self,
        rule: &Rule,
        denied: &Attempt<'h>,
        denial: &Delivery,
    ) -> bool {
        let touches = |other: &Attempt<'h>| {
            self.deliveries
                .iter()
                .any(|one| one.contact == other.contact)
        };
        let others = self.attempts.iter().filter(|other| {
            other.contact != denied.contact && other.began() < denial.ended && touches(other)
        });
        let before: Vec<Span> = others
            .filter(|other| self.may_have_counted(other, rule, denied, denial))
            .flat_map(|other| {
                let span = self.span(other, denial.ended.min(other.ended()));
                std::iter::repeat_n(span, other.places())
            })
            .collect();
        possibly_denies(rule.kind, &before, self.span(denied, denial.ended))
    }

    fn may_have_counted(
        &self,
        other: &Attempt<'h>,
        rule: &Rule,
        denied: &Attempt<'h>,
        denial: &Delivery,
    ) -> bool {
        let under_way = || {
            other
                .deliveries
                .iter()
                .any(|one| one.began < denial.ended && denied.began() < one.ended)
        };
        other.admission().is_some()
            || !other.is_settled()
            || other.went_out_all_the_same()
            || (matches!(rule.kind, Kind::UntilQuiet { .. }) && !other.is_decided_by_list())
            || under_way()
    }
}

pub(super) fn earliest(attempt: &Attempt<'_>, until: u64) -> i64 {
    let begun = attempt.deliveries.iter().filter(|one| one.began < until);
    begun.map(|one| one.clock_ms).min().unwrap()
}

/// For how long a meter remembers an admission under each of the history's policies: a change of policy can bring back
/// only what was not forgotten before.
pub(super) fn surely_kept_ms(history: &History, name: &str, dialled: &Dialled) -> i64 {
    let kept_by = |policy: &Policy| {
        let reading = policy
            .counting()
            .filter(|rule| rule.meter(dialled).as_deref() == Some(name));
        let kept = reading.map(|rule| match rule.kind {
            Kind::Sliding { .. } | Kind::UntilQuiet { .. } => rule.kind.span_ms(),
            Kind::ConsecutiveDays { .. } | Kind::Calendar { .. } | Kind::Pace { .. } => 0,
        });
        kept.max()
    };
    let least = history.policies.iter().filter_map(kept_by).min();
    least.unwrap_or(0)
}
