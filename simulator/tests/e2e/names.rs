//! Names that the customer has taken already.

use ringfence_simulator::dev::rest::list;
use serde_json::Value;

use super::harness::in_town;

#[tokio::test]
async fn a_name_of_ours_that_a_flow_of_another_type_has_is_told_until_it_is_free() {
    in_town(async |town| {
        let rest = town.tenant("Northwind").await?;
        let mut customer = town.customer(&rest, "111122220001", "us-east-1").await?;
        let theirs = customer
            .own_flow("Ringfence notice", "CUSTOMER_QUEUE")
            .await?;
        customer.join("northwind").await?;
        customer.install("merge").await?;
        let told = customer
            .installation("the name to be told", |now| {
                let conditions = list(now, "/conditions")?;
                let is_told = |found: &Value| found["reason"] == "flow_name_taken";
                Ok(conditions.iter().any(is_told))
            })
            .await?;
        assert_eq!(told["state"], "blocked", "{told}");
        customer.delete_flow(&theirs).await?;
        customer.installed().await.map(drop)
    })
    .await;
}
