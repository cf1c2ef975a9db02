//! What Lambda tells of AWS in the environment: region and credentials; and what an operator may add.
//!
//! Read here and not by `aws-config`: that knows a dozen other places to look at, and carries the code for all of them.

use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_sdk_dynamodb::config::{BehaviorVersion, Region};
use aws_types::SdkConfig;
use aws_types::sdk_config::Builder;

/// An endpoint for all services, where it is not AWS.
const ENDPOINT: &str = "AWS_ENDPOINT_URL";

/// Without credentials every request fails, and decisions are made as without a store.
pub(super) fn config(variable: impl Fn(&str) -> Option<String>) -> Builder {
    let variable = |name: &str| variable(name).filter(|text| !text.trim().is_empty());
    let is_set = |name: &str| variable(name).map(|text| text.eq_ignore_ascii_case("true"));
    let mut config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(variable("AWS_REGION").map(Region::new));
    config
        .set_credentials_provider(credentials(variable))
        .set_endpoint_url(variable(ENDPOINT))
        .set_use_fips(is_set("AWS_USE_FIPS_ENDPOINT"))
        .set_use_dual_stack(is_set("AWS_USE_DUALSTACK_ENDPOINT"));
    config
}

fn credentials(variable: impl Fn(&str) -> Option<String>) -> Option<SharedCredentialsProvider> {
    let credentials = Credentials::new(
        variable("AWS_ACCESS_KEY_ID")?,
        variable("AWS_SECRET_ACCESS_KEY")?,
        variable("AWS_SESSION_TOKEN"),
        None,
        "environment",
    );
    Some(SharedCredentialsProvider::new(credentials))
}

#[cfg(test)]
mod tests {
    use aws_credential_types::provider::ProvideCredentials;

    use super::*;

    fn told(names: &'static [(&str, &str)]) -> SdkConfig {
        let find = |name: &str| names.iter().find(|(known, _)| *known == name);
        config(|name| find(name).map(|(_, value)| (*value).to_owned())).build()
    }

    #[tokio::test]
    async fn region_credentials_and_endpoints_are_the_environments() {
        let config = told(&[
            ("AWS_REGION", "eu-west-2"),
            ("AWS_ACCESS_KEY_ID", "ASIA"),
            ("AWS_SECRET_ACCESS_KEY", "secret"),
            ("AWS_SESSION_TOKEN", "session"),
            ("AWS_ENDPOINT_URL", "http://127.0.0.1:1"),
            ("AWS_USE_FIPS_ENDPOINT", "true"),
            ("AWS_USE_DUALSTACK_ENDPOINT", "false"),
        ]);
        assert_eq!(config.region().map(Region::as_ref), Some("eu-west-2"));
        assert_eq!(config.endpoint_url(), Some("http://127.0.0.1:1"));
        assert_eq!(
            (config.use_fips(), config.use_dual_stack()),
            (Some(true), Some(false))
        );
        let provider = config.credentials_provider().unwrap();
        let credentials = provider.provide_credentials().await.unwrap();
        assert_eq!(credentials.access_key_id(), "ASIA");
        assert_eq!(credentials.secret_access_key(), "secret");
        assert_eq!(credentials.session_token(), Some("session"));
    }

    #[test]
    fn what_is_absent_or_blank_is_left_to_the_sdk() {
        let config = told(&[("AWS_ENDPOINT_URL", " "), ("AWS_ACCESS_KEY_ID", "ASIA")]);
        assert!(config.region().is_none() && config.endpoint_url().is_none());
        assert!(config.credentials_provider().is_none());
    }
}
