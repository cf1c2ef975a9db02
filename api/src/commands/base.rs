//! All that serving and working share, made from the settings.

use std::net::SocketAddr;
use std::sync::Arc;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use ringfence_api::auth::jwt::{KeyReader, Verifier};
use ringfence_api::auth::oidc::Oidc;
use ringfence_api::auth::{Authenticator, ProviderClient};
use ringfence_api::aws::{Aws, AwsSettings, Jitter};
use ringfence_api::background::{WakeUps, Workers};
use ringfence_api::clock::{Clock, IdSource};
use ringfence_api::config::{self, Settings};
use ringfence_api::http::{
    AppState, Buckets, CALLBACK, LiveStreams, Parts, Turns, Watched, serve_metrics,
};
use ringfence_api::metrics::Metrics;
use ringfence_api::outbound::Outbound;
use ringfence_api::store::{Fitness, Store};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::{CommandError, chain};

/// All that serving and working share.
pub(super) struct Base {
    pub settings: Settings,
    pub store: Store,
    clock: Clock,
    ids: IdSource,
    aws: Arc<Aws>,
    wake_ups: WakeUps,
    metrics: Metrics,
    outbound: Outbound,
}

impl Base {
    pub async fn make() -> Result<Self, CommandError> {
        let settings = config::settings(config::from_process)?;
        let store = Store::connect_lazily(settings.database_url.reveal())?;
        look_at_database(&store, settings.any_database_login).await?;
        let outbound = Outbound::new(settings.reach)?;
        let clock = Clock::system();
        let mut seeds = seeds()?;
        let ids = IdSource::new(clock.clone(), seeds.random_seed());
        let aws_settings = AwsSettings {
            connect_requests_per_second: settings.connect_requests_per_second,
            policies_table: settings.tables.policies.clone(),
            decisions_table: settings.tables.decisions.clone(),
            meters_table: settings.tables.meters.clone(),
        };
        let jitter = Jitter::new(seeds.next_u64());
        let aws = Aws::load(aws_settings, store.clone(), jitter, clock.clone()).await;
        Ok(Self {
            metrics: Metrics::install()?,
            settings,
            store,
            clock,
            ids,
            aws: Arc::new(aws),
            wake_ups: WakeUps::default(),
            outbound,
        })
    }

    pub fn workers(&self) -> Workers {
        Workers {
            store: self.store.clone().for_workers(),
            aws: Arc::clone(&self.aws),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            outbound: self.outbound.clone(),
            sealer: self.settings.sealer.clone(),
            wake_ups: self.wake_ups.clone(),
            functions: self
                .settings
                .limiter_functions
                .iter()
                .map(|function| (function.arn.clone(), function.region.clone()))
                .collect(),
            reconcile_period: self.settings.reconcile_period,
            lease: self.settings.lease,
            connection_check_period: self.settings.connection_check_period,
        }
    }

    fn watched(&self) -> Watched {
        Watched {
            metrics: self.metrics.clone(),
            store: self.store.clone(),
            clock: self.clock.clone(),
            any_database_login: self.settings.any_database_login,
        }
    }

    /// Serves metrics until `stop`, where the settings say so. A bad address ends the program before it has begun.
    pub async fn serve_metrics(&self, stop: &CancellationToken) -> Result<(), CommandError> {
        let Some(address) = self.settings.metrics_listen else {
            return Ok(());
        };
        let listener = TcpListener::bind(address)
            .await
            .map_err(|err| CommandError::Listen(address, err))?;
        tracing::info!(address = %listener.local_addr()?, "metrics listening");
        let stopping = stop.clone();
        let serving = serve_metrics(listener, self.watched(), async move {
            stopping.cancelled().await;
        });
        tokio::spawn(serving);
        Ok(())
    }

    pub fn state(
        &self,
        address: SocketAddr,
        draining: CancellationToken,
    ) -> Result<AppState, CommandError> {
        let provider = ProviderClient::new()?;
        let jwt = self.settings.jwt.clone();
        let jwt = jwt.map(|jwt| Verifier::new(jwt, KeyReader::Operator(provider.clone())));
        let public_url = match &self.settings.public_url {
            Some(url) => url.clone(),
            None => listening(address)?,
        };
        let callback = public_url.join(CALLBACK);
        let callback = callback.map_err(|err| CommandError::PublicUrl(address, err))?;
        let oidc = self.settings.oidc.clone();
        let oidc = oidc.map(|oidc| Oidc::new(oidc, provider, callback));
        Ok(AppState::new(Parts {
            store: self.store.clone(),
            clock: self.clock.clone(),
            ids: self.ids.clone(),
            authenticator: Authenticator::new(
                self.store.clone(),
                self.clock.clone(),
                jwt,
                self.outbound.clone(),
            ),
            oidc,
            aws: Arc::clone(&self.aws),
            wake_ups: self.wake_ups.clone(),
            outbound: self.outbound.clone(),
            public_url,
            settings: self.settings.clone(),
            watched: self.watched(),
            draining,
            buckets: Buckets::default(),
            live_streams: LiveStreams::default(),
            turns: Turns::default(),
        }))
    }
}

/// A login that could evade row security is refused. Everything else can still become right while we run: then
/// `/readyz` says so.
async fn look_at_database(store: &Store, any_login: bool) -> Result<(), CommandError> {
    match store.fitness(any_login).await {
        Ok(Fitness::LoginTooStrong) => Err(CommandError::LoginTooStrong),
        Ok(Fitness::Fit) => Ok(()),
        Ok(unfit) => {
            tracing::warn!(?unfit, "the database is not ready: run `ringfence migrate`");
            Ok(())
        }
        Err(err) => {
            tracing::warn!(error = chain(&err), "the database cannot be looked at yet");
            Ok(())
        }
    }
}

pub(super) trait Seeds {
    fn random_seed(&mut self) -> [u8; 32];
}

impl Seeds for StdRng {
    fn random_seed(&mut self) -> [u8; 32] {
        let mut seed = [0; 32];
        self.fill_bytes(&mut seed);
        seed
    }
}

/// From the system, once; everything random comes from here.
pub(super) fn seeds() -> Result<StdRng, CommandError> {
    StdRng::try_from_rng(&mut rand::rngs::SysRng)
        .map_err(|err| CommandError::Randomness(err.to_string()))
}

fn listening(address: SocketAddr) -> Result<Url, CommandError> {
    Url::parse(&format!("http://{address}/")).map_err(|err| CommandError::PublicUrl(address, err))
}
