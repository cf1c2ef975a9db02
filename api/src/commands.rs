//! What each command does. Here clock, generator, clients and pool are made, once.

use std::future::Future;
use std::io::Write as _;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use ringfence_api::auth::jwt::{KeyReader, Verifier};
use ringfence_api::auth::keys::NewKey;
use ringfence_api::auth::oidc::Oidc;
use ringfence_api::auth::{Authenticator, ProviderClient, ProviderError};
use ringfence_api::aws::{Aws, AwsSettings, Jitter};
use ringfence_api::background::{WakeUps, WorkerPanicked, Workers};
use ringfence_api::clock::{Clock, IdSource};
use ringfence_api::config::{self, ConfigError, Settings};
use ringfence_api::domain::ids::OperatorKeyId;
use ringfence_api::http::{
    AppState, Buckets, CALLBACK, Parts, Watched, openapi, router, serve_metrics,
};
use ringfence_api::metrics::Metrics;
use ringfence_api::outbound::{Outbound, OutboundError};
use ringfence_api::store::{Change, Fitness, Patience, Store, StoreError};
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;
use url::Url;

/// How long requests and steps in hand may take after a signal.
const GRACE: Duration = Duration::from_secs(25);

#[derive(Debug, thiserror::Error)]
pub enum CommandError {
    #[error(transparent)]
    Workers(#[from] WorkerPanicked),
    #[error(transparent)]
    Config(#[from] ConfigError),
    #[error("{}", chain(.0))]
    Store(#[from] StoreError),
    #[error(transparent)]
    Outbound(#[from] OutboundError),
    #[error("no HTTP client can be made: {0}")]
    Provider(#[from] ProviderError),
    #[error("cannot listen on {0}: {1}")]
    Listen(SocketAddr, std::io::Error),
    #[error("{0} makes no address for customers ({1}): set RINGFENCE_PUBLIC_URL")]
    PublicUrl(SocketAddr, url::ParseError),
    #[error("input or output failed: {0}")]
    Io(#[from] std::io::Error),
    #[error("metrics cannot be kept: {0}")]
    Metrics(#[from] metrics_exporter_prometheus::BuildError),
    #[error(
        "the login of DATABASE_URL could evade row security: give `serve` and `work` a login of their own that owns \
         nothing and does not inherit (create role … login noinherit), or set RINGFENCE_ANY_DATABASE_LOGIN=true"
    )]
    LoginTooStrong,
    #[error("no randomness: {0}")]
    Randomness(String),
    #[error("{0} variables are set that mean nothing here")]
    UnknownSettings(usize),
    #[error("work in hand did not end within {} s", GRACE.as_secs())]
    Unfinished,
}

fn chain(err: &StoreError) -> String {
    let mut text = err.to_string();
    let mut source = std::error::Error::source(err);
    while let Some(err) = source {
        text.push_str(": ");
        text.push_str(&err.to_string());
        source = err.source();
    }
    text
}

/// All that serving and working share.
struct Base {
    settings: Settings,
    store: Store,
    clock: Clock,
    ids: IdSource,
    aws: Arc<Aws>,
    wake_ups: WakeUps,
    metrics: Metrics,
    outbound: Outbound,
}

impl Base {
    async fn make() -> Result<Self, CommandError> {
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
        };
        let aws =
            Arc::new(Aws::load(aws_settings, store.clone(), Jitter::new(seeds.next_u64())).await);
        Ok(Self {
            metrics: Metrics::install()?,
            settings,
            store,
            clock,
            ids,
            aws,
            wake_ups: WakeUps::default(),
            outbound,
        })
    }

    fn workers(&self) -> Workers {
        Workers {
            store: self.store.clone(),
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
    async fn serve_metrics(&self, stop: &CancellationToken) -> Result<(), CommandError> {
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
        tokio::spawn(async move {
            if let Err(err) = serving.await {
                tracing::error!(error = %err, "metrics are not served any more");
            }
        });
        Ok(())
    }

    fn state(
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

trait Seeds {
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
fn seeds() -> Result<StdRng, CommandError> {
    StdRng::try_from_rng(&mut rand::rngs::SysRng)
        .map_err(|err| CommandError::Randomness(err.to_string()))
}

fn listening(address: SocketAddr) -> Result<Url, CommandError> {
    Url::parse(&format!("http://{address}/")).map_err(|err| CommandError::PublicUrl(address, err))
}

pub async fn serve(with_workers: bool) -> Result<(), CommandError> {
    let base = Base::make().await?;
    let listener = TcpListener::bind(base.settings.listen)
        .await
        .map_err(|err| CommandError::Listen(base.settings.listen, err))?;
    let address = listener.local_addr()?;
    let draining = CancellationToken::new();
    let app = router(base.state(address, draining.clone())?);
    let stop = stopped_by_signal()?;
    base.serve_metrics(&stop).await?;
    let workers = with_workers.then(|| tokio::spawn(base.workers().run(stop.clone())));
    let (stopping, drain) = (stop.clone(), base.settings.drain);
    let server = ringfence_api::http::serve(listener, app, async move {
        stopping.cancelled().await;
        draining.cancel();
        tokio::time::sleep(drain).await;
    });
    announce(address)?;
    let work = async {
        server.await?;
        match workers {
            Some(workers) => Ok(workers.await.unwrap_or(Err(WorkerPanicked))?),
            None => Ok(()),
        }
    };
    until_grace_ends(&stop, work).await?;
    base.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

pub async fn work() -> Result<(), CommandError> {
    let base = Base::make().await?;
    let stop = stopped_by_signal()?;
    base.serve_metrics(&stop).await?;
    let workers = base.workers();
    tracing::info!("working");
    until_grace_ends(&stop, async { Ok(workers.run(stop.clone()).await?) }).await?;
    base.store.close().await;
    tracing::info!("stopped");
    Ok(())
}

async fn until_grace_ends(
    stop: &CancellationToken,
    work: impl Future<Output = Result<(), CommandError>>,
) -> Result<(), CommandError> {
    let grace = async {
        stop.cancelled().await;
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        done = work => done,
        () = grace => Err(CommandError::Unfinished),
    }
}

fn announce(address: SocketAddr) -> Result<(), CommandError> {
    let mut stdout = std::io::stdout();
    writeln!(
        stdout,
        "{}",
        serde_json::json!({ "listening": format!("http://{address}") })
    )?;
    stdout.flush()?;
    tracing::info!(%address, "listening");
    Ok(())
}

fn stopped_by_signal() -> Result<CancellationToken, CommandError> {
    let stop = CancellationToken::new();
    let (mut terminate, mut interrupt) = (
        signal(SignalKind::terminate())?,
        signal(SignalKind::interrupt())?,
    );
    let stopping = stop.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        stopping.cancel();
    });
    Ok(stop)
}

fn database() -> Result<Store, CommandError> {
    let url = config::database_url(config::from_process)?;
    Ok(Store::connect_lazily(url.reveal())?)
}

pub async fn migrate(app_role: Option<&str>) -> Result<(), CommandError> {
    let store = database()?;
    store.migrate(app_role, Patience::default()).await?;
    store.close().await;
    Ok(())
}

pub async fn token() -> Result<(), CommandError> {
    let store = database()?;
    let clock = Clock::system();
    let ids = IdSource::new(clock.clone(), seeds()?.random_seed());
    let key = NewKey::operator(&ids);
    let mut tx = store.system("an operator key belongs to no tenant").await?;
    let id = OperatorKeyId(ids.uuid());
    tx.operator_key_insert(id, &key.sha256(), clock.now())
        .await?;
    tx.audit_append(None, &made_at_console(&ids, &clock, id))
        .await?;
    tx.commit().await?;
    store.close().await;
    writeln!(std::io::stdout(), "{}", key.reveal())?;
    Ok(())
}

fn made_at_console(ids: &IdSource, clock: &Clock, id: OperatorKeyId) -> Change {
    Change {
        id: ids.uuid(),
        at: clock.now(),
        actor: "console".to_owned(),
        action: "operator_key.create",
        target: id.to_string(),
        before: None,
        after: None,
        request_id: None,
        ip: None,
    }
}

/// On stdout what is in effect, on stderr what is wrong.
pub fn config_check() -> Result<(), CommandError> {
    let check = config::check(config::from_process, config::names_of_process());
    let mut stdout = std::io::stdout();
    for (variable, is_set) in &check.known {
        let state = if *is_set { "set" } else { "default" };
        writeln!(stdout, "{variable:<40} {state}")?;
    }
    for variable in &check.unknown {
        writeln!(stdout, "{variable:<40} means nothing here: is it misspelt?")?;
    }
    check.outcome?;
    if !check.unknown.is_empty() {
        return Err(CommandError::UnknownSettings(check.unknown.len()));
    }
    writeln!(stdout, "the settings are complete")?;
    Ok(())
}

pub fn openapi() -> Result<(), CommandError> {
    std::io::stdout().write_all(openapi::text().as_bytes())?;
    Ok(())
}
