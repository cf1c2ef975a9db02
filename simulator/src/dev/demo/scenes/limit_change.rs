//! A limit is raised through the API and holds for the next calls, keeping what was already counted.

use std::time::Duration;

use super::super::super::Result;
use super::super::super::rest::text;
use super::super::super::wait::{Seen, until};
use super::super::cast::caller_id_limit;
use super::super::ledger::Ledger;
use super::super::stage::Stage;
use super::Act;

const NOTICED_WITHIN: Duration = Duration::from_secs(20);

pub async fn play(stage: &Stage, ledger: &Ledger) -> Result<()> {
    let act = Act::new(stage, ledger, "fjord-eu", "caller-id-per-minute")?;
    let path = "/v1/policies/default";
    let before = text(&act.instance.customer.rest.get("/v1/me").await?, "/role")?;
    ledger.expect(before == "owner", || {
        format!("the tenant's key should have the owner's role, has {before}")
    });
    let changed = act
        .instance
        .customer
        .rest
        .put(path, &caller_id_limit(7))
        .await?;
    act.instance.customer.in_force(path).await?;

    // A limiter serves the policy it knows for a moment; calls from the other queue show which one it has.
    let version = changed["version"].as_u64().unwrap_or_default().to_string();
    until(
        "the limiters to know the new limit",
        NOTICED_WITHIN,
        Duration::from_millis(500),
        async || {
            let call = act.dial("ida", Some("Renewals"), "+442079460230").await?;
            match call.told("PolicyVersion") == Some(version.as_str()) {
                true => Ok(Seen::Done(())),
                false => Ok(Seen::not_yet(format!("{:?}", call.told("PolicyVersion")))),
            }
        },
    )
    .await?;
    act.rings(
        "ida",
        Some("Welcome"),
        "+442079460231",
        "the sixth within the minute, the limit now being seven",
    )
    .await?;
    act.rings(
        "ida",
        Some("Welcome"),
        "+442079460232",
        "the seventh within the minute",
    )
    .await?;
    act.denied(
        "ida",
        Some("Welcome"),
        "+442079460233",
        "the eighth within the minute",
    )
    .await?;
    act.told("ida", "+442079460233", 1).await
}
