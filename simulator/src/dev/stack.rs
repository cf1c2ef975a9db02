//! The whole of Ringfence on one machine: PostgreSQL, the AWS side, the limiter in every demo region, the control
//! plane with its workers and dashboard. No tenants yet.

use std::net::TcpListener;
use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::aws::Aws;
use super::ground::Ground;
use super::places::Places;
use super::postgres::{APP_LOGIN, Database};
use super::process::{Recipe, Service, output};
use super::rest::Rest;
use super::sim::Sim;
use super::{DevError, Result};

pub const OPERATOR_ACCOUNT: &str = "999988887777";
pub const REGIONS: [&str; 2] = ["us-east-1", "eu-west-2"];

pub(super) const READY_WITHIN: Duration = Duration::from_secs(60);
/// The control plane takes up to 25 s to finish the steps it has in hand.
pub(crate) const STOP_WITHIN: Duration = Duration::from_secs(28);
pub(crate) const REQUESTS_PER_MINUTE: &str = "1000000";

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
    /// How long a worker that died keeps others waiting; the control plane's own default when absent.
    pub lease_seconds: Option<u32>,
    /// Limiter functions in each region.
    pub limiters_per_region: u32,
    /// More settings of the control plane, by the names of its variables.
    pub control_plane: Vec<(&'static str, String)>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            port: None,
            policy_max_age_seconds: 1,
            reconcile_period_seconds: 600,
            connect_rps: None,
            lease_seconds: None,
            limiters_per_region: 1,
            control_plane: Vec::new(),
        }
    }
}

#[derive(Debug)]
pub struct Stack {
    // In the order in which they are dropped when the run fails half-way.
    api: Option<Service>,
    ground: Ground,
    start: ApiStart,
    pub operator_key: String,
}

/// All that is needed to start the control plane, and to start it again.
#[derive(Debug)]
pub(super) struct ApiStart {
    pub(super) recipe: Recipe,
    pub(super) url: String,
}

impl Stack {
    pub async fn start(places: &Places, settings: &Settings) -> Result<Self> {
        let ground = Ground::start(places, settings).await?;
        let database = ground.postgres.first();
        let start = api_start(&ground, &database, settings)?;
        let logs = ground.logs();
        let operator_key = prepare(&start.recipe, &database, logs).await?;
        let api = start_api(&start.recipe, logs).await?;
        Ok(Self {
            api: Some(api),
            start,
            operator_key,
            ground,
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
        self.ground.operator.endpoint()
    }

    /// The operator's own account.
    pub fn operator(&self) -> &Aws {
        &self.ground.operator
    }

    pub fn limiter_functions(&self) -> &[String] {
        &self.ground.limiter_functions
    }

    pub fn database_url(&self) -> String {
        self.ground.postgres.url()
    }

    pub fn logs(&self) -> &Path {
        self.ground.logs()
    }

    /// What `make dev` prints for scripts.
    pub fn summary(&self) -> Value {
        json!({
            "api": self.start.url,
            "simulator": self.simulator_url(),
            "operator_key": self.operator_key,
            "database_url": self.database_url(),
            "limiter_functions": self.limiter_functions(),
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
        self.api = Some(start_api(&self.start.recipe, self.ground.logs()).await?);
        Ok(())
    }

    /// As the database's owner, for what only time could bring about.
    pub async fn ask_database(&self, statement: &str) -> Result<()> {
        self.ground.postgres.ask(statement).await
    }

    /// Ends PostgreSQL under everybody's feet; what was committed stays.
    pub async fn halt_database(&mut self) {
        self.ground.postgres.halt().await;
    }

    pub async fn resume_database(&mut self) -> Result<()> {
        self.ground.postgres.resume().await
    }

    /// An error when one of the programs has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        if let Some(api) = &mut self.api
            && api.ended().is_some()
        {
            return Err(api.failure("ended by itself"));
        }
        self.ground.check()
    }

    /// Ends everything, the control plane first, as it talks to all the others.
    pub async fn stop(self) {
        if let Some(api) = self.api {
            api.stop(STOP_WITHIN).await;
        }
        self.ground.stop().await;
    }
}

/// Seals nothing that outlives the stack: its database goes with it.
pub(crate) const SECRET_KEY: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

/// How the control plane is started with this database.
pub(super) fn api_start(
    ground: &Ground,
    database: &Database,
    settings: &Settings,
) -> Result<ApiStart> {
    let port = match settings.port {
        Some(port) => port,
        None => free_port()?,
    };
    let url = format!("http://127.0.0.1:{port}");
    let [region, ..] = REGIONS;
    let mut recipe = Recipe::new("ringfence", ground.ringfence.clone())
        .args(["serve", "--with-workers"])
        .env("DATABASE_URL", database.app_url.as_str())
        .env("RINGFENCE_SECRET_KEYS", SECRET_KEY)
        .env("RINGFENCE_OUTBOUND_LOOPBACK", "allow")
        .env("RINGFENCE_LISTEN", format!("127.0.0.1:{port}"))
        .env("RINGFENCE_DRAIN_SECONDS", "0")
        // One operator key does the work of fifty tenants here.
        .env("RINGFENCE_REQUESTS_PER_MINUTE_PER_KEY", REQUESTS_PER_MINUTE)
        .env(
            "RINGFENCE_REQUESTS_PER_MINUTE_PER_TENANT",
            REQUESTS_PER_MINUTE,
        )
        .env("RINGFENCE_PUBLIC_URL", url.as_str())
        .env(
            "RINGFENCE_CONTROL_PLANE_PRINCIPAL",
            ground.roles.control_plane.as_str(),
        )
        .env("RINGFENCE_LIMITER_PRINCIPAL", ground.roles.limiter.as_str())
        .env(
            "RINGFENCE_LIMITER_FUNCTIONS",
            ground.limiter_functions.join(","),
        )
        .env(
            "RINGFENCE_RECONCILE_PERIOD_SECONDS",
            settings.reconcile_period_seconds.to_string(),
        )
        .env(
            "RINGFENCE_CONNECTION_CHECK_PERIOD_SECONDS",
            settings.reconcile_period_seconds.to_string(),
        );
    if let Some(rps) = settings.connect_rps {
        recipe = recipe.env("RINGFENCE_CONNECT_RPS", rps.to_string());
    }
    if let Some(seconds) = settings.lease_seconds {
        recipe = recipe.env("RINGFENCE_LEASE_SECONDS", seconds.to_string());
    }
    for (name, value) in &settings.control_plane {
        recipe = recipe.env(name, value.as_str());
    }
    let endpoint = ground.operator.endpoint();
    recipe
        .env
        .extend(ground.control_plane.environment(region, endpoint));
    Ok(ApiStart { recipe, url })
}

/// Migrates as the owner, then makes an operator key as the control plane itself.
pub(crate) async fn prepare(serve: &Recipe, database: &Database, logs: &Path) -> Result<String> {
    let migrate = command(serve, "migrate", "ringfence-migrate")
        .args(["--app-role", APP_LOGIN])
        .env("DATABASE_URL", database.owner_url.as_str());
    output(&migrate, logs).await?;
    let key = output(&command(serve, "token", "ringfence-token"), logs).await?;
    Ok(key.trim().to_owned())
}

/// Another command of the same program in the same environment.
pub(super) fn command(serve: &Recipe, command: &str, name: &'static str) -> Recipe {
    let mut recipe = Recipe::new(name, serve.program.clone()).args([command]);
    recipe.env.clone_from(&serve.env);
    recipe
}

pub(crate) async fn start_api(recipe: &Recipe, logs: &Path) -> Result<Service> {
    let mut service = Service::spawn(recipe, logs)?;
    service.ready_line(READY_WITHIN).await?;
    Ok(service)
}

/// The port has to be known beforehand, as the public address is told to the control plane that will listen there.
pub fn free_port() -> Result<u16> {
    let listener =
        TcpListener::bind(("127.0.0.1", 0)).map_err(DevError::io("looking for a free port"))?;
    listener
        .local_addr()
        .map(|address| address.port())
        .map_err(DevError::io("looking for a free port"))
}
