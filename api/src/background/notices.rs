//! Sends the notices that limiters could not send at once.
//!
//! Invariants: one task per notice, whatever is repeated, because each attempt carries the token that the limiter chose;
//! an account and region sees at most one attempt a second from all processes together, half of what Connect grants; a
//! notice is never sent after its time, when it would tell of a wait that is long over. Failure: what may pass is tried
//! again after a growing pause, until the notice expires; what is refused for good ends as failed.

use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

use crate::aws::{Aws, AwsError, AwsErrorKind, InstanceAccess, NewTask};
use crate::clock::{Clock, IdSource};
use crate::store::{LeasedNotice, NoticeEnd, Store, StoreError};

use super::backoff::backoff;
use super::driver::Found;

/// Connect starts two tasks a second for an account; the other half is the customer's own.
const BETWEEN_TASKS: SignedDuration = SignedDuration::from_secs(1);
/// A throttled account is left alone for no longer: others of its notices may be the next to be good for something.
const THROTTLED_MAX: Duration = Duration::from_secs(30);
/// Longer than assuming the role and starting the task can take together.
const LEASE: SignedDuration = SignedDuration::from_secs(120);

/// What an attempt came to.
#[derive(Debug, PartialEq, Eq)]
pub enum Attempt {
    Ended(NoticeEnd),
    /// Worth another try.
    Again {
        error: String,
        throttled: bool,
    },
}

/// Works on notices, one at a time.
#[derive(Debug, Clone)]
pub struct NoticeWorker {
    pub store: Store,
    pub aws: Arc<Aws>,
    pub clock: Clock,
    pub ids: IdSource,
}

impl NoticeWorker {
    pub async fn look(&self) -> Result<Found, StoreError> {
        let expired = self.store.notice_expire(self.clock.now()).await?;
        if expired > 0 {
            tracing::warn!(expired, "notices could not be sent in time");
        }
        let Some(notice) = self.lease().await? else {
            return Ok(Found::Nothing);
        };
        let attempt = self.send(&notice).await;
        self.record(&notice, attempt).await?;
        Ok(Found::Work)
    }

    pub async fn lease(&self) -> Result<Option<LeasedNotice>, StoreError> {
        let now = self.clock.now();
        self.store
            .notice_lease(
                self.ids.uuid(),
                now,
                after(now, LEASE),
                after(now, BETWEEN_TASKS),
            )
            .await
    }

    pub async fn send(&self, notice: &LeasedNotice) -> Attempt {
        let Some(flow_id) = &notice.flow_id else {
            let error = "no notice flow is installed".to_owned();
            return Attempt::Ended(NoticeEnd::Failed { error });
        };
        let access = InstanceAccess::ways(
            &notice.instance_arn,
            &notice.runtime_role_arns,
            &notice.external_ids,
        );
        let starter = match self.aws.task_starter(&access).await {
            Ok(starter) => starter,
            // A role can be put right while the notice still waits.
            Err(err) => return again(&err),
        };
        let task = NewTask {
            flow_id,
            name: &notice.task.name,
            description: &notice.task.description,
            attributes: &notice.task.attributes,
            related_contact_id: &notice.contact_id,
            client_token: &notice.client_token,
        };
        match starter.start(&task).await {
            Ok(task_contact_id) => Attempt::Ended(NoticeEnd::Sent { task_contact_id }),
            // Tasks that are open now can be done while the notice still waits.
            Err(err) if err.is_retryable() || err.is(&AwsErrorKind::LimitExceeded) => again(&err),
            Err(err) => {
                if err.is(&AwsErrorKind::AccessDenied) {
                    self.aws.forget_sessions(&access);
                }
                Attempt::Ended(NoticeEnd::Failed { error: told(&err) })
            }
        }
    }

    pub async fn record(&self, notice: &LeasedNotice, attempt: Attempt) -> Result<(), StoreError> {
        let now = self.clock.now();
        match attempt {
            Attempt::Ended(end) => {
                if let NoticeEnd::Failed { error } = &end {
                    tracing::warn!(instance.id = %notice.instance, contact_id = notice.contact_id, error, "notice refused");
                }
                self.store.notice_settle(notice, &end, now).await?;
            }
            Attempt::Again { error, throttled } => {
                let pause = backoff(notice.attempts, self.aws.jitter());
                let due_at = later(now, pause);
                self.store.notice_put_off(notice, &error, due_at).await?;
                if throttled {
                    let arn = &notice.instance_arn;
                    let until = later(now, pause.min(THROTTLED_MAX));
                    self.store
                        .task_starts_pause(arn.account_id(), arn.region(), until)
                        .await?;
                }
            }
        }
        Ok(())
    }
}

fn again(err: &AwsError) -> Attempt {
    Attempt::Again {
        error: told(err),
        throttled: err.is(&AwsErrorKind::Throttled),
    }
}

/// Without the service's own words, which may quote what the task says.
fn told(err: &AwsError) -> String {
    format!("{}: {}", err.action, err.kind)
}

fn after(at: Timestamp, span: SignedDuration) -> Timestamp {
    at.checked_add(span).unwrap_or(Timestamp::MAX)
}

fn later(now: Timestamp, pause: Duration) -> Timestamp {
    after(
        now,
        SignedDuration::try_from(pause).unwrap_or(BETWEEN_TASKS),
    )
}
