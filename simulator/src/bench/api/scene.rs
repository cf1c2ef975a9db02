//! A private PostgreSQL, the control plane's release binary, tenants with policies, and requests.

use reqwest::{Client, RequestBuilder};
use serde_json::{Value, json};
use sqlx::types::Uuid;

use super::super::{Result, failed};
use super::load::AT_ONCE;
use super::rows::{Rows, Whose};
use super::statements::Statements;
use crate::dev::places::Places;
use crate::dev::postgres::Postgres;
use crate::dev::process::{Recipe, Service};
use crate::dev::rest::{Rest, text};
use crate::dev::stack::{
    REQUESTS_PER_MINUTE, SECRET_KEY, STOP_WITHIN, free_port, prepare, start_api,
};

/// Pages of a hundred that are turned before a list counts as far down.
const PAGES_DOWN: usize = 200;
const INSTANCE_ARN: &str =
    "arn:aws:connect:us-east-1:111122223333:instance/6e2a1f4c-0000-4000-8000-000000000001";

/// Each worker has one of its own, so that they wait for no one's rows.
#[derive(Debug, Clone)]
pub(super) struct Tenant {
    pub(super) id: Uuid,
    key: String,
}

pub(super) struct Scene {
    http: Client,
    api_url: String,
    pub(super) tenants: Vec<Tenant>,
    pub(super) statements: Statements,
    rows: Rows,
    api: Service,
    postgres: Postgres,
    // Removed last, as the programs write there.
    _logs: tempfile::TempDir,
}

/// A small policy, as tenants have it.
pub(super) fn policy() -> Value {
    json!({"rules": [
        {"id": "repeat-calls", "per": ["customer"], "limit": {"kind": "until_quiet", "block_at": 5, "quiet_seconds": 60}},
        {"id": "pair-per-day", "per": ["customer", "caller_id"],
            "limit": {"kind": "sliding", "max": 3, "window_seconds": 86_400}}
    ]})
}

impl Scene {
    pub(super) async fn start() -> Result<Self> {
        let places = Places::find().map_err(failed)?;
        let logs = places.run_folder().map_err(failed)?;
        let postgres = Postgres::start(places.work()).await.map_err(failed)?;
        let database = postgres.first();
        let port = free_port().map_err(failed)?;
        let api_url = format!("http://127.0.0.1:{port}");
        let recipe = serve(&places, &database.app_url, &api_url)?;
        let operator_key = prepare(&recipe, &database, logs.path())
            .await
            .map_err(failed)?;
        let api = start_api(&recipe, logs.path()).await.map_err(failed)?;
        let operator = Rest::new(&api_url, &operator_key);
        let mut tenants = Vec::new();
        for number in 0..AT_ONCE {
            tenants.push(tenant(&operator, number).await.map_err(failed)?);
        }
        let rows = Rows::open(&database.owner_url).await?;
        fill(&rows, &operator, &tenants[0]).await?;
        Ok(Self {
            http: Client::builder().no_proxy().build().map_err(failed)?,
            statements: Statements::prepare(&database.app_url, &rows, &tenants).await?,
            api_url,
            tenants,
            rows,
            api,
            postgres,
            _logs: logs,
        })
    }

    pub(super) async fn stop(self) {
        self.api.stop(STOP_WITHIN).await;
        self.postgres.stop().await;
    }

    pub(super) async fn read_policy(&self, worker: usize) -> Result<()> {
        let url = format!("{}/v1/policies/default", self.api_url);
        self.ask(worker, self.http.get(url)).await.map(drop)
    }

    pub(super) async fn put_policy(&self, worker: usize) -> Result<()> {
        let url = format!("{}/v1/policies/default", self.api_url);
        self.ask(worker, self.http.put(url).json(&policy()))
            .await
            .map(drop)
    }

    /// A page of the first tenant's decisions.
    pub(super) async fn list_decisions(&self, query: &str) -> Result<()> {
        let page = self.page(query).await?;
        match page.starts_with(br#"{"data":[{"#) {
            true => Ok(()),
            false => Err(failed("a list without decisions")),
        }
    }

    /// A place in the list as the API names it, and the same as the database does.
    pub(super) async fn far_down(&self) -> Result<(String, super::statements::Place)> {
        let mut cursor = String::new();
        for _ in 0..PAGES_DOWN {
            let page = self.page(&format!("limit=100&cursor={cursor}")).await?;
            let page: Value = serde_json::from_slice(&page).map_err(failed)?;
            cursor = text(&page, "/next_cursor").map_err(failed)?;
        }
        let newer = i64::try_from(PAGES_DOWN * 100 - 1).unwrap_or(i64::MAX);
        Ok((cursor, self.rows.place(newer).await?))
    }

    async fn page(&self, query: &str) -> Result<Vec<u8>> {
        let url = format!("{}/v1/decisions?{query}", self.api_url);
        self.ask(0, self.http.get(url)).await
    }

    async fn ask(&self, worker: usize, request: RequestBuilder) -> Result<Vec<u8>> {
        let request = request.bearer_auth(&self.tenants[worker].key);
        let answer = request.send().await.map_err(failed)?;
        let status = answer.status();
        let body = answer.bytes().await.map_err(failed)?;
        match status.is_success() {
            true => Ok(body.into()),
            false => Err(failed(format!(
                "{status}: {}",
                String::from_utf8_lossy(&body)
            ))),
        }
    }
}

/// The API alone: nobody works in the background, and nothing of AWS is there.
fn serve(places: &Places, app_url: &str, api_url: &str) -> Result<Recipe> {
    let program = places.binary("ringfence").map_err(failed)?;
    let listen = api_url.trim_start_matches("http://");
    let settings = [
        ("DATABASE_URL", app_url),
        ("RINGFENCE_LISTEN", listen),
        ("RINGFENCE_PUBLIC_URL", api_url),
        ("RINGFENCE_SECRET_KEYS", SECRET_KEY),
        ("RINGFENCE_DRAIN_SECONDS", "0"),
        ("RINGFENCE_REQUESTS_PER_MINUTE_PER_KEY", REQUESTS_PER_MINUTE),
        (
            "RINGFENCE_REQUESTS_PER_MINUTE_PER_TENANT",
            REQUESTS_PER_MINUTE,
        ),
        (
            "RINGFENCE_CONTROL_PLANE_PRINCIPAL",
            "arn:aws:iam::999988887777:role/ringfence",
        ),
        (
            "RINGFENCE_LIMITER_PRINCIPAL",
            "arn:aws:iam::999988887777:role/ringfence-limiter",
        ),
        (
            "RINGFENCE_LIMITER_FUNCTIONS",
            "arn:aws:lambda:us-east-1:999988887777:function:ringfence-limiter-1",
        ),
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE"),
        ("AWS_SECRET_ACCESS_KEY", "secret"),
        ("AWS_EC2_METADATA_DISABLED", "true"),
    ];
    let recipe = Recipe::new("ringfence", program).args(["serve"]);
    Ok(settings
        .into_iter()
        .fold(recipe, |recipe, (name, value)| recipe.env(name, value)))
}

async fn tenant(operator: &Rest, number: usize) -> crate::dev::Result<Tenant> {
    let name = format!("Bench {number}");
    let made = operator.post("/v1/tenants", &json!({"name": name})).await?;
    let id = text(&made, "/id")?;
    let keys = format!("/v1/tenants/{id}/api-keys");
    let key = operator
        .post(&keys, &json!({"name": "bench", "role": "owner"}))
        .await?;
    let key = text(&key, "/key")?;
    let rest = operator.with_token(&key);
    rest.put("/v1/policies/default", &policy()).await?;
    Ok(Tenant {
        id: uuid(&id)?,
        key,
    })
}

/// The first tenant gets an instance, and as many decisions on it as it would have after a month of much dialling.
async fn fill(rows: &Rows, operator: &Rest, tenant: &Tenant) -> Result<()> {
    let rest = operator.with_token(&tenant.key);
    let body = json!({"instance_arn": INSTANCE_ARN, "name": "bench"});
    let made = rest.post("/v1/instances", &body).await.map_err(failed)?;
    let instance_id = text(&made, "/id").map_err(failed)?;
    rows.fill(&Whose {
        tenant: tenant.id,
        instance: uuid(&instance_id).map_err(failed)?,
        instance_arn: INSTANCE_ARN,
        tenant_id: &format!("ten_{}", tenant.id.simple()),
        instance_id: &instance_id,
    })
    .await
}

/// An id is a prefix and a UUID.
fn uuid(id: &str) -> crate::dev::Result<Uuid> {
    let digits = id.split_once('_').map_or(id, |(_, digits)| digits);
    Uuid::try_parse(digits)
        .map_err(|err| crate::dev::DevError::Unexpected(format!("{id} is no id: {err}")))
}
