//! From a policy to an answer: counted in one round, decided; only a denial goes further.
//!
//! A contact that is delivered more than once gets the same answer each time. What an earlier delivery put on record
//! stands. Where it left only its first word, this delivery may see fewer before it, never more (a place that has stopped
//! counting never counts again), so it may admit what the earlier one is denying: before it lets the contact go it settles
//! that on the record, and a denial gives way to what is settled. What cannot be counted in time is decided as the policy
//! says, and says so.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::future::join;

use ringfence_policy::wire::v1::{DecisionRecord, Outcome, Snapshot};
use ringfence_policy::{OnUnavailable, Plan, Verdict};

use crate::adapters::{Intent, Places, Standing};
use crate::answer::Answer;
use crate::case::{Case, Deadlines};
use crate::config::TestPanic;
use crate::counting::Counted;
use crate::denial::Denial;
use crate::event::Call;
use crate::guard::{Unavailable, guarded};
use crate::handler::Limiter;
use crate::metrics::Measures;
use crate::records::Unrecorded;
use crate::telemetry;

/// How long an exempt call waits until it is no longer counted.
const RELEASE_WAITS: Duration = Duration::from_millis(300);

impl Limiter {
    /// `read` is given the attempt as soon as it has been read.
    pub(crate) async fn decide(
        &self,
        call: Arc<Call>,
        snapshot: Arc<Snapshot>,
        deadlines: Deadlines,
        measures: &Arc<Measures>,
        read: &OnceLock<Arc<Case>>,
    ) -> Answer {
        let now = self.clock.now();
        let case = Case::new(call, snapshot, now, deadlines, measures.clone());
        let case = read.get_or_init(|| Arc::new(case));
        let plan = case.plan();
        let counting = async {
            TestPanic::Counting.strike(self.test_panic);
            self.counting.count(case, &plan).await
        };
        match guarded(deadlines.decision, counting).await {
            Err(unavailable) => self.uncounted(case, &plan, &unavailable).await,
            Ok(counted) => {
                TestPanic::Concluding.strike(self.test_panic);
                let answer = self.conclude(case, &plan, &counted).await;
                self.counting.compact_beside(case, &plan, &counted);
                answer
            }
        }
    }

    /// As when the store is down. What was read stays as it was, with its time, by which the store's late answers are told apart.
    /// Where the numbers were not read yet they stand as typed: reading them may be what failed.
    pub(crate) async fn after_a_panic(&self, case: &Case) -> Answer {
        self.uncounted(case, &case.plan(), &Unavailable::Panicked)
            .await
    }

    async fn conclude(&self, case: &Case, plan: &Plan<'_>, counted: &Counted) -> Answer {
        let decision = &counted.decision;
        match &counted.earlier {
            _ if decision.verdict == Verdict::Emergency => self.let_go(case, plan, counted).await,
            Some(earlier) if earlier.denied => {
                self.deny_again(case, plan, Some(counted), earlier.clone())
                    .await
            }
            Some(earlier) if earlier.settled => {
                self.let_go_as_settled(case, plan, Some(counted), earlier)
                    .await
            }
            _ if decision.denied_before => self.deny_as_marked(case, plan, counted).await,
            _ if decision.verdict == Verdict::Deny => {
                let record = case.counted_record(decision);
                self.deny(case, plan, Denial::counted(counted, record))
                    .await
            }
            _ => self.let_go(case, plan, counted).await,
        }
    }

    /// A first delivery that simply goes has its record already; every other one settles, before it answers, that it goes. So
    /// does the one that comes near to a limit, since what it counted is to be told.
    async fn let_go(&self, case: &Case, plan: &Plan<'_>, counted: &Counted) -> Answer {
        let verdict = counted.decision.verdict;
        let mut record = case.counted_record(&counted.decision);
        let may_be_denied_elsewhere = counted.earlier.is_some() || counted.repeated;
        let simply_goes = match verdict {
            Verdict::Emergency => true,
            Verdict::Allow => !may_be_denied_elsewhere && !counted.decision.is_near(),
            Verdict::WouldDeny | Verdict::Deny | Verdict::Exempt => false,
        };
        if simply_goes {
            if !counted.recorded {
                case.measures.record_undelivered();
                self.records.later(record.clone(), Intent::Provisional);
            }
            return self.answer(case, &record, true);
        }
        let first = counted.earlier.as_ref().and_then(|it| it.record.as_ref());
        record.at = first.map_or(record.at, |first| first.at);
        let settling = self.records.write(case, &record, Intent::LetGo);
        // An exempt contact is charged nowhere, and neither is one that turns out to be denied.
        let against = if verdict == Verdict::Exempt {
            join(settling, self.release_exempt(case, plan, Some(counted)))
                .await
                .0
        } else {
            settling.await
        };
        match against {
            Ok(Some(standing)) => self.deny_again(case, plan, Some(counted), standing).await,
            Ok(None) | Err(Unrecorded) => self.answer(case, &record, true),
        }
    }

    async fn release_exempt(&self, case: &Case, plan: &Plan<'_>, counted: Option<&Counted>) {
        let until = case.deadlines.within(RELEASE_WAITS);
        self.release(case, plan, counted, Places::All, until).await;
    }

    /// Another delivery has settled that the contact goes. One that was exempt is charged nowhere, so this delivery's places
    /// are released as well: the other one may not have seen them.
    pub(crate) async fn let_go_as_settled(
        &self,
        case: &Case,
        plan: &Plan<'_>,
        counted: Option<&Counted>,
        settled: &Standing,
    ) -> Answer {
        if settled.is_exempt() {
            self.release_exempt(case, plan, counted).await;
        }
        match &settled.record {
            Some(record) => self.answer(case, record, true),
            None => self.answer(case, &case.record(Outcome::Allowed), true),
        }
    }

    /// The lines show that an earlier delivery was denied, and its record was not found: it is lost, or was not read.
    async fn deny_as_marked(&self, case: &Case, plan: &Plan<'_>, counted: &Counted) -> Answer {
        let mut record = case.counted_record(&counted.decision);
        record.outcome = Outcome::Denied;
        match self.records.write(case, &record, Intent::Deny).await {
            Ok(Some(standing)) if standing.settled => {
                self.let_go_as_settled(case, plan, Some(counted), &standing)
                    .await
            }
            Ok(Some(standing)) => self.deny_again(case, plan, Some(counted), standing).await,
            Ok(None) => {
                let denial = Denial::on_record(Some(counted), record);
                self.deny(case, plan, denial).await
            }
            Err(Unrecorded) => {
                let denial = Denial::unrecorded(counted, record);
                self.deny(case, plan, denial).await
            }
        }
    }

    async fn uncounted(&self, case: &Case, plan: &Plan<'_>, unavailable: &Unavailable) -> Answer {
        let outcome = match case.snapshot.policy.on_unavailable() {
            _ if plan.is_emergency() => Outcome::Emergency,
            OnUnavailable::Deny if case.may_be_denied(plan) => Outcome::FailedClosed,
            OnUnavailable::Allow | OnUnavailable::Deny => Outcome::FailedOpen,
        };
        let mut record = case.record(outcome);
        record.unavailable = Some(unavailable.to_string());
        let reason = if plan.is_emergency() {
            "emergency"
        } else {
            "unavailable"
        };
        record.reason = Some(reason.to_owned());
        if outcome.is_denied() {
            return self.deny(case, plan, Denial::uncounted(record)).await;
        }
        if plan.is_emergency() {
            case.measures.record_undelivered();
            self.records.later(record.clone(), Intent::Provisional);
            return self.answer(case, &record, true);
        }
        match self.records.write(case, &record, Intent::LetGo).await {
            // An earlier delivery was denied, and its answer may be on its way.
            Ok(Some(standing)) => self.deny_again(case, plan, None, standing).await,
            Ok(None) | Err(Unrecorded) => self.answer(case, &record, true),
        }
    }

    pub(crate) fn answer(&self, case: &Case, record: &DecisionRecord, allowed: bool) -> Answer {
        case.measures.decided(record);
        telemetry::decided(record, case.deadlines.elapsed_ms());
        let mut answer = Answer::new(allowed)
            .with("PolicyVersion", record.policy_version.to_string())
            .with("Mode", record.mode.as_str());
        let tells_why = !allowed
            || matches!(
                record.outcome,
                Outcome::Emergency | Outcome::FailedOpen | Outcome::Exempt
            );
        if !tells_why {
            return answer;
        }
        if let Some(reason) = &record.reason {
            answer = answer.with("Reason", reason);
        }
        if let Some(rule_id) = &record.rule_id {
            answer = answer.with("RuleId", rule_id);
        }
        if let Some(retry_at) = record.retry_at {
            let wait_ms = retry_at.duration_since(case.now).as_millis().max(1);
            answer = answer.with(
                "RetryAfterSeconds",
                wait_ms.saturating_add(999).saturating_div(1000).to_string(),
            );
        }
        answer
    }
}
