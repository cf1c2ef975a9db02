//! What the control plane's API costs, against the bare statements that its answers are made of: the same PostgreSQL, the
//! same machine, the same run.
//!
//! The API is its own release binary; requests come over loopback from this program, one at a time for the times and many
//! at once for the rate. The statements are the program's own, word for word, prepared, over connections that are open
//! already and have the role that a request takes. Requests and statements take turns, so that a machine that is busy for
//! a while is busy for both.

mod load;
mod rows;
mod scene;
mod statements;

use super::Result;
use super::table::Table;
use load::{AT_ONCE, Measured, in_turns};
use scene::Scene;

pub(super) async fn run(table: &mut Table) -> Result<()> {
    eprintln!(
        "The API against its own statements, over {} decisions",
        rows::DECISIONS
    );
    let scene = Scene::start().await?;
    let measured = measure(&scene, table).await;
    scene.stop().await;
    measured
}

async fn measure(scene: &Scene, table: &mut Table) -> Result<()> {
    let statements = &scene.statements;
    let read = in_turns(
        async |worker| scene.read_policy(worker).await,
        async |worker| statements.read_policy(worker).await,
    );
    tell(table, "reading a policy", &read.await?);

    let newest = in_turns(
        async |_| scene.list_decisions("").await,
        async |_| statements.list_decisions(None, None).await,
    );
    tell(table, "listing the newest decisions", &newest.await?);

    let (cursor, place) = scene.far_down().await?;
    let query = format!("cursor={cursor}");
    let far_down = in_turns(
        async |_| scene.list_decisions(&query).await,
        async |_| statements.list_decisions(Some(place), None).await,
    );
    tell(table, "listing decisions far down", &far_down.await?);

    let query = format!("outcome={}", rows::RARE_OUTCOME);
    let rare = in_turns(
        async |_| scene.list_decisions(&query).await,
        async |_| {
            statements
                .list_decisions(None, Some(rows::RARE_OUTCOME))
                .await
        },
    );
    tell(table, "listing decisions of a rare outcome", &rare.await?);

    let put = in_turns(
        async |worker| scene.put_policy(worker).await,
        async |worker| statements.put_version(worker).await,
    );
    tell(table, "putting a policy", &put.await?);
    Ok(())
}

fn tell(table: &mut Table, what: &str, measured: &Measured) {
    let (median, slowest) = (measured.quotient_at(0.5), measured.quotient_at(0.99));
    table.told(
        &format!("{what} / its statement, p50 and p99"),
        format!("{median:.1} and {slowest:.1}"),
    );
    table.told(
        &format!("{what}, requests a second / statements a second, {AT_ONCE} at once"),
        format!("{:.2}", measured.rate()),
    );
}
