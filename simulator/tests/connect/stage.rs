//! A customer with an instance, an operator with a function, and the flows between them.

use serde_json::{Value, json};

use crate::support::{Answer, CUSTOMER, Keys, OPERATOR, REGION, Simulator, echo_function};

pub struct Stage {
    pub simulator: Simulator,
    pub customer: Keys,
    pub operator: Keys,
    pub instance_arn: String,
    pub instance_id: String,
    pub agents: Vec<Value>,
    pub queues: Vec<Value>,
    pub function_arn: String,
}

impl Stage {
    pub async fn new() -> Self {
        let simulator = Simulator::without_quotas().await;
        let customer = simulator.account(CUSTOMER).await;
        let operator = simulator.account(OPERATOR).await;
        let made = simulator
            .make(
                "/_sim/instances",
                json!({
                    "account_id": CUSTOMER, "region": REGION, "alias": "acme",
                    "queues": [{"name": "Sales", "caller_id": "+12065550199"}, {"name": "Service", "caller_id": "+12065550198"}],
                    "agents": [{"username": "jane", "queues": ["Sales", "Service"]}, {"username": "joe", "queues": ["Service"]}],
                }),
            )
            .await;
        let instance_arn = made["instance_arn"].as_str().expect("ARN").to_owned();
        let mut stage = Self {
            simulator,
            customer,
            operator,
            instance_id: instance_arn.rsplit('/').next().expect("id").to_owned(),
            instance_arn,
            agents: made["agents"].as_array().expect("agents").clone(),
            queues: made["queues"].as_array().expect("queues").clone(),
            function_arn: String::new(),
        };
        stage.function_arn = stage.function("echo", json!({})).await;
        stage.allow("echo").await;
        stage
    }

    pub async fn function(&self, name: &str, settings: Value) -> String {
        let mut body = json!({
            "account_id": OPERATOR, "region": REGION, "name": name, "bootstrap": echo_function(), "environment": {"OWN": "own"}, "timeout_seconds": 10,
        });
        for (key, value) in settings.as_object().expect("settings") {
            body[key] = value.clone();
        }
        self.simulator.make("/_sim/functions", body).await["function_arn"]
            .as_str()
            .expect("ARN")
            .to_owned()
    }

    /// Lets the instance invoke the function.
    pub async fn allow(&self, name: &str) {
        let grant = json!({
            "StatementId": "stage", "Action": "lambda:InvokeFunction", "Principal": "connect.amazonaws.com",
            "SourceArn": self.instance_arn, "SourceAccount": CUSTOMER,
        });
        let answer = self
            .simulator
            .lambda(&self.operator, "POST", &format!("{name}/policy"), grant)
            .await;
        assert_eq!(answer.status, 201, "{answer:?}");
    }

    pub async fn connect(&self, method: &str, path: &str, body: Value) -> Answer {
        self.simulator
            .connect(
                &self.customer,
                method,
                &path.replace("{i}", &self.instance_id),
                body,
            )
            .await
    }

    pub async fn create_flow(&self, name: &str, flow_type: &str, content: &Value) -> String {
        let body = json!({"Name": name, "Type": flow_type, "Content": content.to_string()});
        let answer = self.connect("PUT", "/contact-flows/{i}", body).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.body["ContactFlowId"]
            .as_str()
            .expect("id")
            .to_owned()
    }

    /// Publishes a whisper and attaches it to the first queue.
    pub async fn whisper(&self, actions: Value) -> String {
        let start = actions[0]["Identifier"].clone();
        let content = json!({"Version": "2019-10-30", "StartAction": start, "Metadata": {}, "Actions": actions});
        let flow_id = self
            .create_flow("Whisper", "OUTBOUND_WHISPER", &content)
            .await;
        self.attach(&flow_id).await;
        flow_id
    }

    pub async fn attach(&self, flow_id: &str) {
        let path = format!("/queues/{{i}}/{}/outbound-caller-config", self.queue(0));
        let before = self
            .connect(
                "GET",
                &format!("/queues/{{i}}/{}", self.queue(0)),
                Value::Null,
            )
            .await;
        let mut config = before.body["Queue"]["OutboundCallerConfig"].clone();
        config["OutboundFlowId"] = json!(flow_id);
        let answer = self
            .connect("POST", &path, json!({"OutboundCallerConfig": config}))
            .await;
        assert_eq!(answer.status, 200, "{answer:?}");
    }

    /// The notice flow: the task goes to the agent's own queue.
    pub async fn notice_flow(&self) -> String {
        let content = json!({"Version": "2019-10-30", "StartAction": "log", "Actions": [
            {"Identifier": "log", "Type": "UpdateFlowLoggingBehavior", "Parameters": {"FlowLoggingBehavior": "Enabled"}, "Transitions": {"NextAction": "agent"}},
            {"Identifier": "agent", "Type": "UpdateContactTargetQueue", "Parameters": {"AgentId": "$.Attributes.AgentARN"},
                "Transitions": {"NextAction": "queue", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "end"}]}},
            {"Identifier": "queue", "Type": "TransferContactToQueue", "Parameters": {}, "Transitions": {"NextAction": "end", "Errors": [
                {"ErrorType": "QueueAtCapacity", "NextAction": "end"}, {"ErrorType": "NoMatchingError", "NextAction": "end"}]}},
            {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}},
        ]});
        self.create_flow("Notice", "CONTACT_FLOW", &content).await
    }

    pub fn queue(&self, index: usize) -> &str {
        self.queues[index]["id"].as_str().expect("id")
    }

    pub fn agent(&self, index: usize) -> &str {
        self.agents[index]["id"].as_str().expect("id")
    }

    pub fn agent_arn(&self, index: usize) -> &str {
        self.agents[index]["arn"].as_str().expect("ARN")
    }

    pub async fn call(&self, to: &str) -> Value {
        self.call_with(json!({"to": to})).await
    }

    pub async fn call_with(&self, more: Value) -> Value {
        let mut body = json!({"instance_arn": self.instance_arn, "agent_id": self.agent(0)});
        for (key, value) in more.as_object().expect("members") {
            body[key] = value.clone();
        }
        self.simulator.make("/_sim/calls", body).await
    }
}

/// The lambda block of a whisper.
pub fn lambda_block(
    function_arn: &str,
    what: &str,
    limit: &str,
    next: &str,
    on_error: &str,
) -> Value {
    json!({"Identifier": "lambda", "Type": "InvokeLambdaFunction",
        "Parameters": {"LambdaFunctionARN": function_arn, "InvocationTimeLimitSeconds": limit,
            "LambdaInvocationAttributes": {"do": what, "AgentARN": "$.Agent.ARN"}, "ResponseValidation": {"ResponseType": "STRING_MAP"}},
        "Transitions": {"NextAction": next, "Errors": [{"ErrorType": "NoMatchingError", "NextAction": on_error}]}})
}

pub fn dial(next: &str) -> Value {
    json!({"Identifier": "dial", "Type": "CompleteOutboundCall", "Parameters": {}, "Transitions": {"NextAction": next}})
}

pub fn end() -> Value {
    json!({"Identifier": "end", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {}})
}
