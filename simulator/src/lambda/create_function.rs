//! Makes a function as the control API asks for it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;

use super::environment::Launch;
use super::function::{Function, Settings};
use super::logs::Logs;
use crate::world::World;

/// A function to make.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewFunction {
    pub account_id: String,
    pub region: String,
    pub name: String,
    pub bootstrap: PathBuf,
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    #[serde(default = "default_timeout")]
    pub timeout_seconds: f64,
    #[serde(default = "default_concurrency")]
    pub concurrency: usize,
    /// Absent: a role with all rights in its own account, and to assume any role, is made.
    pub role_arn: Option<String>,
    #[serde(default)]
    pub aliases: Vec<String>,
    /// What the bootstrap is started with.
    #[serde(skip)]
    pub arguments: Vec<String>,
    #[serde(skip, default = "own_runtime")]
    pub handler: String,
    /// Whether the process is stopped between invocations, as in AWS.
    #[serde(default = "yes")]
    pub freeze: bool,
}

fn default_timeout() -> f64 {
    3.0
}
fn default_concurrency() -> usize {
    100
}
fn own_runtime() -> String {
    "bootstrap".to_owned()
}
fn yes() -> bool {
    true
}

/// Why a function cannot be made.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Refusal {
    pub field: &'static str,
    pub message: String,
}

fn refuse(field: &'static str, message: impl Into<String>) -> Refusal {
    Refusal {
        field,
        message: message.into(),
    }
}

/// Makes the function and returns its ARN.
pub fn create(world: &Arc<World>, new: NewFunction) -> Result<String, Refusal> {
    check(&new)?;
    let role_arn = match new.role_arn {
        Some(role_arn) if world.iam.role_exists(&role_arn) => role_arn,
        Some(_) => return Err(refuse("role_arn", "there is no such role")),
        None => {
            let name = format!("{}-execution", new.name);
            let made = world
                .iam
                .make_execution_role(&new.account_id, &name, &world.ids);
            made.map_err(|refusal| refuse("role_arn", refusal.to_string()))?
        }
    };
    let fixed = [
        ("AWS_REGION", new.region.as_str()),
        ("AWS_DEFAULT_REGION", &new.region),
        ("AWS_LAMBDA_FUNCTION_NAME", &new.name),
        ("AWS_LAMBDA_FUNCTION_VERSION", "$LATEST"),
        ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
        ("AWS_LAMBDA_INITIALIZATION_TYPE", "on-demand"),
        ("AWS_LAMBDA_LOG_GROUP_NAME", "simulated"),
        ("AWS_LAMBDA_LOG_STREAM_NAME", "simulated"),
        ("AWS_ENDPOINT_URL", &world.endpoint),
        (
            "LAMBDA_TASK_ROOT",
            new.bootstrap
                .parent()
                .and_then(|folder| folder.to_str())
                .unwrap_or("/"),
        ),
        ("_HANDLER", &new.handler),
        ("LANG", "en_US.UTF-8"),
        ("TZ", ":UTC"),
        ("PATH", "/usr/local/bin:/usr/bin:/bin"),
    ];
    let mut variables: BTreeMap<String, String> = fixed
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
        .collect();
    variables.extend(new.environment);
    let arn = format!(
        "arn:aws:lambda:{}:{}:function:{}",
        new.region, new.account_id, new.name
    );
    world.lambda.insert(Function::new(Settings {
        account_id: new.account_id,
        region: new.region,
        name: new.name,
        arn: arn.clone(),
        role_arn,
        aliases: new.aliases,
        timeout: Duration::from_secs_f64(new.timeout_seconds),
        concurrency: new.concurrency,
        launch: Launch {
            bootstrap: new.bootstrap,
            arguments: new.arguments,
            variables,
            freeze: new.freeze,
            logs: Arc::new(Logs::default()),
        },
    }));
    Ok(arn)
}

fn check(new: &NewFunction) -> Result<(), Refusal> {
    if new.account_id.len() != 12 || !new.account_id.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(refuse("account_id", "12 digits"));
    }
    let word = |text: &str| {
        (1..=64).contains(&text.len())
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
    };
    if !word(&new.region) {
        return Err(refuse("region", "the name of a Region"));
    }
    if !word(&new.name) {
        return Err(refuse(
            "name",
            "1 to 64 letters, digits, dashes or underscores",
        ));
    }
    if !new.bootstrap.is_file() {
        return Err(refuse("bootstrap", "there is no such file"));
    }
    if !(0.1..=900.0).contains(&new.timeout_seconds) {
        return Err(refuse("timeout_seconds", "0.1 to 900"));
    }
    if !(1..=1000).contains(&new.concurrency) {
        return Err(refuse("concurrency", "1 to 1000"));
    }
    Ok(())
}
