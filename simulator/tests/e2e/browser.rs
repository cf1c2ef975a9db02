//! The dashboard in a real browser, with the real API and decisions coming in.

use std::time::Duration;

use tokio::time::sleep;

use ringfence_simulator::dev::stack::free_port;

use super::harness::{in_town, in_town_with, run};

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

/// The provider is started by the browser test, when it is known where people have to be sent back to; the control plane
/// asks it when the first of them signs in.
#[tokio::test]
async fn people_sign_in_with_a_real_identity_provider() {
    let port = free_port().expect("a port").to_string();
    let (client, secret) = ("ringfence-dashboard", "between the two of us");
    let settings = vec![
        ("RINGFENCE_OIDC_ISSUER", format!("http://127.0.0.1:{port}")),
        ("RINGFENCE_OIDC_CLIENT_ID", client.to_owned()),
        ("RINGFENCE_OIDC_CLIENT_SECRET", secret.to_owned()),
        ("RINGFENCE_OIDC_OPERATORS", "sub=olga".to_owned()),
    ];
    in_town_with(settings, async |town| {
        let env = [
            ("RINGFENCE_E2E_URL", town.stack.api_url()),
            ("RINGFENCE_E2E_API_KEY", ""),
            ("RINGFENCE_E2E_OPERATOR_KEY", &town.stack.operator_key),
            ("RINGFENCE_E2E_PROVIDER_PORT", &port),
            ("RINGFENCE_E2E_CLIENT_ID", client),
            ("RINGFENCE_E2E_CLIENT_SECRET", secret),
        ];
        let env = env.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let web = concat!(env!("CARGO_MANIFEST_DIR"), "/../web");
        run("npm", &["run", "e2e", "--", "sign-in"], &env, web).await;
        Ok(())
    })
    .await;
}
