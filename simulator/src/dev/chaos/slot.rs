//! A control plane of one's own: a database, an API that is never killed, and workers that are.

use std::path::PathBuf;

use serde_json::json;

use super::super::ground::Ground;
use super::super::process::{Recipe, Service};
use super::super::rest::{Rest, text};
use super::super::stack::{STOP_WITHIN, Settings, api_start, command, prepare, start_api};
use super::super::{DevError, Result};

#[derive(Debug)]
pub struct Slot {
    // In the order in which they are dropped when a run fails half-way.
    workers: Vec<Service>,
    /// Those that stand still.
    stalled: Vec<Service>,
    api: Service,
    work: Recipe,
    database_url: String,
    logs: PathBuf,
    /// How many workers were ever started: each has a folder of its own for its log.
    lives: u32,
    /// Of the slot's tenant.
    pub rest: Rest,
    pub operator: Rest,
}

impl Slot {
    pub(super) async fn start(ground: &Ground, settings: &Settings, number: u32) -> Result<Self> {
        let logs = ground.logs().join(format!("slot-{number}"));
        std::fs::create_dir_all(&logs).map_err(DevError::io("making a slot's folder"))?;
        let database = ground.postgres.database(&format!("slot_{number}")).await?;
        let mut start = api_start(ground, &database, settings)?;
        start.recipe.args = vec!["serve".into()];
        let key = prepare(&start.recipe, &database, &logs).await?;
        let api = start_api(&start.recipe, &logs).await?;
        let operator = Rest::new(&start.url, &key);
        Ok(Self {
            workers: Vec::new(),
            stalled: Vec::new(),
            api,
            work: command(&start.recipe, "work", "ringfence-work"),
            database_url: database.owner_url,
            logs,
            lives: 0,
            rest: tenant(&operator).await?,
            operator,
        })
    }

    pub fn start_workers(&mut self, count: usize) -> Result<()> {
        while self.workers.len() < count {
            self.lives += 1;
            let logs = self.logs.join(format!("worker-{}", self.lives));
            std::fs::create_dir_all(&logs).map_err(DevError::io("making a worker's folder"))?;
            self.workers.push(Service::spawn(&self.work, &logs)?);
        }
        Ok(())
    }

    pub fn database_url(&self) -> &str {
        &self.database_url
    }

    /// SIGKILL to all of them; how many that were.
    pub async fn kill_workers(&mut self) -> Result<u64> {
        let mut killed = 0;
        for worker in self.workers.drain(..) {
            worker.kill().await?;
            killed += 1;
        }
        Ok(killed)
    }

    /// SIGSTOP to all of them.
    pub fn stall_workers(&mut self) {
        for worker in &self.workers {
            worker.stand_still();
        }
        self.stalled.append(&mut self.workers);
    }

    pub fn wake_stalled(&self) {
        for worker in &self.stalled {
            worker.go_on();
        }
    }

    pub async fn kill_stalled(&mut self) -> Result<()> {
        for worker in self.stalled.drain(..) {
            worker.kill().await?;
        }
        Ok(())
    }

    /// SIGKILL to one of them.
    pub async fn kill_one(&mut self) -> Result<u64> {
        match self.workers.pop() {
            Some(worker) => worker.kill().await.map(|()| 1),
            None => Ok(0),
        }
    }

    /// An error when one of the programs has ended by itself.
    pub fn check(&mut self) -> Result<()> {
        for service in self.workers.iter_mut().chain([&mut self.api]) {
            if service.ended().is_some() {
                return Err(service.failure("ended by itself"));
            }
        }
        Ok(())
    }

    pub async fn stop(mut self) {
        for worker in self.workers.drain(..) {
            worker.stop(STOP_WITHIN).await;
        }
        self.api.stop(STOP_WITHIN).await;
    }
}

async fn tenant(operator: &Rest) -> Result<Rest> {
    let made = operator
        .post("/v1/tenants", &json!({ "name": "Northwind" }))
        .await?;
    let path = format!("/v1/tenants/{}/api-keys", text(&made, "/id")?);
    let owner = json!({ "name": "owner", "role": "owner" });
    let key = operator.post(&path, &owner).await?;
    Ok(operator.with_token(&text(&key, "/key")?))
}
