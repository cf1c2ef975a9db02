//! One HTTP client for all clients: one pool of connections, and the trusted authorities read once.
//!
//! Left to itself, each client reads them when it is made and again at its first request, which is a good part of a cold
//! start.

use std::sync::OnceLock;
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use aws_smithy_runtime_api::client::http::{
    HttpConnectorSettings, SharedHttpClient, SharedHttpConnector, http_client_fn,
};

/// A client's own settings for connections are not looked at: they are the same for all.
pub(super) fn shared_client(connect_timeout: Duration) -> SharedHttpClient {
    let made = OnceLock::new();
    http_client_fn(move |_, components| {
        let connector = made.get_or_init(|| {
            let settings = HttpConnectorSettings::builder()
                .connect_timeout(connect_timeout)
                .build();
            let mut builder = Connector::builder()
                .connector_settings(settings)
                .proxy_config(ProxyConfig::from_env());
            builder.set_sleep_impl(components.sleep_impl());
            let aws_lc = tls::Provider::rustls(CryptoMode::AwsLc);
            SharedHttpConnector::new(builder.tls_provider(aws_lc).build())
        });
        connector.clone()
    })
}
