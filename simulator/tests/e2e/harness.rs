//! A stack of its own for each test, and tenants whose customers are quickly on board.

use std::future::Future;
use std::process::Stdio;
use std::time::Duration;

use ringfence_simulator::dev::customer::{ContactCentre, Customer};
use ringfence_simulator::dev::places::Places;
use ringfence_simulator::dev::rest::{Rest, text};
use ringfence_simulator::dev::sim::Sim;
use ringfence_simulator::dev::stack::{Settings, Stack};
use ringfence_simulator::dev::{DevError, Result};
use serde_json::{Value, json};

pub const NOBODY: &str = "+12065550142";

pub struct Town {
    pub stack: Stack,
    pub sim: Sim,
}

/// Runs a test against a stack and ends the stack whatever became of the test.
pub async fn in_town<F>(test: F)
where
    F: AsyncFnOnce(&mut Town) -> Result<()>,
{
    in_town_of(|_| (), test).await;
}

/// With more settings of the control plane.
pub async fn in_town_with<F>(control_plane: Vec<(&'static str, String)>, test: F)
where
    F: AsyncFnOnce(&mut Town) -> Result<()>,
{
    in_town_of(|settings| settings.control_plane = control_plane, test).await;
}

/// With the stack's own settings changed.
pub async fn in_town_of<F>(change: impl FnOnce(&mut Settings), test: F)
where
    F: AsyncFnOnce(&mut Town) -> Result<()>,
{
    let mut settings = Settings {
        // Connect's quotas are tried by the demo; here they would only make every test wait.
        connect_rps: Some(50),
        reconcile_period_seconds: 2,
        ..Settings::default()
    };
    change(&mut settings);
    let places = Places::find().expect("the binaries");
    let stack = Stack::start(&places, &settings)
        .await
        .unwrap_or_else(|err| panic!("{err}"));
    let sim = stack.sim();
    let mut town = Town { stack, sim };
    let done = match town.sim.post("quotas", &json!({ "enabled": false })).await {
        Ok(_) => test(&mut town).await,
        Err(err) => Err(err),
    };
    let healthy = town.stack.check();
    town.stack.stop().await;
    if let Err(err) = done.and(healthy) {
        panic!("{err}");
    }
}

impl Town {
    /// A tenant, seen with its owner's key, whose default policy denies the fifth call without a quiet hour.
    pub async fn tenant(&self, name: &str) -> Result<Rest> {
        tenant_of(&self.stack.rest(), name).await
    }

    /// A customer with two queues, not yet registered.
    pub async fn customer(&self, rest: &Rest, account: &str, region: &str) -> Result<Customer> {
        let centre = ContactCentre {
            account,
            region,
            alias: "centre",
            queues: &[("Sales", "+12065550100"), ("Support", "+12065550101")],
            agents: &["ada", "ben"],
            without_tasks: &[],
        };
        Customer::open(&self.sim, rest, &centre).await
    }

    /// A customer of a new tenant whose calls are limited.
    pub async fn limited(&self, name: &str, account: &str) -> Result<Customer> {
        let rest = self.tenant(name).await?;
        let mut customer = self.customer(&rest, account, "us-east-1").await?;
        customer.join(name).await?;
        customer.install("merge").await?;
        customer.installed().await?;
        customer.in_force("/v1/policies/default").await?;
        Ok(customer)
    }
}

/// As [`Town::tenant`], of any stack.
pub async fn tenant_of(operator: &Rest, name: &str) -> Result<Rest> {
    let made = operator
        .post("/v1/tenants", &json!({ "name": name }))
        .await?;
    let path = format!("/v1/tenants/{}/api-keys", text(&made, "/id")?);
    let key = operator
        .post(&path, &json!({ "name": "owner", "role": "owner" }))
        .await?;
    let rest = operator.with_token(&text(&key, "/key")?);
    rest.put("/v1/policies/default", &fifth_denied()).await?;
    Ok(rest)
}

pub fn fifth_denied() -> Value {
    json!({ "rules": [{
        "id": "repeat-calls",
        "name": "Repeat calls to one customer",
        "per": ["customer"],
        "limit": { "kind": "until_quiet", "block_at": 5, "quiet_seconds": 3600 },
    }] })
}

/// The problem document of a request that has to be refused with this status.
pub async fn refused(request: impl Future<Output = Result<Value>>, status: u16) -> Value {
    match request.await {
        Err(DevError::Refused {
            status: found,
            body,
            ..
        }) if found == status => {
            serde_json::from_str(&body).unwrap_or_else(|err| panic!("{body} is no JSON: {err}"))
        }
        other => panic!("expected a refusal with {status}, got {other:?}"),
    }
}

/// The codes of a problem's errors at this pointer, with their details.
pub fn faults_at(problem: &Value, pointer: &str) -> Vec<(String, String)> {
    let errors = problem["errors"].as_array().cloned().unwrap_or_default();
    let here = errors.iter().filter(|error| error["pointer"] == pointer);
    here.map(|error| {
        let part = |name: &str| error[name].as_str().unwrap_or_default().to_owned();
        (part("code"), part("detail"))
    })
    .collect()
}

/// Runs a program to its end and returns what it printed; its failure is the test's.
pub async fn run(program: &str, args: &[&str], env: &[(String, String)], folder: &str) -> String {
    let child = tokio::process::Command::new(program)
        .args(args)
        .current_dir(folder)
        .envs(env.iter().map(|(key, value)| (key, value)))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .unwrap_or_else(|err| panic!("starting {program}: {err}"));
    let done = tokio::time::timeout(Duration::from_secs(240), child.wait_with_output()).await;
    let done = done
        .unwrap_or_else(|_| panic!("{program} took too long"))
        .expect("output");
    let (stdout, stderr) = (
        String::from_utf8_lossy(&done.stdout),
        String::from_utf8_lossy(&done.stderr),
    );
    assert!(
        done.status.success(),
        "{program} {args:?} failed:\n{stdout}\n{stderr}"
    );
    stdout.into_owned()
}

/// With what the checks need, as `make setup-python` sets it up.
pub fn python() -> String {
    std::env::var("RINGFENCE_PYTHON").unwrap_or_else(|_| {
        concat!(env!("CARGO_MANIFEST_DIR"), "/../target/venv/bin/python").to_owned()
    })
}
