//! The whole of Ringfence on one machine: PostgreSQL, the AWS side, the limiter in every demo region, the control
//! plane with its workers and dashboard. No tenants yet.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

use super::aws::{Aws, Keys};
use super::places::Places;
use super::postgres::Postgres;
use super::process::{Recipe, Service, output};
use super::rest::{Rest, text};
use super::sim::Sim;
use super::{DevError, Result, tables};

pub const OPERATOR_ACCOUNT: &str = "999988887777";
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-2"];

const READY_WITHIN: Duration = Duration::from_secs(60);
/// The control plane takes up to 25 s to finish the steps it has in hand.
const STOP_WITHIN: Duration = Duration::from_secs(28);
/// Longer than in production: here fifty calls at once start fifty processes on one machine.
const DECISION_DEADLINE_MS: &str = "5000";
const OPERATOR_ROLES: &str = include_str!("../../../deploy/operator-roles.yaml");

#[derive(Debug, Clone)]
pub struct Settings {
    /// The dashboard's and API's port; a free one when none is given.
    pub port: Option<u16>,
    /// How long a limiter serves a policy before it reads it again.
    pub policy_max_age_seconds: u32,
    /// How often the control plane looks whether installations are still as they should be.
    pub reconcile_period_seconds: u32,
    /// Requests a second to Connect, per account and region; the control plane's own default when absent.
    pub connect_rps: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: None,
            policy_max_age_seconds: 1,
            reconcile_period_seconds: 600,
            connect_rps: None,
        }
    }
}

#[derive(Debug)]
pub struct Stack {
    // In the order in which they are dropped when the run fails half-way.
    api: Option<Service>,
    simulator: Service,
    postgres: Postgres,
    logs: TempDir,
    start: ApiStart,
    pub operator_key: String,
    pub limiter_functions: Vec<String>,
    pub operator: Aws,
}

/// All that is needed to start the control plane, and to start it again.
#[derive(Debug)]
struct ApiStart {
    recipe: Recipe,
    url: String,
}

impl Stack {
    pub async fn start(places: &Places, settings: &Settings) -> Result<Self> {
        let logs = places.run_folder()?;
        let (ringfence, bootstrap) = (places.binary("ringfence")?, places.binary("bootstrap")?);
        let (postgres, simulator) = tokio::join!(
            Postgres::start(places.work()),
            start_simulator(places, logs.path())
        );
        let (postgres, (simulator, sim)) = (postgres?, simulator?);

        let administrator = sim.account(OPERATOR_ACCOUNT).await?;
        let operator = Aws::new(sim.base(), administrator);
        let roles = operator_roles(&sim).await?;
        let mut limiter_functions = Vec::new();
        for region in REGIONS {
            tables::create(&operator, region).await?;
            limiter_functions
                .push(limiter(&sim, region, &roles.limiter, &bootstrap, settings).await?);
        }

        let control_plane = sim.role_credentials(&roles.control_plane).await?;
        let start = api_start(
            &ringfence,
            &postgres,
            &sim,
            &control_plane,
            &roles,
            &limiter_functions,
            settings,
        )?;
        output(
            &command(&start.recipe, "migrate", "ringfence-migrate"),
            logs.path(),
        )
        .await?;
        let operator_key = output(
            &command(&start.recipe, "token", "ringfence-token"),
            logs.path(),
        )
        .await?;
        let api = start_api(&start.recipe, logs.path()).await?;
        Ok(Self {
            api: Some(api),
            simulator,
            postgres,
            logs,
            start,
            operator_key: operator_key.trim().to_owned(),
            limiter_functions,
            operator,
        })
    }

    pub fn api_url(&self) -> &str {
        &self.start.url
    }

    pub fn rest(&self) -> Rest {
        Rest::new(&self.start.url, &self.operator_key)
    }

    pub fn sim(&self) -> Sim {
        Sim::new(self.simulator_url())
    }

    pub fn simulator_url(&self) -> &str {
        self.operator.endpoint()
    }

    pub fn database_url(&self) -> String {
        self.postgres.url()
    }

    pub fn logs(&self) -> &Path {
        self.logs.path()
    }

    /// What `make dev` prints for scripts.
    pub fn summary(&self) -> Value {
        json!({
            "api": self.start.url,
            "simulator": self.simulator_url(),
            "operator_key": self.operator_key,
            "database_url": self.database_url(),
            "limiter_functions": self.limiter_functions,
        })
    }

    /// Ends the control plane without a goodbye.
    pub async fn kill_api(&mut self) -> Result<()> {
        match self.api.take() {
            Some(api) => api.kill().await,
            None => Ok(()),
        }
    }

    pub async fn restart_api(&mut self) -> Result<()> {
        self.api = Some(start_api(&self.start.recipe, self.logs.path()).await?);
        Ok(())
    }

    /// Ends PostgreSQL under everybody's feet; what was committed stays.
    pub async fn halt_database(&mut self) {
        self.postgres.halt().await;
    }

    pub async fn resume_database(&mut self) -> Result<()> {
        self.postgres.resume().await
    }

    /// An error when one of the programs has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        for service in self.api.iter_mut().chain([&mut self.simulator]) {
            if service.ended().is_some() {
                return Err(service.failure("ended by itself"));
            }
        }
        Ok(())
    }

    /// Ends everything, the control plane first, as it talks to all the others.
    pub async fn stop(self) {
        if let Some(api) = self.api {
            api.stop(STOP_WITHIN).await;
        }
        self.simulator.stop(STOP_WITHIN).await;
        self.postgres.stop().await;
    }
}

async fn start_simulator(places: &Places, logs: &Path) -> Result<(Service, Sim)> {
    let recipe = Recipe::new("ringfence-sim", places.binary("ringfence-sim")?)
        .args(["serve", "--port", "0", "--log"])
        .args([logs.join("aws-requests.ndjson")]);
    let mut service = Service::spawn(&recipe, logs)?;
    let endpoint = text(&service.ready_line(READY_WITHIN).await?, "/endpoint")?;
    Ok((service, Sim::new(&endpoint)))
}

struct OperatorRoles {
    control_plane: String,
    limiter: String,
}

/// The operator's roles come from the template that is shipped, so that what it grants is what is tried.
async fn operator_roles(sim: &Sim) -> Result<OperatorRoles> {
    let [region, ..] = REGIONS;
    let outputs = sim
        .stack(OPERATOR_ACCOUNT, region, OPERATOR_ROLES, &json!({}))
        .await?;
    Ok(OperatorRoles {
        control_plane: text(&outputs, "/ControlPlaneRoleArn")?,
        limiter: text(&outputs, "/LimiterRoleArn")?,
    })
}

async fn limiter(
    sim: &Sim,
    region: &str,
    role: &str,
    bootstrap: &Path,
    settings: &Settings,
) -> Result<String> {
    let function = json!({
        "account_id": OPERATOR_ACCOUNT,
        "region": region,
        "name": "ringfence-limiter-1",
        "bootstrap": bootstrap,
        "role_arn": role,
        "timeout_seconds": 8,
        "concurrency": 100,
        "environment": {
            "RINGFENCE_POLICY_MAX_AGE_SECONDS": settings.policy_max_age_seconds.to_string(),
            "RINGFENCE_DECISION_DEADLINE_MS": DECISION_DEADLINE_MS,
        },
    });
    sim.function(&function).await
}

/// Seals nothing that outlives the stack: its database goes with it.
const SECRET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

fn api_start(
    program: &Path,
    postgres: &Postgres,
    sim: &Sim,
    keys: &Keys,
    roles: &OperatorRoles,
    functions: &[String],
    settings: &Settings,
) -> Result<ApiStart> {
    let port = match settings.port {
        Some(port) => port,
        None => free_port()?,
    };
    let url = format!("http://127.0.0.1:{port}");
    let [region, ..] = REGIONS;
    let mut recipe = Recipe::new("ringfence", program.to_owned())
        .args(["serve", "--with-workers"])
        .env("DATABASE_URL", postgres.url())
        .env("RINGFENCE_SECRET_KEYS", SECRET_KEY)
        .env("RINGFENCE_OUTBOUND_LOOPBACK", "allow")
        .env("RINGFENCE_LISTEN", format!("127.0.0.1:{port}"))
        .env("RINGFENCE_DRAIN_SECONDS", "0")
        .env("RINGFENCE_PUBLIC_URL", url.as_str())
        .env(
            "RINGFENCE_CONTROL_PLANE_PRINCIPAL",
            roles.control_plane.as_str(),
        )
        .env("RINGFENCE_LIMITER_PRINCIPAL", roles.limiter.as_str())
        .env("RINGFENCE_LIMITER_FUNCTIONS", functions.join(","))
        .env(
            "RINGFENCE_RECONCILE_PERIOD_SECONDS",
            settings.reconcile_period_seconds.to_string(),
        );
    if let Some(rps) = settings.connect_rps {
        recipe = recipe.env("RINGFENCE_CONNECT_RPS", rps.to_string());
    }
    recipe.env.extend(keys.environment(region, sim.base()));
    Ok(ApiStart { recipe, url })
}

fn command(serve: &Recipe, command: &str, name: &'static str) -> Recipe {
    let mut recipe = Recipe::new(name, serve.program.clone()).args([command]);
    recipe.env.clone_from(&serve.env);
    recipe
}

async fn start_api(recipe: &Recipe, logs: &Path) -> Result<Service> {
    let mut service = Service::spawn(recipe, logs)?;
    service.ready_line(READY_WITHIN).await?;
    Ok(service)
}

/// The port has to be known beforehand, as the public address is told to the control plane that will listen there.
fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind(("127.0.0.1", 0)).map_err(DevError::io("looking for a free port"))?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(DevError::io("looking for a free port"))
}
