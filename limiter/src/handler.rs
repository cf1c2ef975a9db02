//! From event to answer: whose instance it is, and under which policy. What follows is [`crate::deciding`].
//!
//! Failure: a call that there is no policy for goes out, and says why.

use std::panic::AssertUnwindSafe;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use futures::FutureExt;
use futures::future::{join, join_all};
use ringfence_policy::OnUnavailable;
use ringfence_policy::wire::v1::{Outcome, Snapshot, Status};
use serde_json::Value;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout_at};

use crate::adapters::{
    Aws, Contacts, DecisionTable, Intent, ListingTable, MeterTable, PolicyTable, Stores,
};
use crate::answer::Answer;
use crate::case::{Case, Deadlines};
use crate::clock::Clock;
use crate::config::{Settings, TestPanic};
use crate::counting::Counting;
use crate::event::{Call, EventError};
use crate::guard::{Unavailable, guarded};
use crate::metrics::Measures;
use crate::notice::Report;
use crate::number;
use crate::policies::{Found, Policies};
use crate::record;
use crate::records::Records;
use crate::telemetry;

/// Requests of one round go side by side, each over a connection of its own.
const CONNECTIONS: usize = 3;
const CONNECTING_TAKES: Duration = Duration::from_secs(1);

/// Takes each invocation's line of metrics.
type MetricsSink = Box<dyn Fn(&str) + Send + Sync>;

pub struct Limiter {
    pub(crate) clock: Arc<dyn Clock>,
    policies: Arc<Policies>,
    decision_deadline: Duration,
    pub(crate) test_panic: Option<TestPanic>,
    metrics: Option<MetricsSink>,
    answered_before: AtomicBool,
    pub(crate) records: Arc<Records>,
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
        let listings = ListingTable::new(store.clone(), settings.policies_table.clone());
        let policies = PolicyTable::new(store.clone(), settings.policies_table);
        let meters = MeterTable::new(Stores::new(store.clone()), settings.meters_table);
        let records = Records::new(DecisionTable::new(store, settings.decisions_table));
        let records = Arc::new(records);
        Self {
            policies: Arc::new(Policies::new(policies.clone(), settings.policy_max_age)),
            counting: Counting::new(meters, listings, records.clone()),
            records,
            contacts: Contacts::new(Arc::new(aws), clock.clone(), policies),
            decision_deadline: settings.decision_deadline,
            test_panic: settings.test_panic,
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

    /// Does what the first call would have to wait for: opens connections, and beside that makes the tables of numbers.
    /// Lambda lets a process start with more than the function's share of a processor. What fails here is tried again by
    /// the calls themselves.
    pub async fn get_ready(&self) {
        let numbers = spawn_blocking(number::prepare);
        let until = Instant::now() + CONNECTING_TAKES;
        let connections = join_all((0..CONNECTIONS).map(|_| self.policies.reach_table()));
        let (connected, prepared) = join(timeout_at(until, connections), numbers).await;
        if connected.is_err() || prepared.is_err() {
            tracing::warn!("not ready before the first call");
        }
    }

    /// Answers one invocation, which may last for `remaining`. Only a malformed event is an error.
    pub async fn handle(&self, event: Value, remaining: Duration) -> Result<Answer, EventError> {
        let deadlines = Deadlines::starting_now(self.decision_deadline, remaining);
        if let Some(report) = Report::read(&event) {
            return Ok(self.note(report.as_ref(), deadlines).await);
        }
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
        let call = Arc::new(call);
        self.records.deliver_beside();
        let arn = &call.instance.arn;
        let found = guarded(deadlines.decision, async {
            self.policies.find(arn, self.clock.now(), measures).await
        })
        .await;
        let found = found.or_else(|unavailable| self.policies.last_known(arn).ok_or(unavailable));
        Ok(match found {
            Ok(Found::Unregistered) => {
                pass(&call, measures, Outcome::Unregistered, None, deadlines)
            }
            Ok(Found::Policy(snapshot)) if snapshot.status == Status::Suspended => {
                self.pass_suspended(call, snapshot, deadlines, measures)
                    .await
            }
            Ok(Found::Policy(snapshot)) => {
                self.decide_or_fail(call, snapshot, deadlines, measures)
                    .await
            }
            Err(unavailable) => self.pass_without_policy(&call, deadlines, measures, &unavailable),
        })
    }

    /// The history shows what went out while the tenant was not served; the answer waits for that, but not for long.
    async fn pass_suspended(
        &self,
        call: Arc<Call>,
        snapshot: Arc<Snapshot>,
        deadlines: Deadlines,
        measures: &Arc<Measures>,
    ) -> Answer {
        let (now, measures) = (self.clock.now(), measures.clone());
        let case = Case::unread(call, snapshot, now, deadlines, measures);
        let mut record = case.record(Outcome::Suspended);
        record.reason = Some("suspended".to_owned());
        // One that was not taken is kept for later.
        let _ = self.records.write(&case, &record, Intent::LetGo).await;
        pass(
            &case.call,
            &case.measures,
            Outcome::Suspended,
            None,
            deadlines,
        )
    }

    /// The store is not reached just now, so its record is left for later.
    fn pass_without_policy(
        &self,
        call: &Call,
        deadlines: Deadlines,
        measures: &Measures,
        unavailable: &Unavailable,
    ) -> Answer {
        let why = unavailable.to_string();
        let record = record::without_policy(call, self.clock.now(), &why, deadlines);
        measures.record_undelivered();
        self.records.later(record, Intent::LetGo);
        pass(call, measures, Outcome::FailedOpen, Some(&why), deadlines)
    }

    async fn decide_or_fail(
        &self,
        call: Arc<Call>,
        snapshot: Arc<Snapshot>,
        deadlines: Deadlines,
        measures: &Arc<Measures>,
    ) -> Answer {
        let read = OnceLock::new();
        let deciding = self.decide(call.clone(), snapshot.clone(), deadlines, measures, &read);
        if let Ok(answer) = AssertUnwindSafe(deciding).catch_unwind().await {
            return answer;
        }
        let case = read.get_or_init(|| {
            let (now, measures) = (self.clock.now(), measures.clone());
            Arc::new(Case::unread(call, snapshot, now, deadlines, measures))
        });
        let failing = self.after_a_panic(case);
        match AssertUnwindSafe(failing).catch_unwind().await {
            Ok(answer) => answer,
            Err(_) => self.fail(case),
        }
    }

    /// After a second panic: what can hardly fail again, the answer and a record left for later.
    fn fail(&self, case: &Case) -> Answer {
        let policy = &case.snapshot.policy;
        let allowed =
            policy.on_unavailable() == OnUnavailable::Allow || policy.is_emergency(&case.attempt);
        let mut record = case.record(if allowed {
            Outcome::FailedOpen
        } else {
            Outcome::FailedClosed
        });
        record.reason = Some("unavailable".to_owned());
        record.unavailable = Some(Unavailable::Panicked.to_string());
        case.measures.record_undelivered();
        let intent = if allowed { Intent::LetGo } else { Intent::Deny };
        self.records.later(record.clone(), intent);
        self.answer(case, &record, allowed)
    }
}

/// Lets a call out that no policy is applied to.
fn pass(
    call: &Call,
    measures: &Measures,
    outcome: Outcome,
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
    let reason = match outcome {
        Outcome::FailedOpen => "unavailable",
        other => other.as_str(),
    };
    Answer::new(true).with("Reason", reason)
}
