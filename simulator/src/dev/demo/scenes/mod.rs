//! The fixed scenario, one concern a file. Each scene dials numbers of its own, so that none depends on another.

mod act;
mod caller_id;
mod concurrent;
mod emergency;
mod isolation;
mod limit_change;
mod odd_number;
mod pair;
mod records;
mod redelivery;
mod shadow;
mod uninstall;
mod until_quiet;

use super::super::Result;
use super::ledger::Ledger;
use super::stage::Stage;

pub use act::Act;

pub async fn play_all(stage: &Stage, ledger: &Ledger) -> Result<()> {
    println!("Agents dial …");
    until_quiet::play(stage, ledger).await?;
    isolation::play(stage, ledger).await?;
    pair::play(stage, ledger).await?;
    redelivery::play(stage, ledger).await?;
    concurrent::play(stage, ledger).await?;
    shadow::play(stage, ledger).await?;
    emergency::play(stage, ledger).await?;
    odd_number::play(stage, ledger).await?;
    caller_id::play(stage, ledger).await?;
    limit_change::play(stage, ledger).await?;
    records::play(stage, ledger).await?;
    uninstall::play(stage, ledger).await
}
