//! The same phone number, called by two instances of one tenant and by another tenant, is counted apart.

use super::super::super::Result;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

const CUSTOMER: &str = "+12065550150";

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let full = Act::new(stage, ledger, "northwind-us", "repeat-calls")?;
    for _ in 0..4 {
        full.rings("ben", None, CUSTOMER, "under the limit").await?;
    }
    full.denied("ben", None, CUSTOMER, "the fifth call without quiet")
        .await?;
    let same_tenant = Act::new(stage, ledger, "northwind-uk", "five-an-hour")?;
    same_tenant
        .rings(
            "dora",
            None,
            CUSTOMER,
            "another instance of the tenant has not called this number",
        )
        .await?;
    let other_tenant = Act::new(stage, ledger, "harbor-east", "pair-daily")?;
    for number in 1..=3 {
        let because =
            format!("another tenant's calls never count here (call {number} of its own 3)");
        other_tenant
            .rings("fay", Some("Appointments"), CUSTOMER, &because)
            .await?;
    }
    other_tenant
        .denied("fay", Some("Appointments"), CUSTOMER, "its own fourth call")
        .await?;
    full.told("ben", CUSTOMER, 1).await?;
    other_tenant.told("fay", CUSTOMER, 1).await
}
