//! A closed loop: each worker asks, waits for the answer, and asks again.

use std::time::Duration;

use futures::future::try_join_all;
use tokio::time::Instant;

use super::super::Result;
use super::super::samples::Samples;

/// Workers when it is the rate that is measured.
pub(super) const AT_ONCE: usize = 8;
const TURNS: usize = 3;
const TURN_TAKES: Duration = Duration::from_millis(1500);

/// Requests beside statements.
#[derive(Debug, Default)]
pub(super) struct Measured {
    requests: Side,
    statements: Side,
}

#[derive(Debug, Default)]
struct Side {
    /// One at a time.
    alone: Samples,
    /// How many a second, [`AT_ONCE`] at a time; of each turn.
    rates: Vec<f64>,
}

impl Side {
    async fn turn(&mut self, ask: &impl AsyncFn(usize) -> Result<()>) -> Result<()> {
        self.alone.extend(worker(0, ask).await?);
        let begun = Instant::now();
        let done = try_join_all((0..AT_ONCE).map(|number| worker(number, ask))).await?;
        let asked: usize = done.iter().map(Samples::len).sum();
        self.rates
            .push(asked as f64 / begun.elapsed().as_secs_f64());
        Ok(())
    }

    fn rate(&self) -> f64 {
        self.rates.iter().sum::<f64>() / self.rates.len().max(1) as f64
    }
}

impl Measured {
    /// The time that the given share of requests does not exceed, one at a time, over the same of the statements.
    pub(super) fn quotient_at(&self, share: f64) -> f64 {
        let of = |side: &Side| side.alone.quantile(share).as_secs_f64();
        of(&self.requests) / of(&self.statements)
    }

    pub(super) fn rate(&self) -> f64 {
        self.requests.rate() / self.statements.rate()
    }
}

/// Asks both, one after the other, a few times; `request` and `statement` are told which worker asks.
pub(super) async fn in_turns(
    request: impl AsyncFn(usize) -> Result<()>,
    statement: impl AsyncFn(usize) -> Result<()>,
) -> Result<Measured> {
    let mut warming_up = Measured::default();
    warming_up.requests.turn(&request).await?;
    warming_up.statements.turn(&statement).await?;
    let mut measured = Measured::default();
    for _ in 0..TURNS {
        measured.requests.turn(&request).await?;
        measured.statements.turn(&statement).await?;
    }
    Ok(measured)
}

async fn worker(number: usize, ask: &impl AsyncFn(usize) -> Result<()>) -> Result<Samples> {
    let mut samples = Samples::default();
    let begun = Instant::now();
    while begun.elapsed() < TURN_TAKES {
        let asked = Instant::now();
        ask(number).await?;
        samples.push(asked.elapsed());
    }
    Ok(samples)
}
