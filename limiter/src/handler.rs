//! From event to answer.
//!
//! The order: whose instance, under which policy, counted in one round, decided; only a denial goes further. What cannot
//! be counted in time is decided as the policy says, and says so.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures::FutureExt;
use ringfence_policy::wire::v1::{DecisionRecord, Outcome, Snapshot, Status};
use ringfence_policy::{OnUnavailable, Plan, Verdict};
use serde_json::Value;

use crate::adapters::{Aws, Contacts, DecisionTable, MeterTable, PolicyTable};
use crate::answer::Answer;
use crate::case::{Case, Deadlines};
use crate::clock::Clock;
use crate::config::Settings;
use crate::counting::{Counted, Counting};
use crate::event::{Call, EventError};
use crate::guard::{Unavailable, guarded};
use crate::metrics::Measures;
use crate::policies::{Found, Policies};
use crate::telemetry;

/// How long a record may hold up an answer that has been decided.
const RECORD_WAITS: Duration = Duration::from_millis(300);
/// A denial has no call waiting to go out.
const DENIAL_WAITS: Duration = Duration::from_millis(800);

/// Takes each invocation's line of metrics.
type MetricsSink = Box<dyn Fn(&str) + Send + Sync>;

pub struct Limiter {
    clock: Arc<dyn Clock>,
    policies: Policies,
    decision_deadline: Duration,
    metrics: Option<MetricsSink>,
    answered_before: AtomicBool,
    pub(crate) counting: Counting,
    pub(crate) contacts: Contacts,
}

impl std::fmt::Debug for Limiter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Limiter").finish_non_exhaustive()
    }
}

impl Limiter {
    pub fn new(settings: Settings, aws: Aws, clock: Arc<dyn Clock>) -> Self {
        let store = aws.dynamodb(settings.decision_deadline);
        Self {
            policies: Policies::new(
                PolicyTable::new(store.clone(), settings.policies_table),
                settings.policy_max_age,
            ),
            counting: Counting {
                meters: MeterTable::new(store.clone(), settings.meters_table),
                decisions: DecisionTable::new(store, settings.decisions_table),
            },
            contacts: Contacts::new(Arc::new(aws), clock.clone()),
            decision_deadline: settings.decision_deadline,
            metrics: None,
            answered_before: AtomicBool::new(false),
            clock,
        }
    }

    /// Each invocation hands over one line of metrics; without this, none are made.
    pub fn measured_by(mut self, sink: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.metrics = Some(Box::new(sink));
        self
    }

    /// Answers one invocation, which may last for `remaining`. Only a malformed event is an error.
    pub async fn handle(&self, event: Value, remaining: Duration) -> Result<Answer, EventError> {
        let deadlines = Deadlines::starting_now(self.decision_deadline, remaining);
        let measures = Arc::new(Measures::default());
        // Apart, or the compiler loses itself in the depth of futures within futures.
        let answer = Box::pin(self.answer_event(event, deadlines, &measures)).await;
        let cold_start = !self.answered_before.swap(true, Ordering::Relaxed);
        if let Some(metrics) = &self.metrics {
            metrics(&measures.line(self.clock.now(), deadlines.elapsed(), cold_start));
        }
        answer
    }

    async fn answer_event(
        &self,
        event: Value,
        deadlines: Deadlines,
        measures: &Arc<Measures>,
    ) -> Result<Answer, EventError> {
        let call = Call::read(event).inspect_err(|err| tracing::error!(%err, "event refused"))?;
        let arn = call.instance.arn.clone();
        let found = guarded(deadlines.decision, async {
            self.policies.find(&arn, self.clock.now(), measures).await
        })
        .await;
        let snapshot = match found {
            Ok(Found::Policy(snapshot)) => snapshot,
            Ok(Found::Unregistered) => {
                return Ok(pass(
                    measures,
                    &call,
                    Outcome::Unregistered,
                    "unregistered",
                    None,
                    deadlines,
                ));
            }
            Err(unavailable) => match self.policies.last_known(&arn) {
                Some(Found::Policy(snapshot)) => snapshot,
                Some(Found::Unregistered) | None => {
                    let why = unavailable.to_string();
                    return Ok(pass(
                        measures,
                        &call,
                        Outcome::FailedOpen,
                        "unavailable",
                        Some(&why),
                        deadlines,
                    ));
                }
            },
        };
        if snapshot.status == Status::Suspended {
            return Ok(pass(
                measures,
                &call,
                Outcome::Suspended,
                "suspended",
                None,
                deadlines,
            ));
        }
        let deciding = self.decide(call.clone(), snapshot.clone(), deadlines, measures);
        match AssertUnwindSafe(deciding).catch_unwind().await {
            Ok(answer) => Ok(answer),
            Err(_) => Ok(self
                .after_a_panic(call, snapshot, deadlines, measures)
                .await),
        }
    }

    /// As when the store is down. The numbers are not read again: reading them may be what failed.
    async fn after_a_panic(
        &self,
        call: Call,
        snapshot: Arc<Snapshot>,
        deadlines: Deadlines,
        measures: &Arc<Measures>,
    ) -> Answer {
        let case = Case::unread(
            call,
            snapshot.clone(),
            self.clock.now(),
            deadlines,
            measures.clone(),
        );
        let plan = Plan::new(&snapshot.policy, case.owner(), &case.attempt);
        if plan.is_emergency() {
            self.allow_emergency(&case, &Unavailable::Panicked)
        } else {
            self.uncounted(&case, &plan, &Unavailable::Panicked).await
        }
    }

    async fn decide(
        &self,
        call: Call,
        snapshot: Arc<Snapshot>,
        deadlines: Deadlines,
        measures: &Arc<Measures>,
    ) -> Answer {
        let now = self.clock.now();
        let case = Case::new(call, snapshot.clone(), now, deadlines, measures.clone());
        let plan = Plan::new(&snapshot.policy, case.owner(), &case.attempt);
        let counted = guarded(deadlines.decision, self.counting.count(&case, &plan)).await;
        match counted {
            Err(unavailable) if plan.is_emergency() => self.allow_emergency(&case, &unavailable),
            Err(unavailable) => self.uncounted(&case, &plan, &unavailable).await,
            Ok(counted) => self.conclude(&case, &plan, counted).await,
        }
    }

    async fn conclude(&self, case: &Case, plan: &Plan<'_>, mut counted: Counted) -> Answer {
        let earlier = counted.earlier.take();
        let answer = match (earlier, counted.decision.verdict) {
            (Some(earlier), _) if earlier.outcome.is_denied() => {
                self.deny_again(case, plan, Some(&counted), earlier).await
            }
            (_, Verdict::Deny) => {
                let record = case.counted_record(&counted.decision);
                self.deny(case, plan, &counted, record).await
            }
            (_, Verdict::WouldDeny) => {
                let record = case.counted_record(&counted.decision);
                match self.keep(case, &record).await {
                    Some(denial) => self.deny_again(case, plan, Some(&counted), denial).await,
                    None => self.answer(case, &record, true),
                }
            }
            (_, Verdict::Allow | Verdict::Emergency) => {
                let mut record = case.counted_record(&counted.decision);
                if counted.decision.verdict == Verdict::Emergency {
                    record.reason = Some("emergency".to_owned());
                }
                self.answer(case, &record, true)
            }
        };
        let _ = guarded(case.deadlines.within(RECORD_WAITS), async {
            self.counting.prune(case, plan, &counted.logs).await;
            Ok(())
        })
        .await;
        answer
    }

    async fn uncounted(&self, case: &Case, plan: &Plan<'_>, unavailable: &Unavailable) -> Answer {
        let (outcome, allowed) = match case.snapshot.policy.on_unavailable() {
            OnUnavailable::Allow => (Outcome::FailedOpen, true),
            OnUnavailable::Deny => (Outcome::FailedClosed, false),
        };
        let mut record = case.record(outcome);
        record.reason = Some("unavailable".to_owned());
        record.unavailable = Some(unavailable.to_string());
        if !allowed {
            return self.deny_uncounted(case, plan, record).await;
        }
        match self.keep(case, &record).await {
            // An earlier delivery was denied, and its answer may be on its way.
            Some(denial) => self.deny_again(case, plan, None, denial).await,
            None => self.answer(case, &record, true),
        }
    }

    fn allow_emergency(&self, case: &Case, unavailable: &Unavailable) -> Answer {
        let mut record = case.record(Outcome::Emergency);
        record.reason = Some("emergency".to_owned());
        record.unavailable = Some(unavailable.to_string());
        self.answer(case, &record, true)
    }

    /// Writes a final record; an answer that has been decided does not wait long for it, a denied one longer than others.
    /// Returns the denial of the same contact that stands against it, if there is one.
    pub(crate) async fn keep(
        &self,
        case: &Case,
        record: &DecisionRecord,
    ) -> Option<DecisionRecord> {
        let waits = if record.outcome.is_denied() {
            DENIAL_WAITS
        } else {
            RECORD_WAITS
        };
        case.measures.store_round();
        let keeping = guarded(
            case.deadlines.within(waits),
            self.counting.decisions.put_final(record),
        );
        keeping.await.unwrap_or_else(|failure| {
            tracing::error!(contact_id = case.call.contact_id, %failure, "decision not recorded");
            case.measures.record_undelivered();
            None
        })
    }

    pub(crate) fn answer(&self, case: &Case, record: &DecisionRecord, allowed: bool) -> Answer {
        case.measures.decided(record);
        telemetry::decided(record, case.deadlines.elapsed_ms());
        let mut answer = Answer::new(allowed)
            .with("PolicyVersion", record.policy_version.to_string())
            .with("Mode", record.mode.as_str());
        let tells_why =
            !allowed || matches!(record.outcome, Outcome::Emergency | Outcome::FailedOpen);
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

/// Lets a call out that Ringfence has no policy for.
fn pass(
    measures: &Measures,
    call: &Call,
    outcome: Outcome,
    reason: &str,
    unavailable: Option<&str>,
    deadlines: Deadlines,
) -> Answer {
    measures.passed(outcome);
    telemetry::passed(
        outcome.as_str(),
        &call.instance.arn,
        &call.contact_id,
        unavailable,
        deadlines.elapsed_ms(),
    );
    Answer::new(true).with("Reason", reason)
}
