//! What the control plane stands on: PostgreSQL, the AWS side, the operator's account with roles, tables and a limiter
//! in every region.

use std::path::{Path, PathBuf};

use serde_json::json;
use tempfile::TempDir;

use super::aws::{Aws, Keys};
use super::places::Places;
use super::postgres::Postgres;
use super::process::{Recipe, Service};
use super::rest::text;
use super::sim::Sim;
use super::stack::{OPERATOR_ACCOUNT, READY_WITHIN, REGIONS, STOP_WITHIN, Settings};
use super::{Result, tables};

/// Longer than in production: here fifty calls at once start fifty processes on one machine.
const DECISION_DEADLINE_MS: &str = "5000";
const OPERATOR_ROLES: &str = include_str!("../../../deploy/operator-roles.yaml");

#[derive(Debug)]
pub(super) struct Ground {
    // In the order in which they are dropped when the run fails half-way.
    simulator: Service,
    pub(super) postgres: Postgres,
    logs: TempDir,
    pub(super) ringfence: PathBuf,
    pub(super) roles: OperatorRoles,
    /// A session of the control plane's role.
    pub(super) control_plane: Keys,
    pub(super) operator: Aws,
    pub(super) limiter_functions: Vec<String>,
}

impl Ground {
    pub(super) async fn start(places: &Places, settings: &Settings) -> Result<Self> {
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
            for number in 1..=settings.limiters_per_region {
                let name = format!("ringfence-limiter-{number}");
                limiter_functions.push(
                    limiter(&sim, region, &name, &roles.limiter, &bootstrap, settings).await?,
                );
            }
        }
        Ok(Self {
            simulator,
            postgres,
            logs,
            ringfence,
            control_plane: sim.role_credentials(&roles.control_plane).await?,
            roles,
            operator,
            limiter_functions,
        })
    }

    pub(super) fn logs(&self) -> &Path {
        self.logs.path()
    }

    pub(super) fn sim(&self) -> Sim {
        Sim::new(self.operator.endpoint())
    }

    /// An error when the simulator has ended by itself.
    pub(super) fn check(&mut self) -> Result<()> {
        if self.simulator.ended().is_some() {
            return Err(self.simulator.failure("ended by itself"));
        }
        Ok(())
    }

    pub(super) async fn stop(self) {
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

#[derive(Debug)]
pub(super) struct OperatorRoles {
    pub(super) control_plane: String,
    pub(super) limiter: String,
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
    name: &str,
    role: &str,
    bootstrap: &Path,
    settings: &Settings,
) -> Result<String> {
    let function = json!({
        "account_id": OPERATOR_ACCOUNT,
        "region": region,
        "name": name,
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
