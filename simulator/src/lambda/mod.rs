//! Lambda: real `bootstrap` processes behind the service's own protocols.
//!
//! [`front`] is the REST interface, [`function`] the pool of environments of one function, [`environment`] one
//! process. No special mode of the function is needed: it sees the Runtime API and the variables that it sees in AWS.
//!
//! Failure: what goes wrong in a function is told as Lambda tells it; what goes wrong in starting one, as an init error.

pub mod create_function;
pub mod environment;
mod front;
pub mod function;
mod function_name;
pub mod logs;
mod permissions;
pub mod python;
pub mod resource_policy;
pub(crate) mod runtime_api;
mod spawner;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use bytes::Bytes;

use crate::world::World;
pub use environment::Outcome;
pub use front::{handle, operation};
pub use function::Throttled;
use function::{Function, NewEvent};
use spawner::Spawner;

/// Account, Region and name.
type Key = (String, String, String);

/// Every function of every account.
#[derive(Debug, Default)]
pub struct State {
    functions: Mutex<BTreeMap<Key, Arc<Function>>>,
    spawner: OnceLock<Spawner>,
}

impl State {
    pub fn find(&self, account_id: &str, region: &str, name: &str) -> Option<Arc<Function>> {
        self.functions()
            .get(&(account_id.to_owned(), region.to_owned(), name.to_owned()))
            .cloned()
    }

    /// The function of a whole ARN and the qualifier that the ARN ends with, if both exist.
    pub fn find_by_arn(&self, arn: &str) -> Option<(Arc<Function>, Option<String>)> {
        let parts: Vec<&str> = arn.split(':').collect();
        let (region, account_id, name, qualifier) = match parts.as_slice() {
            ["arn", _, "lambda", region, account_id, "function", name] => {
                (region, account_id, name, None)
            }
            [
                "arn",
                _,
                "lambda",
                region,
                account_id,
                "function",
                name,
                qualifier,
            ] => (region, account_id, name, Some(*qualifier)),
            _ => return None,
        };
        let function = self.find(account_id, region, name)?;
        function.qualified_arn(qualifier)?;
        Some((function, qualifier.map(str::to_owned)))
    }

    pub fn all(&self) -> Vec<Arc<Function>> {
        self.functions().values().cloned().collect()
    }

    /// Adds a function; one of the same name is replaced: its processes end, its policies stay.
    pub fn insert(&self, function: Function) {
        let settings = &function.settings;
        let key = (
            settings.account_id.clone(),
            settings.region.clone(),
            settings.name.clone(),
        );
        let mut functions = self.functions();
        if let Some(replaced) = functions.get(&key) {
            function.inherit_policies(replaced);
            replaced.close();
        }
        functions.insert(key, Arc::new(function));
    }

    /// Takes a function away, if it is there; its processes end.
    pub fn remove(&self, account_id: &str, region: &str, name: &str) {
        let key = (account_id.to_owned(), region.to_owned(), name.to_owned());
        if let Some(removed) = self.functions().remove(&key) {
            removed.close();
        }
    }

    /// Ends every process.
    pub fn shutdown(&self) {
        for function in self.functions().values() {
            function.close();
        }
    }

    fn functions(&self) -> MutexGuard<'_, BTreeMap<Key, Arc<Function>>> {
        self.functions
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn spawner(&self) -> &Spawner {
        self.spawner.get_or_init(Spawner::start)
    }
}

/// Runs one event; an environment that has to be made for it gets fresh credentials of the function's role.
pub async fn invoke(
    world: &Arc<World>,
    function: &Arc<Function>,
    qualifier: Option<&str>,
    payload: Bytes,
) -> Result<Outcome, Throttled> {
    let settings = &function.settings;
    let event = NewEvent {
        request_id: world.ids.uuid().to_string(),
        function_arn: function
            .qualified_arn(qualifier)
            .unwrap_or_else(|| settings.arn.clone()),
        payload,
    };
    let (world_of_role, role_arn, session) = (
        Arc::clone(world),
        settings.role_arn.clone(),
        settings.name.clone(),
    );
    let credentials = move || {
        let world = world_of_role;
        let credentials =
            world
                .iam
                .role_credentials(&role_arn, &session, &world.ids, world.clock.now());
        let credentials = credentials.ok_or_else(|| format!("The role {role_arn} is gone"))?;
        Ok(BTreeMap::from([
            ("AWS_ACCESS_KEY_ID".to_owned(), credentials.access_key_id),
            (
                "AWS_SECRET_ACCESS_KEY".to_owned(),
                credentials.secret_access_key,
            ),
            ("AWS_SESSION_TOKEN".to_owned(), credentials.session_token),
        ]))
    };
    function
        .invoke(world.lambda.spawner(), event, credentials)
        .await
}
