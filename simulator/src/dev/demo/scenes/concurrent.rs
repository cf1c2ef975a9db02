//! Fifty calls to one number at the same moment: exactly as many ring as the limit admits.

use futures::future::try_join_all;

use super::super::super::Result;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

const CUSTOMER: &str = "+442079460180";
const CALLS: usize = 50;
const MAX: usize = 5;

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let act = Act::new(stage, ledger, "northwind-uk", "five-an-hour")?;
    let dials = (0..CALLS)
        .map(|number| act.dial(if number % 2 == 0 { "dora" } else { "eli" }, None, CUSTOMER));
    let calls = try_join_all(dials).await?;
    let rang = calls.iter().filter(|call| call.rang()).count();
    let stopped = calls
        .iter()
        .filter(|call| call.stopped_before_ringing())
        .count();
    ledger.expect(rang == MAX && stopped == CALLS - MAX, || {
        format!("five-an-hour: of {CALLS} calls at once {MAX} should ring and the others be stopped; {rang} rang, {stopped} were stopped")
    });
    act.told("dora", CUSTOMER, 1).await?;
    act.told("eli", CUSTOMER, 1).await
}
