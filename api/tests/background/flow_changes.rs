//! What the client of Amazon Connect does when the answer to a change of a flow is lost, or the change is throttled.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::Method;
use axum::response::Response;
use axum::routing::{any, post};
use futures::stream;
use ringfence_api::aws::{
    AwsError, AwsErrorKind, ConnectInstance, FlowType, InstanceAccess, NewFlow, SdkConnectInstance,
};
use ringfence_api::domain::pace::Urgency;
use ringfence_api::store::Store;
use serde_json::json;
use sqlx::PgPool;

use crate::centre::{Centre, Fault, answer, at_rest, refused};

/// The flows of an instance: faults of changes are struck in the order in which they were laid.
#[derive(Debug, Default)]
struct Flows {
    faults: VecDeque<Fault>,
    /// Methods of the requests.
    asked: Vec<Method>,
}

type Shared = Arc<Mutex<Flows>>;

async fn flow(State(flows): State<Shared>, method: Method) -> Response {
    let mut flows = flows.lock().expect("no panic inside");
    flows.asked.push(method.clone());
    if method == Method::GET {
        let flow = json!({ "ContactFlow": { "Id": "flow", "Name": "Flow", "Content": "{}" } });
        return answer(200, "application/json", flow.to_string());
    }
    match flows.faults.pop_front() {
        Some(Fault::Refuse(status, code)) => refused(status, code),
        Some(Fault::LoseAnswer) => {
            let cut_off = std::io::Error::other("cut off in the middle");
            Response::new(Body::from_stream(stream::iter([Err::<Bytes, _>(cut_off)])))
        }
        None => {
            let made = json!({ "ContactFlowId": "flow" });
            answer(200, "application/json", made.to_string())
        }
    }
}

struct Scene {
    connect: SdkConnectInstance,
    flows: Shared,
}

impl Scene {
    async fn new(pool: PgPool) -> Self {
        let flows = Shared::default();
        let state = Arc::clone(&flows);
        let centre = Centre::start_with(Store::from_pool(pool), at_rest(), move |_| {
            Router::new()
                .route("/contact-flows/{instance}", any(flow))
                .route("/contact-flows/{instance}/{flow}", any(flow))
                .route("/contact-flows/{instance}/{flow}/content", post(flow))
                .with_state(state)
        })
        .await;
        let access = InstanceAccess {
            instance_arn: "arn:aws:connect:us-east-1:111122223333:instance/i1"
                .parse()
                .expect("an ARN"),
            role_arn: "arn:aws:iam::111122223333:role/installer".to_owned(),
            external_id: "external".to_owned(),
        };
        let connect = centre
            .aws
            .connect_instance(std::slice::from_ref(&access), Urgency::Background)
            .await
            .expect("a session");
        Self { connect, flows }
    }

    /// Makes the change, and answers what came of it and how it was asked for.
    async fn change(&self, change: &str, fault: Fault) -> (Result<(), AwsError>, Vec<Method>) {
        {
            let mut flows = self.flows.lock().expect("no panic inside");
            flows.faults = [fault].into();
            flows.asked.clear();
        }
        let outcome = match change {
            "create" => self.connect.flow_create(&new_flow()).await.map(drop),
            "update" => {
                self.connect.flow_in_hand("flow").await.expect("the flow");
                self.connect.flow_update("flow", "{}").await
            }
            _ => {
                self.connect.flow_in_hand("flow").await.expect("the flow");
                self.connect.flow_delete("flow").await
            }
        };
        let flows = self.flows.lock().expect("no panic inside");
        (outcome, flows.asked.clone())
    }
}

fn new_flow() -> NewFlow {
    NewFlow {
        name: "Flow".to_owned(),
        flow_type: FlowType::OutboundWhisper,
        description: String::new(),
        content: "{}".to_owned(),
        tags: [].into(),
    }
}

/// Sent again it would meet what it did itself, and nobody could tell any more whose doing that was.
#[sqlx::test(migrations = "../migrations")]
async fn a_change_of_a_flow_is_not_sent_again_after_a_lost_answer(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let faults = [
        Fault::LoseAnswer,
        Fault::Refuse(500, "InternalServiceException"),
    ];
    for fault in faults {
        for (change, asked) in [
            ("create", vec![Method::PUT]),
            ("update", vec![Method::GET, Method::POST]),
            ("delete", vec![Method::GET, Method::DELETE]),
        ] {
            let (outcome, sent) = scene.change(change, fault).await;
            let err = outcome.expect_err("nobody can tell");
            assert_eq!(err.kind, AwsErrorKind::Transient, "{change} {fault:?}");
            assert_eq!(sent, asked, "{change} {fault:?}");
        }
    }
}

/// It was read before the pause that a throttle brings.
#[sqlx::test(migrations = "../migrations")]
async fn a_throttled_change_of_a_flow_is_not_sent_again_without_a_reading(pool: PgPool) {
    let scene = Scene::new(pool).await;
    let fault = Fault::Refuse(429, "TooManyRequestsException");
    let (outcome, sent) = scene.change("update", fault).await;
    let err = outcome.expect_err("throttled");
    assert_eq!(err.kind, AwsErrorKind::Throttled);
    assert_eq!(sent, [Method::GET, Method::POST]);
}
