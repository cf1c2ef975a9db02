//! The limiter's driver: the same library and client as the function's, in one process with bare writes to compare with.

use std::process::Stdio;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::io::AsyncWriteExt;
use tokio::process::Command;

use super::samples::Samples;
use super::scene::Scene;
use super::{Result, failed, io};

/// What the driver is to do.
#[derive(Debug, Default, Serialize)]
pub(super) struct Job {
    /// Each is a list of events. They take turns, one event of each, or each is sent off at once as a whole.
    pub(super) series: Vec<Vec<Value>>,
    pub(super) at_once: bool,
    /// In every turn, also one conditional write of the bare client.
    pub(super) bare_writes: bool,
}

#[derive(Debug, Deserialize)]
pub(super) struct Done {
    bare_us: Vec<u64>,
    bare_cpu_ns: u64,
    pub(super) series: Vec<DoneSeries>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DoneSeries {
    us: Vec<u64>,
    cpu_ns: u64,
    /// From the first event to the last answer.
    total_us: u64,
    pub(super) allowed: usize,
    pub(super) answered: usize,
}

fn samples(us: &[u64]) -> Samples {
    us.iter().copied().map(Duration::from_micros).collect()
}

fn each(total_ns: u64, number: usize) -> Duration {
    Duration::from_nanos(total_ns / u64::try_from(number).unwrap_or(u64::MAX).max(1))
}

impl Done {
    pub(super) fn bare(&self) -> Samples {
        samples(&self.bare_us)
    }

    /// Processor time of one bare write, on average.
    pub(super) fn bare_work(&self) -> Duration {
        each(self.bare_cpu_ns, self.bare_us.len())
    }

    pub(super) fn of(&self, series: usize) -> Result<&DoneSeries> {
        self.series
            .get(series)
            .ok_or_else(|| failed("the driver left out a series"))
    }
}

impl DoneSeries {
    pub(super) fn samples(&self) -> Samples {
        samples(&self.us)
    }

    /// Processor time of one decision, on average.
    pub(super) fn work(&self) -> Duration {
        each(self.cpu_ns, self.us.len())
    }

    pub(super) fn per_second(&self) -> f64 {
        self.answered as f64 / Duration::from_micros(self.total_us.max(1)).as_secs_f64()
    }
}

impl Scene {
    pub(super) async fn drive(&self, job: &Job) -> Result<Done> {
        let mut child = Command::new(&self.programs.driver)
            .env_clear()
            .envs(self.variables())
            // One policy for the whole job: reading it again is no part of what is compared.
            .env("RINGFENCE_POLICY_MAX_AGE_SECONDS", "3600")
            .env("RINGFENCE_DECISION_DEADLINE_MS", "6000")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(io("start the driver"))?;
        let job = serde_json::to_vec(job).map_err(failed)?;
        let mut input = child
            .stdin
            .take()
            .ok_or_else(|| failed("the driver takes no job"))?;
        input
            .write_all(&job)
            .await
            .map_err(io("hand over the job"))?;
        drop(input);
        let done = child
            .wait_with_output()
            .await
            .map_err(io("wait for the driver"))?;
        if !done.status.success() {
            return Err(failed(format!("the driver ended with {}", done.status)));
        }
        serde_json::from_slice(&done.stdout).map_err(failed)
    }
}
