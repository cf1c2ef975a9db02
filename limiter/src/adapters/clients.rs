//! The clients. What every call needs is built at start; what only a denial needs, at the first denial.

use std::sync::OnceLock;
use std::time::Duration;

use aws_credential_types::Credentials;
use aws_sdk_connect::config::Region;
use aws_types::SdkConfig;
use aws_types::sdk_config::{RetryConfig, StalledStreamProtectionConfig, TimeoutConfig};

use super::environment;
use super::http::shared_client;

const CONNECT_WAITS: Duration = Duration::from_millis(300);

const STORE_ATTEMPTS: u32 = 3;
const CONTROL_WAITS: Duration = Duration::from_millis(1500);

fn timeouts(attempt: Duration) -> TimeoutConfig {
    TimeoutConfig::builder()
        .connect_timeout(CONNECT_WAITS)
        .operation_attempt_timeout(attempt)
        .build()
}

/// AWS as the environment describes it: region, credentials, endpoints; all clients share their connections.
#[derive(Debug)]
pub struct Aws {
    config: SdkConfig,
    sts: OnceLock<aws_sdk_sts::Client>,
}

impl Aws {
    pub fn from_environment() -> Self {
        let config = environment::config(|name| std::env::var(name).ok());
        Self::new(config.http_client(shared_client(CONNECT_WAITS)).build())
    }

    pub fn new(config: SdkConfig) -> Self {
        Self {
            config,
            sts: OnceLock::new(),
        }
    }

    /// As many attempts as fit into the decision's time.
    pub fn dynamodb(&self, decision_deadline: Duration) -> aws_sdk_dynamodb::Client {
        let retries = RetryConfig::standard()
            .with_max_attempts(STORE_ATTEMPTS)
            .with_initial_backoff(Duration::from_millis(30));
        let config = aws_sdk_dynamodb::config::Builder::from(&self.config)
            .retry_config(retries)
            .timeout_config(timeouts(decision_deadline / STORE_ATTEMPTS))
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .build();
        aws_sdk_dynamodb::Client::from_conf(config)
    }

    /// Retries are this crate's own business: they last as long as the invocation.
    pub(super) fn sts(&self) -> &aws_sdk_sts::Client {
        self.sts.get_or_init(|| {
            let config = aws_sdk_sts::config::Builder::from(&self.config)
                .retry_config(RetryConfig::disabled())
                .timeout_config(timeouts(CONTROL_WAITS))
                .build();
            aws_sdk_sts::Client::from_conf(config)
        })
    }

    pub(super) fn connect(
        &self,
        region: &str,
        credentials: Credentials,
    ) -> aws_sdk_connect::Client {
        let config = aws_sdk_connect::config::Builder::from(&self.config)
            .region(Region::new(region.to_owned()))
            .credentials_provider(credentials)
            .retry_config(RetryConfig::disabled())
            .timeout_config(timeouts(CONTROL_WAITS))
            .build();
        aws_sdk_connect::Client::from_conf(config)
    }
}
