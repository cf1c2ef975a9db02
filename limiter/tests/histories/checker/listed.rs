//! What the lists promise: while its entry holds, a blocked number is never let go and an exempt one never denied; and
//! nobody is judged by an entry that does not hold.

use super::Attempt;
use crate::history::{Answered, Cause, Delivery, History};
use crate::lists::{Found, may_find};
use crate::rules::Policy;

/// For each delivery of an attempt, what it may have found on the lists.
pub(super) struct Listings<'a> {
    deliveries: Vec<(&'a Delivery, Vec<Found>)>,
}

impl<'a> Listings<'a> {
    pub(super) fn of(history: &History, attempt: &Attempt<'a>) -> Self {
        let once = attempt.deliveries.len() == 1;
        let found = |delivery: &&'a Delivery| {
            // A repeated delivery may name the policy of the first one.
            let applied =
                |policy: &&Policy| !once || delivery.version.is_none_or(|it| it == policy.version);
            let mut all: Vec<Found> = Vec::new();
            for policy in history.policies.iter().filter(applied) {
                let between = delivery.began..delivery.ended;
                let customer = delivery.dialled.customer;
                all.extend(may_find(
                    &history.listed,
                    customer,
                    policy,
                    between,
                    delivery.clock_ms,
                ));
            }
            (*delivery, all)
        };
        Self {
            deliveries: attempt.deliveries.iter().map(found).collect(),
        }
    }

    /// Every delivery surely found this.
    fn all_found(&self, wanted: Found) -> bool {
        self.deliveries
            .iter()
            .all(|(_, found)| found.iter().all(|one| *one == wanted))
    }

    /// No two deliveries can have found different things.
    pub(super) fn are_one(&self) -> bool {
        [Found::Nothing, Found::Exempt, Found::Blocked]
            .into_iter()
            .any(|found| self.all_found(found))
    }

    /// Whether a delivery that had begun by then may have found this.
    fn may_have_found(&self, wanted: Found, by: u64) -> bool {
        self.deliveries
            .iter()
            .any(|(delivery, found)| delivery.began < by && found.contains(&wanted))
    }

    pub(super) fn broken_promises(&self) -> Vec<String> {
        let broken = self.deliveries.iter().filter_map(|(delivery, _)| {
            let what = self.broken(delivery)?;
            Some(format!("contact {} {what}", delivery.contact))
        });
        broken.collect()
    }

    fn broken(&self, delivery: &Delivery) -> Option<&'static str> {
        let may_have_found = |wanted| self.may_have_found(wanted, delivery.ended);
        match &delivery.answered {
            Answered::Exempt if !may_have_found(Found::Exempt) => {
                Some("was exempt without an entry that holds")
            }
            Answered::Denied {
                by: Cause::Block, ..
            } if !may_have_found(Found::Blocked) => Some("was blocked without an entry that holds"),
            Answered::Allowed | Answered::Exempt if self.all_found(Found::Blocked) => {
                Some("was let go although blocked")
            }
            Answered::Denied { .. } if self.all_found(Found::Exempt) => {
                Some("was denied although exempt")
            }
            Answered::Allowed if self.all_found(Found::Exempt) => {
                Some("was counted although exempt")
            }
            _ => None,
        }
    }
}
