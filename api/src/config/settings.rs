//! What can be set, section by section.

use std::net::SocketAddr;
use std::time::Duration;

use url::Url;

use super::identity;
use super::reader::Reader;
use super::secret::Secret;
use crate::auth::jwt::JwtSettings;
use crate::auth::oidc::OidcSettings;
use crate::domain::rate::RateLimits;
use crate::outbound::Reach;
use crate::sealer::Sealer;

const LISTEN_DEFAULT: SocketAddr =
    SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 8080);
const DRAIN_SECONDS: u64 = 5;
/// What is left of the time that a stop may take is for the requests and steps in hand.
pub const DRAIN_SECONDS_MAX: u64 = 8;
/// How soon a change in a customer's account is noticed.
const PERIOD_SECONDS: u64 = 600;
const LEASE_SECONDS: u64 = 60;
/// Half of what Connect allows an account.
const CONNECT_RPS: f64 = 1.0;
const CONNECT_RPS_MAX: f64 = 100.0;
const REQUESTS_PER_KEY: u32 = 1_200;
const REQUESTS_PER_TENANT: u32 = 6_000;
const REQUESTS_PER_MINUTE_MAX: u32 = 10_000_000;

#[derive(Debug, Clone)]
pub struct Settings {
    pub database_url: Secret,
    /// Also a login that could evade row security.
    pub any_database_login: bool,
    pub listen: SocketAddr,
    /// Where metrics are served without a key, by `serve` and by `work`; nowhere unless it is set.
    pub metrics_listen: Option<SocketAddr>,
    /// Where customers reach us; otherwise taken from the address listened on.
    pub public_url: Option<Url>,
    pub control_plane_principal: String,
    pub limiter_principal: String,
    pub limiter_functions: Vec<LimiterFunction>,
    pub template_url: Option<Url>,
    pub tables: Tables,
    pub jwt: Option<JwtConfig>,
    /// Whom people sign in with; without it there are keys and tokens only.
    pub oidc: Option<OidcSettings>,
    pub reconcile_period: Duration,
    /// How long requests are still taken after a signal, while `/readyz` says no; a balancer needs that long to notice.
    pub drain: Duration,
    /// How long a worker that died keeps others from its installation.
    pub lease: Duration,
    pub connection_check_period: Duration,
    pub connect_requests_per_second: f64,
    /// How many proxies of our own stand before the API: so many addresses of `X-Forwarded-For` are believed.
    pub trusted_proxies: usize,
    /// Seals the secrets that are used again.
    pub sealer: Sealer,
    /// Where requests to addresses that tenants name may go.
    pub reach: Reach,
    pub rate_limits: RateLimits,
}

impl Settings {
    /// Regions with limiters, in the order in which the functions are listed; only their instances are served.
    pub fn regions(&self) -> impl Iterator<Item = &str> {
        let functions = &self.limiter_functions;
        functions
            .iter()
            .enumerate()
            .filter_map(|(index, function)| {
                let is_first = functions
                    .iter()
                    .take(index)
                    .all(|earlier| earlier.region != function.region);
                is_first.then_some(function.region.as_str())
            })
    }
}

/// The identity provider whose tokens are accepted.
pub type JwtConfig = JwtSettings;

/// One shard: a limiter function and where it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimiterFunction {
    pub arn: String,
    pub region: String,
}

#[derive(Debug, Clone)]
pub struct Tables {
    pub policies: String,
    pub decisions: String,
    pub meters: String,
}

pub(super) fn database_url(reader: &mut Reader<'_>) -> Option<Secret> {
    const NAME: &str = "DATABASE_URL";
    let text = reader.required(NAME)?;
    let is_postgres =
        Url::parse(&text).is_ok_and(|url| matches!(url.scheme(), "postgres" | "postgresql"));
    if !is_postgres {
        reader.fault(
            NAME,
            "must look like postgres://user:password@host/database",
        );
        return None;
    }
    Some(Secret::new(text))
}

pub(super) fn read(reader: &mut Reader<'_>) -> Option<Settings> {
    let database_url = database_url(reader);
    let any_database_login =
        reader.parsed_or("RINGFENCE_ANY_DATABASE_LOGIN", false, "true or false");
    let listen = reader.parsed_or(
        "RINGFENCE_LISTEN",
        LISTEN_DEFAULT,
        "an address and a port, as 127.0.0.1:8080",
    );
    let metrics_listen = metrics_listen(reader);
    let public_url = web_address(reader, "RINGFENCE_PUBLIC_URL");
    let template_url = web_address(reader, "RINGFENCE_TEMPLATE_URL");
    let control_plane_principal = principal(reader, "RINGFENCE_CONTROL_PLANE_PRINCIPAL");
    let limiter_principal = principal(reader, "RINGFENCE_LIMITER_PRINCIPAL");
    let limiter_functions = limiter_functions(reader);
    let jwt = identity::jwt(reader);
    let oidc = identity::oidc(reader, public_url.as_ref(), listen);
    let drain = drain(reader);
    let reconcile_period = seconds(reader, "RINGFENCE_RECONCILE_PERIOD_SECONDS", PERIOD_SECONDS);
    let connection_check_period = seconds(
        reader,
        "RINGFENCE_CONNECTION_CHECK_PERIOD_SECONDS",
        PERIOD_SECONDS,
    );
    let lease = seconds(reader, "RINGFENCE_LEASE_SECONDS", LEASE_SECONDS);
    let connect_requests_per_second = connect_rps(reader);
    let trusted_proxies = reader.parsed_or(
        "RINGFENCE_TRUSTED_PROXIES",
        0,
        "how many proxies of yours stand before the API",
    );
    let sealer = sealer(reader);
    let reach = reach(reader);
    let rate_limits = rate_limits(reader);
    Some(Settings {
        database_url: database_url?,
        any_database_login,
        listen,
        metrics_listen,
        public_url,
        control_plane_principal: control_plane_principal?,
        limiter_principal: limiter_principal?,
        limiter_functions,
        template_url,
        tables: Tables {
            policies: table(reader, "RINGFENCE_POLICIES_TABLE", "ringfence-policies"),
            decisions: table(reader, "RINGFENCE_DECISIONS_TABLE", "ringfence-decisions"),
            meters: table(reader, "RINGFENCE_METERS_TABLE", "ringfence-meters"),
        },
        jwt,
        oidc,
        reconcile_period,
        drain,
        lease,
        connection_check_period,
        connect_requests_per_second,
        trusted_proxies,
        sealer: sealer?,
        reach,
        rate_limits,
    })
}

fn metrics_listen(reader: &mut Reader<'_>) -> Option<SocketAddr> {
    const NAME: &str = "RINGFENCE_METRICS_LISTEN";
    let text = reader.optional(NAME)?;
    let address = text.parse().ok();
    if address.is_none() {
        reader.fault(NAME, "must be an address and a port, as 127.0.0.1:9464");
    }
    address
}

fn table(reader: &Reader<'_>, variable: &'static str, default: &str) -> String {
    reader
        .optional(variable)
        .unwrap_or_else(|| default.to_owned())
}

fn web_address(reader: &mut Reader<'_>, variable: &'static str) -> Option<Url> {
    let text = reader.optional(variable)?;
    match Url::parse(&text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => Some(url),
        _ => {
            reader.fault(variable, "must be an http or https address");
            None
        }
    }
}

/// It is written into customers' trust policies, where a mistake would be found much later.
fn principal(reader: &mut Reader<'_>, variable: &'static str) -> Option<String> {
    let text = reader.required(variable)?;
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    let is_principal = matches!(parts[..], ["arn", partition, "iam", "", account, resource]
        if partition.starts_with("aws")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && (resource.starts_with("role/") || resource.starts_with("user/")));
    if !is_principal {
        reader.fault(variable, "must be the ARN of an IAM role or user");
        return None;
    }
    Some(text)
}

fn limiter_functions(reader: &mut Reader<'_>) -> Vec<LimiterFunction> {
    const NAME: &str = "RINGFENCE_LIMITER_FUNCTIONS";
    let text = reader.required(NAME).unwrap_or_default();
    let mut functions: Vec<LimiterFunction> = Vec::new();
    for arn in text.split(',').map(str::trim).filter(|arn| !arn.is_empty()) {
        match limiter_function(arn) {
            Some(function) if functions.contains(&function) => reader.fault(NAME, format!("names {arn} twice")),
            Some(function) => functions.push(function),
            None => reader.fault(
                NAME,
                format!("must list function ARNs (arn:aws:lambda:REGION:ACCOUNT:function:NAME); {arn:?} is none"),
            ),
        }
    }
    functions
}

fn limiter_function(arn: &str) -> Option<LimiterFunction> {
    let parts: Vec<&str> = arn.split(':').collect();
    let ["arn", _, "lambda", region, account, "function", name] = parts[..] else {
        return None;
    };
    (!region.is_empty() && account.len() == 12 && !name.is_empty()).then(|| LimiterFunction {
        arn: arn.to_owned(),
        region: region.to_owned(),
    })
}

fn sealer(reader: &mut Reader<'_>) -> Option<Sealer> {
    const NAME: &str = "RINGFENCE_SECRET_KEYS";
    let text = reader.required(NAME)?;
    match Sealer::read(&text) {
        Ok(sealer) => Some(sealer),
        Err(err) => {
            reader.fault(NAME, err.to_string());
            None
        }
    }
}

fn reach(reader: &mut Reader<'_>) -> Reach {
    const NAME: &str = "RINGFENCE_OUTBOUND_LOOPBACK";
    match reader.optional(NAME).as_deref() {
        None | Some("refuse") => Reach::Public,
        Some("allow") => Reach::PublicAndLoopback,
        Some(_) => {
            reader.fault(NAME, "must be refuse or allow");
            Reach::Public
        }
    }
}

fn seconds(reader: &mut Reader<'_>, variable: &'static str, default: u64) -> Duration {
    const WANTED: &str = "a whole number of seconds, at least 1";
    let seconds = reader.parsed_or(variable, default, WANTED);
    if seconds == 0 {
        reader.fault(variable, format!("must be {WANTED}"));
    }
    Duration::from_secs(seconds)
}

fn drain(reader: &mut Reader<'_>) -> Duration {
    const NAME: &str = "RINGFENCE_DRAIN_SECONDS";
    const WANTED: &str = "a whole number of seconds, at most 8";
    let seconds = reader.parsed_or(NAME, DRAIN_SECONDS, WANTED);
    if seconds > DRAIN_SECONDS_MAX {
        reader.fault(NAME, format!("must be {WANTED}"));
    }
    Duration::from_secs(seconds)
}

/// Requests a minute, all of which may come at once.
fn rate_limits(reader: &mut Reader<'_>) -> RateLimits {
    let mut requests = |name, default| {
        const WANTED: &str = "a whole number of requests a minute, from 1 to 10000000";
        let requests: u32 = reader.parsed_or(name, default, WANTED);
        if requests == 0 || requests > REQUESTS_PER_MINUTE_MAX {
            reader.fault(name, format!("must be {WANTED}"));
        }
        requests
    };
    RateLimits::per_minute(
        requests("RINGFENCE_REQUESTS_PER_MINUTE_PER_KEY", REQUESTS_PER_KEY),
        requests(
            "RINGFENCE_REQUESTS_PER_MINUTE_PER_TENANT",
            REQUESTS_PER_TENANT,
        ),
    )
}

fn connect_rps(reader: &mut Reader<'_>) -> f64 {
    const NAME: &str = "RINGFENCE_CONNECT_RPS";
    const WANTED: &str = "a number above 0 and at most 100";
    let rps = reader.parsed_or(NAME, CONNECT_RPS, WANTED);
    if !(rps > 0.0 && rps <= CONNECT_RPS_MAX) {
        reader.fault(NAME, format!("must be {WANTED}"));
    }
    rps
}
