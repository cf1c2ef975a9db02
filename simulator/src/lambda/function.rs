//! A function: its settings, its resource policies, and the environments that run it.
//!
//! Invariants: never more environments than its concurrency allows; an idle environment is preferred to a new one.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;

use super::environment::{Environment, Failure, Job, Launch, Outcome};
use super::resource_policy::ResourcePolicy;
use super::spawner::Spawner;

/// An environment that nobody needed for this long is given up.
const MAX_IDLE: Duration = Duration::from_secs(300);

/// What a function is; changing it makes a new [`Function`].
#[derive(Debug, Clone)]
pub struct Settings {
    pub account_id: String,
    pub region: String,
    pub name: String,
    pub arn: String,
    pub role_arn: String,
    pub aliases: Vec<String>,
    pub timeout: Duration,
    pub concurrency: usize,
    pub launch: Launch,
}

/// A function that can be invoked.
#[derive(Debug)]
pub struct Function {
    pub settings: Settings,
    policies: Mutex<BTreeMap<Option<String>, ResourcePolicy>>,
    pool: Mutex<Pool>,
}

#[derive(Debug, Default)]
struct Pool {
    idle: Vec<Environment>,
    count: usize,
    cold_starts: u64,
    invocations: u64,
    throttles: u64,
    closed: bool,
}

/// What a function is invoked with.
#[derive(Debug)]
pub struct NewEvent {
    pub request_id: String,
    pub function_arn: String,
    pub payload: Bytes,
}

/// Numbers about a function for the display.
#[derive(Debug, Clone, Copy, serde::Serialize)]
pub struct Figures {
    pub environments: usize,
    pub cold_starts: u64,
    pub invocations: u64,
    pub throttles: u64,
}

/// More concurrent invocations than the function may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("Rate Exceeded.")]
pub struct Throttled;

impl Function {
    pub fn new(settings: Settings) -> Self {
        Self {
            settings,
            policies: Mutex::default(),
            pool: Mutex::default(),
        }
    }

    /// The ARN by which a caller that named this qualifier reaches the function; `None` when there is no such one.
    pub fn qualified_arn(&self, qualifier: Option<&str>) -> Option<String> {
        match qualifier {
            None => Some(self.settings.arn.clone()),
            Some("$LATEST") => Some(format!("{}:$LATEST", self.settings.arn)),
            Some(alias) => {
                let known = self.settings.aliases.iter().any(|known| known == alias);
                known.then(|| format!("{}:{alias}", self.settings.arn))
            }
        }
    }

    /// The policies by qualifier: a grant on one works only for callers that use that one.
    pub fn policies(&self) -> MutexGuard<'_, BTreeMap<Option<String>, ResourcePolicy>> {
        self.policies.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes over who may invoke the function that this one replaces.
    pub fn inherit_policies(&self, replaced: &Self) {
        self.policies().clone_from(&replaced.policies());
    }

    pub fn figures(&self) -> Figures {
        let pool = self.pool();
        Figures {
            environments: pool.count,
            cold_starts: pool.cold_starts,
            invocations: pool.invocations,
            throttles: pool.throttles,
        }
    }

    /// Runs one event to its end; a caller that gives up does not stop it, as with Lambda.
    pub async fn invoke(
        self: &Arc<Self>,
        spawner: &Spawner,
        event: NewEvent,
        credentials: impl FnOnce() -> Result<BTreeMap<String, String>, String> + Send + 'static,
    ) -> Result<Outcome, Throttled> {
        let place = self.take_place()?;
        let (function, spawner) = (Arc::clone(self), spawner.clone());
        let running =
            tokio::spawn(async move { function.run(place, &spawner, event, credentials).await });
        Ok(running.await.unwrap_or_else(|error| {
            Outcome::Failed(Failure::InitFailed(format!(
                "the simulator could not run the function: {error}"
            )))
        }))
    }

    /// Ends every process of the function; running invocations fail.
    pub fn close(&self) {
        let mut pool = self.pool();
        pool.closed = true;
        pool.idle.clear();
    }

    async fn run(
        self: &Arc<Self>,
        mut place: Place,
        spawner: &Spawner,
        event: NewEvent,
        credentials: impl FnOnce() -> Result<BTreeMap<String, String>, String> + Send,
    ) -> Outcome {
        let started = match place.environment.take() {
            Some(environment) => Ok(environment),
            None => self.start(spawner, credentials).await,
        };
        let mut environment = match started {
            Ok(environment) => environment,
            Err(failure) => return Outcome::Failed(failure),
        };
        let NewEvent {
            request_id,
            function_arn,
            payload,
        } = event;
        let job = Job {
            request_id,
            function_arn,
            payload,
            limit: self.settings.timeout,
        };
        let (outcome, reusable) = environment.run(job).await;
        if reusable {
            place.environment = Some(environment);
        }
        outcome
    }

    async fn start(
        &self,
        spawner: &Spawner,
        credentials: impl FnOnce() -> Result<BTreeMap<String, String>, String> + Send,
    ) -> Result<Environment, Failure> {
        let mut launch = self.settings.launch.clone();
        launch
            .variables
            .extend(credentials().map_err(Failure::InitFailed)?);
        Environment::start(&launch, spawner).await
    }

    fn take_place(self: &Arc<Self>) -> Result<Place, Throttled> {
        let mut pool = self.pool();
        if pool.closed {
            return Err(Throttled);
        }
        while let Some(mut environment) = pool.idle.pop() {
            if environment.is_fit() {
                pool.invocations += 1;
                return Ok(Place {
                    function: Arc::clone(self),
                    environment: Some(environment),
                });
            }
            pool.count -= 1;
        }
        if pool.count >= self.settings.concurrency {
            pool.throttles += 1;
            return Err(Throttled);
        }
        pool.count += 1;
        pool.cold_starts += 1;
        pool.invocations += 1;
        Ok(Place {
            function: Arc::clone(self),
            environment: None,
        })
    }

    fn pool(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A place among the function's concurrent environments; given back on drop, with its environment if that is fit.
struct Place {
    function: Arc<Function>,
    environment: Option<Environment>,
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut pool = self.function.pool();
        match self.environment.take().filter(|_| !pool.closed) {
            Some(environment) => pool.idle.push(environment),
            None => pool.count -= 1,
        }
        let before = pool.idle.len();
        pool.idle
            .retain(|environment| environment.idle_for() < MAX_IDLE);
        pool.count -= before - pool.idle.len();
    }
}
