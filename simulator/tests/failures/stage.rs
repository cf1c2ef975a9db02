//! One contact centre under one policy, with the AWS side and the limiter, and without a control plane: what it would have
//! installed and published is put in place here.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use reqwest::Method;
use ringfence_simulator::dev::Result;
use ringfence_simulator::dev::aws::Aws;
use ringfence_simulator::dev::places::Places;
use ringfence_simulator::dev::process::{Recipe, Service};
use ringfence_simulator::dev::rest::text;
use ringfence_simulator::dev::sim::{Call, Dial, InstanceMade, Sim};
use ringfence_simulator::dev::tables;
use ringfence_simulator::dev::wait::{Seen, until};
use rustix::process::Pid;
use serde_json::{Value, json};

pub const REGION: &str = "us-east-1";
pub const OPERATOR: &str = "999988887777";
pub const CUSTOMER: &str = "111122223333";
pub const NUMBER: &str = "+12065550142";
pub const FUNCTION: &str = "ringfence-limiter-1";

const EXTERNAL_ID: &str = "rf-failures";
const OPERATOR_ROLES: &str = include_str!("../../../deploy/operator-roles.yaml");
const CUSTOMER_ROLES: &str = include_str!("../../../deploy/customer.yaml");
const WHISPER: &str = include_str!(
    "../../../api/src/flow/tests/snapshots/ringfence_api__flow__tests__golden__the_bare_whisper_is_as_agreed.snap"
);
const NOTICE: &str = include_str!(
    "../../../api/src/flow/tests/snapshots/ringfence_api__flow__tests__golden__the_notice_flow_is_as_agreed.snap"
);
const READY_WITHIN: Duration = Duration::from_secs(60);
const SEEN_WITHIN: Duration = Duration::from_secs(20);

pub struct Stage {
    pub sim: Sim,
    pub operator: Aws,
    pub instance: InstanceMade,
    admin: Aws,
    limiter_role: String,
    runtime_role: String,
    notice_flow: String,
    revision: AtomicU64,
    simulator: Option<u32>,
}

/// Runs a test on a stage under this policy and ends the programs whatever became of it.
pub async fn on_stage(policy: Value, test: impl AsyncFnOnce(&Stage) -> Result<()>) {
    let places = Places::find().expect("the binaries");
    let logs = places.run_folder().expect("a folder");
    let program = places.binary("ringfence-sim").expect("the simulator");
    let recipe = Recipe::new("ringfence-sim", program).args(["serve", "--port", "0"]);
    let mut service = Service::spawn(&recipe, logs.path()).expect("a simulator");
    let done = async {
        let ready = service.ready_line(READY_WITHIN).await?;
        let mut stage = Stage::set(Sim::new(&text(&ready, "/endpoint")?)).await?;
        stage.simulator = service.pid();
        stage.start_function(json!({})).await?;
        stage.publish(policy, json!({})).await?;
        test(&stage).await
    }
    .await;
    service.stop(Duration::from_secs(10)).await;
    if let Err(err) = done {
        panic!("{err}");
    }
}

/// The flow of a snapshot that the flow's own tests keep.
pub fn flow(snapshot: &str) -> Value {
    let document = snapshot.splitn(3, "---\n").nth(2).expect("a snapshot");
    serde_json::from_str(document).expect("a flow")
}

pub fn whisper() -> Value {
    flow(WHISPER)
}

/// One call a minute to a customer.
pub fn one_a_minute(on_unavailable: &str) -> Value {
    json!({"on_unavailable": on_unavailable, "rules": [
        {"id": "customer", "per": ["customer"], "limit": {"kind": "sliding", "max": 1, "window_seconds": 60}}
    ]})
}

impl Stage {
    async fn set(sim: Sim) -> Result<Self> {
        sim.post("quotas", &json!({"enabled": false})).await?;
        let operator = Aws::new(sim.base(), sim.account(OPERATOR).await?);
        let admin = Aws::new(sim.base(), sim.account(CUSTOMER).await?);
        tables::create(&operator, REGION).await?;
        let roles = sim
            .stack(OPERATOR, REGION, OPERATOR_ROLES, &json!({}))
            .await?;
        let limiter_role = text(&roles, "/LimiterRoleArn")?;
        let parameters = json!({
            "ConnectionId": "con_1", "ExternalId": EXTERNAL_ID, "LimiterPrincipal": limiter_role,
            "ControlPlanePrincipal": text(&roles, "/ControlPlaneRoleArn")?,
        });
        sim.stack(CUSTOMER, REGION, CUSTOMER_ROLES, &parameters)
            .await?;
        let centre = json!({
            "account_id": CUSTOMER, "region": REGION, "alias": "centre",
            "queues": [{"name": "Sales", "caller_id": "+12065550100"}],
            "agents": [{"username": "ada", "queues": ["Sales"]}],
        });
        let instance = sim.instance(&centre).await?;
        let mut stage = Self {
            sim,
            operator,
            instance,
            admin,
            limiter_role,
            runtime_role: format!("arn:aws:iam::{CUSTOMER}:role/ringfence-runtime-con_1"),
            notice_flow: String::new(),
            revision: AtomicU64::new(0),
            simulator: None,
        };
        stage.notice_flow = stage
            .make_flow("Notice", "CONTACT_FLOW", &flow(NOTICE))
            .await?;
        Ok(stage)
    }

    /// Starts the limiter's function anew, with these settings besides the usual ones.
    pub async fn start_function(&self, settings: Value) -> Result<()> {
        let first = self
            .sim
            .get(&format!("functions/{FUNCTION}/logs"), &[])
            .await
            .is_err();
        let mut environment = json!({"RINGFENCE_POLICY_MAX_AGE_SECONDS": "1"});
        for (name, value) in settings.as_object().into_iter().flatten() {
            environment[name] = value.clone();
        }
        let function = json!({
            "account_id": OPERATOR, "region": REGION, "name": FUNCTION, "role_arn": self.limiter_role,
            "bootstrap": Places::find()?.binary("bootstrap")?, "timeout_seconds": 8, "environment": environment,
        });
        self.sim.function(&function).await?;
        if first {
            self.permit().await?;
            self.play(&whisper()).await?;
        }
        Ok(())
    }

    async fn permit(&self) -> Result<()> {
        let grant = json!({
            "StatementId": "instance", "Action": "lambda:InvokeFunction", "Principal": "connect.amazonaws.com",
            "SourceAccount": CUSTOMER, "SourceArn": self.instance.instance_arn,
        });
        let path = format!("{FUNCTION}/policy");
        self.operator
            .lambda(REGION, Method::POST, &path, Some(&grant))
            .await
            .map(drop)
    }

    fn connect_id(&self) -> &str {
        self.instance
            .instance_arn
            .rsplit('/')
            .next()
            .unwrap_or_default()
    }

    async fn make_flow(&self, name: &str, kind: &str, content: &Value) -> Result<String> {
        let body = json!({"Name": name, "Type": kind, "Content": content.to_string()});
        let path = format!("/contact-flows/{}", self.connect_id());
        let made = self
            .admin
            .connect(REGION, Method::PUT, &path, Some(&body))
            .await?;
        text(&made, "/ContactFlowId")
    }

    /// Makes the queue play this whisper.
    pub async fn play(&self, whisper: &Value) -> Result<()> {
        let name = format!("Whisper {}", self.revision.load(Ordering::SeqCst));
        let flow_id = self.make_flow(&name, "OUTBOUND_WHISPER", whisper).await?;
        let path = format!(
            "/queues/{}/{}",
            self.connect_id(),
            self.instance.queues[0].id
        );
        let found = self.admin.connect(REGION, Method::GET, &path, None).await?;
        let mut config = found["Queue"]["OutboundCallerConfig"].clone();
        config["OutboundFlowId"] = json!(flow_id);
        let path = format!("{path}/outbound-caller-config");
        let body = json!({"OutboundCallerConfig": config});
        self.admin
            .connect(REGION, Method::POST, &path, Some(&body))
            .await
            .map(drop)
    }

    /// Puts a snapshot where the limiter reads it; `changes` replace members, null removes one.
    pub async fn publish(&self, policy: Value, changes: Value) -> Result<()> {
        let revision = self.revision.fetch_add(1, Ordering::SeqCst) + 1;
        let arn = &self.instance.instance_arn;
        let mut snapshot = json!({
            "schema": 1, "tenant_id": "ten_1", "instance_id": "ins_1", "instance_arn": arn, "status": "active",
            "revision": revision, "policy_id": "pol_1", "policy_version": revision, "policy": policy,
            "runtime_role_arn": self.runtime_role, "external_id": EXTERNAL_ID, "notice_flow_id": self.notice_flow,
            "published_at": "2026-11-25T17:00:00Z",
        });
        for (name, value) in changes.as_object().into_iter().flatten() {
            snapshot[name] = value.clone();
        }
        if let Some(members) = snapshot.as_object_mut() {
            members.retain(|_, value| !value.is_null());
        }
        let item = json!({
            "pk": {"S": arn}, "snapshot": {"S": snapshot.to_string()}, "revision": {"N": revision.to_string()},
        });
        let request = json!({"TableName": "ringfence-policies", "Item": item});
        self.operator
            .dynamodb(REGION, "PutItem", &request)
            .await
            .map(drop)
    }

    /// The processes that the simulator has started for the function.
    pub fn function_processes(&self) -> Vec<Pid> {
        let simulator = self.simulator.expect("a running simulator").to_string();
        let child = |folder: std::fs::DirEntry| {
            let stat = std::fs::read_to_string(folder.path().join("stat")).ok()?;
            // Behind the name, which may hold anything, stand the state and the parent.
            let parent = stat.rsplit(") ").next()?.split(' ').nth(1)?;
            let pid = folder.file_name().to_str()?.parse().ok()?;
            (parent == simulator).then(|| Pid::from_raw(pid)).flatten()
        };
        let processes = std::fs::read_dir("/proc").expect("processes");
        processes.filter_map(|folder| child(folder.ok()?)).collect()
    }

    pub async fn fault(&self, fault: Value) -> Result<()> {
        self.sim.post("faults", &fault).await.map(drop)
    }

    /// All requests of the store's operation fail this way until things are mended.
    pub async fn store_fails(&self, operation: &str, kind: &str) -> Result<()> {
        self.fault(json!({"service": "dynamodb", "operation": operation, "kind": kind, "account_id": OPERATOR})).await
    }

    pub async fn mend(&self) -> Result<()> {
        self.sim.delete("faults").await.map(drop)
    }

    pub async fn dial(&self) -> Result<Call> {
        self.dial_with(json!({})).await
    }

    /// Dials with this merged into the event's contact data.
    pub async fn dial_with(&self, overrides: Value) -> Result<Call> {
        self.sim
            .call(&Dial {
                instance_arn: self.instance.instance_arn.clone(),
                agent_id: self.instance.agents[0].id.clone(),
                queue_id: None,
                to: Some(NUMBER.to_owned()),
                deliveries: None,
                event_overrides: Some(overrides),
            })
            .await
    }

    /// What is on record for a call, if anything.
    pub async fn record(&self, call: &Call) -> Result<Option<Value>> {
        let pk = format!("{}#{}", self.instance.instance_arn, call.contact_id);
        let item = tables::item(&self.operator, REGION, "ringfence-decisions", &pk).await?;
        let read = |item: Value| serde_json::from_str(item["record"]["S"].as_str()?).ok();
        Ok(item.and_then(read))
    }

    /// Dials, others' calls going on meanwhile, until an earlier call is on record: the limiter has no time of its own
    /// between calls.
    pub async fn recorded_late(&self, call: &Call) -> Result<Value> {
        until(
            "the late record",
            SEEN_WITHIN,
            Duration::from_millis(50),
            async || {
                self.dial().await?;
                Ok(match self.record(call).await? {
                    Some(record) => Seen::Done(record),
                    None => Seen::not_yet("no record"),
                })
            },
        )
        .await
    }

    /// How many entries of a meter are held: reserved, admitted, or charged for want of a stop.
    pub async fn charged(&self) -> Result<usize> {
        let request = json!({"TableName": "ringfence-meters", "ConsistentRead": true});
        let found = self.operator.dynamodb(REGION, "Scan", &request).await?;
        let logs = found["Items"].as_array().into_iter().flatten();
        let entries = logs.flat_map(|item| item["log"]["L"].as_array().into_iter().flatten());
        // The first byte tells what became of an entry, 0 or 3 for these; the next is 1 for as long as anybody lives.
        Ok(entries
            .filter(|entry| {
                entry["B"]
                    .as_str()
                    .is_some_and(|text| text.starts_with("AA") || text.starts_with("Aw"))
            })
            .count())
    }

    /// The JSON lines that the limiter has written so far.
    pub async fn lines(&self) -> Result<Vec<Value>> {
        let logs = self
            .sim
            .get(&format!("functions/{FUNCTION}/logs"), &[])
            .await?;
        let lines = logs["lines"].as_array().into_iter().flatten();
        Ok(lines
            .filter_map(|line| serde_json::from_str(line["line"].as_str()?).ok())
            .collect())
    }

    /// The log's line about a call's decision.
    pub async fn told(&self, call: &Call) -> Result<Value> {
        until(
            "the line about the decision",
            SEEN_WITHIN,
            Duration::from_millis(20),
            async || {
                let lines = self.lines().await?;
                let found = lines.into_iter().find(|line| {
                    line["message"] == "decided" && line["contact_id"] == call.contact_id.as_str()
                });
                Ok(found.map_or_else(|| Seen::not_yet("no such line"), Seen::Done))
            },
        )
        .await
    }

    /// Waits until a metric's sum over all invocations is so much.
    pub async fn measured(&self, metric: &str, wanted: u64) -> Result<()> {
        until(metric, SEEN_WITHIN, Duration::from_millis(20), async || {
            let lines = self.lines().await?;
            let sum: f64 = lines
                .iter()
                .filter(|line| line["_aws"].is_object())
                .filter_map(|line| line[metric].as_f64())
                .sum();
            #[expect(clippy::float_cmp, reason = "sums of whole numbers")]
            match sum == wanted as f64 {
                true => Ok(Seen::Done(())),
                false => Ok(Seen::not_yet(sum)),
            }
        })
        .await
    }

    /// No number that was dialled or called from stands in anything that the limiter wrote.
    pub async fn shows_no_number(&self) -> Result<()> {
        let logs = self
            .sim
            .get(&format!("functions/{FUNCTION}/logs"), &[])
            .await?;
        assert!(!logs.to_string().contains("2065550"), "{logs}");
        Ok(())
    }
}
