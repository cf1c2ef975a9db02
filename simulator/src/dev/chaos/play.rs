//! One run: the script's events while Ringfence installs and removes, and what is there in between and at the end.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, sleep};

use super::super::aws::Aws;
use super::super::sim::Sim;
use super::super::{DevError, Result};
use super::checks::{self, Findings};
use super::script::{Event, Moment, Request, Script};
use super::site::Site;
use super::slot::Slot;
use super::stuck::work_in_hand;

const CONVERGED_WITHIN: Duration = Duration::from_secs(150);
const HELD_WITHIN: Duration = Duration::from_secs(20);
/// A worker keeps its lease for two seconds.
const LEASE_OVER: Duration = Duration::from_secs(3);
/// Time for one that wakes up to go on with what it was about.
const AWAKE: Duration = Duration::from_millis(1500);
const WITHOUT_ACCESS: Duration = Duration::from_millis(1500);
const LOOK_EVERY: Duration = Duration::from_millis(150);
const LOOK_FOR_HELD_EVERY: Duration = Duration::from_millis(20);

/// What a run came to.
#[derive(Debug, Default)]
pub struct Outcome {
    pub converged: bool,
    pub kills: u64,
    /// By what was changed.
    pub edits: BTreeMap<&'static str, u64>,
    /// How often workers stood still until others had taken over.
    pub stalls: u64,
    pub findings: Findings,
    /// In the middle of which requests workers were killed: operation and whether it had taken effect.
    pub killed_at: BTreeMap<(String, bool), u64>,
    /// Why it did not converge.
    pub stuck: Option<String>,
}

pub async fn play(slot: &mut Slot, sim: &Sim, operator: &Aws, script: &Script) -> Result<Outcome> {
    let site = Site::open(slot, sim, operator, script).await?;
    let mut run = Run {
        slot,
        site,
        script,
        request: script.request.clone(),
        outcome: Outcome::default(),
    };
    match run.all().await {
        Ok(()) => run.outcome.converged = true,
        Err(DevError::Timeout { what, seen, .. }) => {
            let more = work_in_hand(run.slot.database_url()).await;
            run.outcome.stuck = Some(format!("{what}: {seen} {more}"));
        }
        Err(err) => return Err(err),
    }
    run.site.cancel_faults().await?;
    Ok(run.outcome)
}

struct Run<'a> {
    slot: &'a mut Slot,
    site: Site,
    script: &'a Script,
    /// What was last asked for.
    request: Request,
    outcome: Outcome,
}

impl Run<'_> {
    async fn all(&mut self) -> Result<()> {
        self.slot.start_workers(self.script.workers)?;
        if self.script.with_faults {
            self.site.order_faults().await?;
        }
        self.site.ask(&self.request).await?;
        let mut is_removal_asked = false;
        for event in &self.script.installing {
            is_removal_asked |= self.event(event).await?;
        }
        if !is_removal_asked {
            self.mend().await?;
            let seen = self.site.look().await?;
            let findings = checks::installed(&self.site, &seen, &self.request);
            self.outcome.findings.add(findings);
            self.site.ask_removal().await?;
        }
        for event in &self.script.removing {
            self.event(event).await?;
        }
        // A step that met an edit waits longer each time.
        self.site.look_now().await?;
        let is_gone = |now: &Value| is_reached(now) && now["state"] == "uninstalled";
        self.converge("the removal", is_gone).await?;
        let seen = self.site.look().await?;
        let findings = checks::removed(&self.site, &seen);
        self.outcome.findings.add(findings);
        self.site
            .customer
            .rest
            .delete(&self.site.customer.path(""))
            .await?;
        Ok(())
    }

    /// Until everything is as asked for, whatever people did meanwhile.
    async fn mend(&mut self) -> Result<()> {
        if self.outcome.edits.is_empty() {
            return self.converge("the installation", is_reached).await;
        }
        let is_told = |now: &Value| is_reached(now) || now["state"] == "blocked";
        self.converge("the installation", is_told).await?;
        self.site.put_right().await?;
        // What was changed after it was looked at is drift: asking again mends it at once.
        self.site.ask(&self.request).await?;
        self.converge("the mended installation", is_reached).await?;
        // Whatever people did to what is Ringfence's is put right by now.
        self.site.deleted.clear();
        self.site.pointed.clear();
        self.site.edited.clear();
        self.site.unpermitted = false;
        Ok(())
    }

    /// True: the removal was asked for.
    async fn event(&mut self, event: &Event) -> Result<bool> {
        match event {
            Event::KillOne(after) => {
                sleep(*after).await;
                self.outcome.kills += self.slot.kill_one().await?;
                self.look_after_a_kill().await?;
            }
            Event::Kill(at) => {
                if let Some((id, operation, _)) = self.reach(*at).await? {
                    self.kill(*at, operation).await?;
                    self.site.let_go(id).await?;
                    self.look_after_a_kill().await?;
                }
            }
            Event::Edit { at, edit, kill } => {
                if let Some((id, operation, path)) = self.reach(*at).await? {
                    if *kill {
                        self.kill(*at, operation).await?;
                    }
                    if self.site.edit(*edit, &path).await? {
                        *self.outcome.edits.entry(edit.name()).or_default() += 1;
                    }
                    self.site.let_go(id).await?;
                    self.look_after_a_kill().await?;
                }
            }
            Event::Stall(at) => {
                if let Some((id, ..)) = self.reach(*at).await? {
                    self.stall(id).await?;
                }
            }
            Event::LoseAccess { at, loss } => {
                let held = self.reach(*at).await?;
                self.site.lose_access(*loss).await?;
                self.outcome.kills += self.slot.kill_workers().await?;
                if let Some((id, ..)) = held {
                    self.site.let_go(id).await?;
                }
                self.look_after_a_kill().await?;
                sleep(WITHOUT_ACCESS).await;
                self.look_after_a_kill().await?;
                self.site.regain_access().await?;
                *self.outcome.edits.entry(loss.name()).or_default() += 1;
            }
            Event::Ask { at, request } => {
                let held = self.reach(*at).await?;
                self.site.ask(request).await?;
                self.request = request.clone();
                if let Some((id, ..)) = held {
                    self.site.let_go(id).await?;
                }
            }
            Event::Move(at) => {
                let held = self.reach(*at).await?;
                self.site.ask_move(&self.slot.operator).await?;
                if let Some((id, ..)) = held {
                    self.site.let_go(id).await?;
                }
                // Half-way, too, every flow calls a function that lets the instance in.
                if let Some((id, ..)) = self.reach(*at).await? {
                    let seen = self.site.look().await?;
                    let findings = checks::always(&self.site, &seen);
                    self.outcome.findings.add(findings);
                    self.site.let_go(id).await?;
                }
            }
            Event::Remove(at) => {
                let held = self.reach(*at).await?;
                self.site.ask_removal().await?;
                if let Some((id, ..)) = held {
                    self.site.let_go(id).await?;
                }
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Who stood still past the end of its lease has to notice, and leave the rest to whoever took over.
    async fn stall(&mut self, held: u64) -> Result<()> {
        self.slot.stall_workers();
        self.outcome.stalls += 1;
        self.site.let_go(held).await?;
        self.slot.start_workers(self.script.workers)?;
        sleep(LEASE_OVER).await;
        self.slot.wake_stalled();
        sleep(AWAKE).await;
        self.slot.kill_stalled().await?;
        self.look_after_a_kill().await
    }

    async fn kill(&mut self, at: Moment, operation: String) -> Result<()> {
        self.outcome.kills += self.slot.kill_workers().await?;
        *self
            .outcome
            .killed_at
            .entry((operation, at.performed))
            .or_default() += 1;
        Ok(())
    }

    /// Whatever half-done state is there now must be a sound one; then the workers come back.
    async fn look_after_a_kill(&mut self) -> Result<()> {
        let seen = self.site.look().await?;
        let findings = checks::always(&self.site, &seen);
        self.outcome.findings.add(findings);
        self.slot.start_workers(self.script.workers)
    }

    /// Waits until the workers are in the middle of that request. `None`: they were done before.
    async fn reach(&mut self, at: Moment) -> Result<Option<(u64, String, String)>> {
        self.site.order_hold(at).await?;
        let begun = Instant::now();
        let mut looked = Instant::now();
        loop {
            if let Some(held) = self.site.held(at).await? {
                return Ok(Some(held));
            }
            let mut is_over = begun.elapsed() > HELD_WITHIN;
            if !is_over && looked.elapsed() > LOOK_EVERY {
                looked = Instant::now();
                is_over = is_reached(&self.site.installation().await?);
            }
            if is_over {
                self.site.cancel_hold(at).await?;
                // It may have struck in between.
                return self.site.held(at).await;
            }
            sleep(LOOK_FOR_HELD_EVERY).await;
        }
    }

    async fn converge(&mut self, what: &str, done: fn(&Value) -> bool) -> Result<()> {
        let begun = Instant::now();
        loop {
            self.slot.check()?;
            let now = self.site.installation().await?;
            if done(&now) {
                return Ok(());
            }
            if begun.elapsed() > CONVERGED_WITHIN {
                return Err(DevError::Timeout {
                    what: what.to_owned(),
                    seconds: CONVERGED_WITHIN.as_secs(),
                    seen: format!("{} {}", now["state"], now["conditions"]),
                });
            }
            sleep(LOOK_EVERY).await;
        }
    }
}

/// What was asked last was carried out.
fn is_reached(installation: &Value) -> bool {
    installation["generation"] == installation["observed_generation"]
}
