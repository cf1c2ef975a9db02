//! What all runs together came to, for people and for the exit code.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use super::super::Result;
use super::play::Outcome;
use super::script::Script;

/// From so many runs on, chance cannot have spared them all.
const MANY: u32 = 20;

#[derive(Debug, Default)]
pub struct Report {
    runs: u32,
    converged: u32,
    kills: u64,
    edits: BTreeMap<&'static str, u64>,
    stalls: u64,
    duplicates: usize,
    lost: usize,
    dangling: usize,
    unlimited: usize,
    /// Requests that failed on order.
    pub faults: u64,
    pub took: Duration,
    killed_at: BTreeMap<(String, bool), u64>,
    failures: Vec<String>,
}

impl Report {
    pub fn run(&mut self, seed: u64, script: &Script, outcome: Result<Outcome>) {
        self.runs += 1;
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(err) => {
                self.fail(seed, script, &[format!("ended early: {err}")]);
                return;
            }
        };
        self.converged += u32::from(outcome.converged);
        self.kills += outcome.kills;
        self.stalls += outcome.stalls;
        for (edit, count) in &outcome.edits {
            *self.edits.entry(edit).or_default() += count;
        }
        self.duplicates += outcome.findings.duplicates.len();
        self.lost += outcome.findings.lost.len();
        self.dangling += outcome.findings.dangling.len();
        self.unlimited += outcome.findings.unlimited.len();
        for (at, count) in &outcome.killed_at {
            *self.killed_at.entry(at.clone()).or_default() += count;
        }
        let mut wrong: Vec<String> = outcome.findings.all().cloned().collect();
        wrong.extend(outcome.stuck.clone());
        if !wrong.is_empty() {
            self.fail(seed, script, &wrong);
        }
    }

    fn fail(&mut self, seed: u64, script: &Script, wrong: &[String]) {
        let text = format!("SEED={seed} RUNS=1: {}\n  {script:?}", wrong.join("; "));
        eprintln!("chaos: {text}");
        self.failures.push(text);
    }

    pub fn add(&mut self, other: Self) {
        self.runs += other.runs;
        self.converged += other.converged;
        self.kills += other.kills;
        self.stalls += other.stalls;
        for (edit, count) in other.edits {
            *self.edits.entry(edit).or_default() += count;
        }
        self.duplicates += other.duplicates;
        self.lost += other.lost;
        self.dangling += other.dangling;
        self.unlimited += other.unlimited;
        for (at, count) in other.killed_at {
            *self.killed_at.entry(at).or_default() += count;
        }
        self.failures.extend(other.failures);
    }

    /// Whether all runs took place, nothing was wrong in any, and they were disturbed as they should be.
    pub fn held(&self, runs: u32) -> bool {
        self.runs == runs
            && self.converged == runs
            && self.failures.is_empty()
            && self.is_disturbed()
    }

    /// Workers die several times a run, and most runs have faults: a few may be spared by chance, but not many. Where nothing
    /// struck, nothing was shown.
    pub fn is_disturbed(&self) -> bool {
        self.runs < MANY || (self.kills >= u64::from(self.runs) && self.faults > 0)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "killed in the middle of      before  after it took effect"
        )?;
        let operations: std::collections::BTreeSet<&String> = self
            .killed_at
            .keys()
            .map(|(operation, _)| operation)
            .collect();
        for operation in operations {
            let count = |performed| {
                self.killed_at
                    .get(&(operation.clone(), performed))
                    .copied()
                    .unwrap_or_default()
            };
            writeln!(
                f,
                "  {operation:<32}{:>2}  {:>2}",
                count(false),
                count(true)
            )?;
        }
        writeln!(f, "changed by people meanwhile")?;
        for (edit, count) in &self.edits {
            writeln!(f, "  {edit:<32}{count:>2}")?;
        }
        write!(
            f,
            "runs {}  kills {}  stalls {}  faults {}  edits {}  converged {}  duplicates {}  lost queue settings {}  pointing at nothing {}  unlimited {}  in {} s",
            self.runs,
            self.kills,
            self.stalls,
            self.faults,
            self.edits.values().sum::<u64>(),
            self.converged,
            self.duplicates,
            self.lost,
            self.dangling,
            self.unlimited,
            self.took.as_secs(),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn undisturbed(runs: u32) -> Report {
        Report {
            runs,
            converged: runs,
            ..Report::default()
        }
    }

    fn good() -> Report {
        Report {
            kills: 24,
            faults: 1,
            ..undisturbed(24)
        }
    }

    #[test]
    fn runs_hold_that_were_disturbed_and_ended_well() {
        assert!(good().held(24));
        for bad in [
            Report { runs: 23, ..good() },
            Report {
                converged: 23,
                ..good()
            },
            Report {
                failures: vec!["SEED=1".to_owned()],
                ..good()
            },
        ] {
            assert!(!bad.held(24), "{bad:?}");
        }
    }

    #[test]
    fn runs_in_which_nothing_struck_show_nothing() {
        for spared in [
            undisturbed(24),
            Report { kills: 0, ..good() },
            Report {
                kills: 23,
                ..good()
            },
            Report {
                faults: 0,
                ..good()
            },
        ] {
            assert!(!spared.held(24), "{spared:?}");
        }
    }

    /// As when one seed is played again.
    #[test]
    fn a_few_runs_may_be_spared_by_chance() {
        assert!(undisturbed(1).held(1));
        assert!(undisturbed(19).held(19));
        assert!(!undisturbed(20).held(20));
    }
}
