//! The dashboard in a real browser, with the real API and decisions coming in.

use std::time::Duration;

use tokio::time::sleep;

use super::harness::{in_town, run};

#[tokio::test]
async fn the_dashboard_works_against_the_real_api() {
    in_town(async |town| {
        let customer = town
            .limited("Northwind Collections", "111122220001")
            .await?;
        let key = customer
            .rest
            .post(
                "/v1/api-keys",
                &serde_json::json!({ "name": "browser", "role": "owner" }),
            )
            .await?;
        let key = key["key"].as_str().expect("the key").to_owned();
        for number in 0..6 {
            customer.call("ada", "+12065550142").await?;
            customer
                .call("ben", &format!("+120655501{:02}", 50 + number))
                .await?;
        }
        let env = [
            (
                "RINGFENCE_E2E_URL".to_owned(),
                town.stack.api_url().to_owned(),
            ),
            ("RINGFENCE_E2E_API_KEY".to_owned(), key),
        ];
        let web = concat!(env!("CARGO_MANIFEST_DIR"), "/../web");
        // Somebody goes on dialling, so that there is something to see live.
        let dialling = async {
            loop {
                sleep(Duration::from_millis(700)).await;
                if let Err(err) = customer.call("ben", "+12065550199").await {
                    return err;
                }
            }
        };
        tokio::select! {
            _ = run("npm", &["run", "e2e"], &env, web) => Ok(()),
            err = dialling => Err(err),
        }
    })
    .await;
}
