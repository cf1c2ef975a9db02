//! Connect may deliver the event of one contact up to four times: charged once, same answer every time.

use super::super::super::Result;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

const CUSTOMER: &str = "+442079460170";

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let act = Act::new(stage, ledger, "northwind-uk", "five-an-hour")?;
    let first = act.deliver("dora", None, CUSTOMER, 3).await?;
    let answers: Vec<_> = first
        .lambda
        .iter()
        .map(|entry| entry.response.clone())
        .collect();
    let same = answers
        .windows(2)
        .all(|pair| matches!(pair, [one, two] if one.is_some() && one == two));
    ledger.expect(first.rang() && answers.len() == 3 && same, || {
        format!("five-an-hour: one contact delivered three times should get one answer three times, got {answers:?}")
    });
    for number in 2..=5 {
        act.rings(
            "eli",
            None,
            CUSTOMER,
            &format!("call {number} of 5: the redelivered first was charged once"),
        )
        .await?;
    }
    let sixth = act.deliver("eli", None, CUSTOMER, 3).await?;
    let refusals = sixth
        .lambda
        .iter()
        .filter_map(|entry| entry.response.as_ref());
    let refused = refusals
        .filter(|answer| answer["CallAllowed"] == "false")
        .count();
    ledger.expect(sixth.stopped_before_ringing() && refused == 3, || {
        format!(
            "five-an-hour: the sixth, delivered three times, should be refused three times, was {}",
            sixth.outcome
        )
    });
    act.told("eli", CUSTOMER, 1).await
}
