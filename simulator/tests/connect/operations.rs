//! Connect's operations, over its own protocol.

use serde_json::{Value, json};

use crate::stage::{Stage, dial, end};
use crate::support::{Answer, CUSTOMER, REGION, Simulator};

fn flow(actions: Value) -> String {
    json!({"Version": "2019-10-30", "StartAction": actions[0]["Identifier"], "Actions": actions})
        .to_string()
}

fn failed(answer: &Answer) -> (u16, &str) {
    (answer.status, answer.error.as_deref().unwrap_or_default())
}

#[tokio::test]
async fn a_flow_is_created_once_described_changed_and_deleted() {
    let stage = Stage::new().await;
    let first = flow(json!([dial("end"), end()]));
    let body = json!({"Name": "Ours", "Type": "OUTBOUND_WHISPER", "Content": first, "Tags": {"managed-by": "ringfence"}});
    let created = stage
        .connect("PUT", "/contact-flows/{i}", body.clone())
        .await;
    assert_eq!(created.status, 200, "{created:?}");
    assert_eq!(
        failed(&stage.connect("PUT", "/contact-flows/{i}", body).await),
        (409, "DuplicateResourceException")
    );
    let id = created.body["ContactFlowId"].as_str().expect("id");
    let path = format!("/contact-flows/{{i}}/{id}");

    let described = stage.connect("GET", &path, Value::Null).await.body["ContactFlow"].clone();
    assert_eq!(
        (
            &described["Content"],
            &described["Status"],
            &described["Tags"]["managed-by"]
        ),
        (&json!(first), &json!("PUBLISHED"), &json!("ringfence"))
    );
    assert_eq!(
        described["FlowContentSha256"],
        created.body["FlowContentSha256"]
    );
    assert_eq!(
        described["FlowContentSha256"].as_str().map(str::len),
        Some(64)
    );

    let second = flow(json!([end()]));
    let updated = stage
        .connect(
            "POST",
            &format!("{path}%3A%24SAVED/content"),
            json!({"Content": second}),
        )
        .await;
    assert_eq!(updated.status, 200, "{updated:?}");
    assert_eq!(
        stage.connect("GET", &path, Value::Null).await.body["ContactFlow"]["Content"],
        json!(first)
    );
    let draft = stage
        .connect("GET", &format!("{path}%3A%24SAVED"), Value::Null)
        .await
        .body["ContactFlow"]
        .clone();
    assert_eq!(
        (&draft["Content"], &draft["Status"]),
        (&json!(second), &json!("SAVED"))
    );

    let stale = stage
        .connect(
            "PUT",
            &format!("{path}/version"),
            json!({"FlowContentSha256": "0".repeat(64)}),
        )
        .await;
    assert_eq!(failed(&stale), (400, "InvalidRequestException"));
    let version = stage
        .connect(
            "PUT",
            &format!("{path}/version"),
            json!({"FlowContentSha256": described["FlowContentSha256"]}),
        )
        .await;
    assert_eq!((&version.body["Version"], version.status), (&json!(1), 200));
    assert_eq!(
        stage
            .connect(
                "POST",
                &format!("{path}/content"),
                json!({"Content": second})
            )
            .await
            .status,
        200
    );
    assert_eq!(
        stage.connect("GET", &path, Value::Null).await.body["ContactFlow"]["Content"],
        json!(second)
    );
    assert_eq!(
        stage
            .connect("GET", &format!("{path}%3A1"), Value::Null)
            .await
            .body["ContactFlow"]["Content"],
        json!(first)
    );

    assert_eq!(
        stage.connect("DELETE", &path, Value::Null).await.status,
        200
    );
    assert_eq!(
        failed(&stage.connect("GET", &path, Value::Null).await),
        (404, "ResourceNotFoundException")
    );
    assert_eq!(
        failed(&stage.connect("DELETE", &path, Value::Null).await),
        (404, "ResourceNotFoundException")
    );
}

#[tokio::test]
async fn an_invalid_flow_is_refused_with_problems_and_no_message_but_can_be_saved() {
    let stage = Stage::new().await;
    let content = flow(
        json!([{"Identifier": "a", "Type": "PlayPrompt", "Parameters": {}, "Transitions": {}}]),
    );
    let body = json!({"Name": "Bad", "Type": "OUTBOUND_WHISPER", "Content": content});
    let refused = stage
        .connect("PUT", "/contact-flows/{i}", body.clone())
        .await;
    assert_eq!(failed(&refused), (400, "InvalidContactFlowException"));
    assert_eq!(
        refused.body,
        json!({"problems": [{"message": "Invalid Action type. Type: PlayPrompt"}]})
    );
    let mut saved = body;
    saved["Status"] = json!("SAVED");
    let saved = stage.connect("PUT", "/contact-flows/{i}", saved).await;
    let id = saved.body["ContactFlowId"].as_str().expect("id");
    assert_eq!(
        failed(
            &stage
                .connect("GET", &format!("/contact-flows/{{i}}/{id}"), Value::Null)
                .await
        ),
        (404, "ContactFlowNotPublishedException")
    );
    let path = format!("/queues/{{i}}/{}/outbound-caller-config", stage.queue(0));
    let attached = stage
        .connect(
            "POST",
            &path,
            json!({"OutboundCallerConfig": {"OutboundFlowId": id}}),
        )
        .await;
    assert_eq!(failed(&attached), (400, "InvalidRequestException"));
}

#[tokio::test]
async fn a_queues_caller_config_is_replaced_as_a_whole() {
    let stage = Stage::new().await;
    let flow_id = stage
        .create_flow(
            "Ours",
            "OUTBOUND_WHISPER",
            &serde_json::from_str(&flow(json!([end()]))).expect("flow"),
        )
        .await;
    let queue = format!("/queues/{{i}}/{}", stage.queue(0));
    let before =
        stage.connect("GET", &queue, Value::Null).await.body["Queue"]["OutboundCallerConfig"]
            .clone();
    assert!(
        before["OutboundCallerIdNumberId"].is_string() && before.get("OutboundFlowId").is_none(),
        "{before}"
    );
    let set = |config: Value| {
        let (stage, queue) = (&stage, &queue);
        async move {
            stage
                .connect(
                    "POST",
                    &format!("{queue}/outbound-caller-config"),
                    json!({"OutboundCallerConfig": config}),
                )
                .await
        }
    };
    let answer = set(json!({"OutboundFlowId": flow_id})).await;
    assert_eq!((answer.status, answer.body), (200, Value::Null));
    assert_eq!(
        stage.connect("GET", &queue, Value::Null).await.body["Queue"]["OutboundCallerConfig"],
        json!({"OutboundFlowId": flow_id})
    );
    stage
        .simulator
        .make(
            "/_sim/behaviour",
            json!({"omitted_caller_config_cleared": false}),
        )
        .await;
    set(json!({"OutboundCallerIdNumberId": before["OutboundCallerIdNumberId"]})).await;
    let after =
        stage.connect("GET", &queue, Value::Null).await.body["Queue"]["OutboundCallerConfig"]
            .clone();
    assert_eq!(
        (&after["OutboundFlowId"], &after["OutboundCallerIdNumberId"]),
        (&json!(flow_id), &before["OutboundCallerIdNumberId"])
    );
    assert_eq!(
        failed(&set(json!({"OutboundFlowId": "00000000-0000-4000-8000-000000000000"})).await),
        (404, "ResourceNotFoundException")
    );
    let inbound = stage.notice_flow().await;
    assert_eq!(
        failed(&set(json!({"OutboundFlowId": inbound})).await),
        (400, "InvalidParameterException")
    );
}

#[tokio::test]
async fn lists_are_filtered_and_paged() {
    let stage = Stage::new().await;
    let types = stage.connect("GET", "/contact-flows-summary/{i}?contactFlowTypes=OUTBOUND_WHISPER&contactFlowTypes=AGENT_WHISPER", Value::Null).await;
    let names: Vec<&Value> = types.body["ContactFlowSummaryList"]
        .as_array()
        .expect("list")
        .iter()
        .map(|flow| &flow["Name"])
        .collect();
    assert_eq!(names.len(), 2);
    let mut seen = Vec::new();
    let mut token = String::new();
    loop {
        let page = stage
            .connect(
                "GET",
                &format!("/contact-flows-summary/{{i}}?maxResults=3{token}"),
                Value::Null,
            )
            .await;
        assert_eq!(page.status, 200, "{page:?}");
        seen.extend(
            page.body["ContactFlowSummaryList"]
                .as_array()
                .expect("list")
                .iter()
                .map(|flow| flow["Id"].to_string()),
        );
        match page.body["NextToken"].as_str() {
            Some(next) => token = format!("&nextToken={next}"),
            None => break,
        }
    }
    seen.sort();
    seen.dedup();
    assert_eq!(seen.len(), 4);
    let queues = |query: &'static str| {
        let stage = &stage;
        async move {
            stage
                .connect("GET", &format!("/queues-summary/{{i}}{query}"), Value::Null)
                .await
                .body["QueueSummaryList"]
                .as_array()
                .map(Vec::len)
        }
    };
    assert_eq!(
        (
            queues("").await,
            queues("?queueTypes=STANDARD").await,
            queues("?queueTypes=AGENT").await
        ),
        (Some(4), Some(2), Some(2))
    );
    assert_eq!(
        failed(
            &stage
                .connect("GET", "/queues-summary/{i}?maxResults=1001", Value::Null)
                .await
        ),
        (400, "InvalidParameterException")
    );
    assert_eq!(
        failed(
            &stage
                .connect("GET", "/queues-summary/{i}?nextToken=x", Value::Null)
                .await
        ),
        (400, "InvalidRequestException")
    );
}

#[tokio::test]
async fn flows_are_found_by_tag_type_and_name() {
    let stage = Stage::new().await;
    let id = stage
        .create_flow(
            "Ringfence outbound whisper",
            "OUTBOUND_WHISPER",
            &serde_json::from_str(&flow(json!([end()]))).expect("flow"),
        )
        .await;
    let arn = format!("{}/contact-flow/{id}", stage.instance_arn)
        .replace(':', "%3A")
        .replace('/', "%2F");
    let tagged = stage
        .connect(
            "POST",
            &format!("/tags/{arn}"),
            json!({"tags": {"managed-by": "ringfence", "ringfence-flow": "whisper"}}),
        )
        .await;
    assert_eq!((tagged.status, tagged.body), (200, Value::Null));
    let search = |body: Value| {
        let stage = &stage;
        async move {
            let mut body = body;
            body["InstanceId"] = json!(stage.instance_id);
            let found = stage
                .connect("POST", "/search-contact-flows", body)
                .await
                .body;
            found["ContactFlows"]
                .as_array()
                .expect("flows")
                .iter()
                .map(|flow| flow["Name"].as_str().expect("name").to_owned())
                .collect::<Vec<_>>()
        }
    };
    let ours = ["Ringfence outbound whisper"];
    let tag = |value: &str| json!({"TagKey": "managed-by", "TagValue": value});
    assert_eq!(
        search(json!({"SearchFilter": {"TagFilter": {"TagCondition": tag("ringfence")}}})).await,
        ours
    );
    assert_eq!(search(json!({"SearchFilter": {"TagFilter": {"AndConditions": [tag("ringfence"), {"TagKey": "ringfence-flow", "TagValue": "notice"}]}}})).await.len(), 0);
    assert_eq!(search(json!({"SearchCriteria": {"StringCondition": {"FieldName": "Name", "Value": "ringfence", "ComparisonType": "STARTS_WITH"}}})).await, ours);
    assert_eq!(
        search(json!({"SearchCriteria": {"TypeCondition": "CONTACT_FLOW"}})).await,
        ["Sample inbound flow"]
    );
    let listed = stage
        .connect("GET", &format!("/tags/{arn}"), Value::Null)
        .await;
    assert_eq!(listed.body["tags"]["ringfence-flow"], "whisper");
    assert_eq!(
        stage
            .connect(
                "DELETE",
                &format!("/tags/{arn}?tagKeys=managed-by"),
                Value::Null
            )
            .await
            .status,
        200
    );
    assert_eq!(
        search(json!({"SearchFilter": {"TagFilter": {"TagCondition": tag("ringfence")}}}))
            .await
            .len(),
        0
    );
}

#[tokio::test]
async fn what_surrounds_a_queue_can_be_read() {
    let stage = Stage::new().await;
    let get = |path: String| {
        let stage = &stage;
        async move { stage.connect("GET", &path, Value::Null).await.body }
    };
    let instance = get("/instance/{i}".into()).await;
    assert_eq!(
        (
            &instance["Instance"]["Arn"],
            &instance["Instance"]["InstanceStatus"]
        ),
        (&json!(stage.instance_arn), &json!("ACTIVE"))
    );
    let by_arn = stage.instance_arn.replace(':', "%3A").replace('/', "%2F");
    assert_eq!(
        get(format!("/instance/{by_arn}")).await["Instance"]["Id"],
        json!(stage.instance_id)
    );
    let user = get(format!("/users/{{i}}/{}", stage.agent(0))).await;
    let profile_id = user["User"]["RoutingProfileId"]
        .as_str()
        .expect("id")
        .to_owned();
    let profile = get(format!("/routing-profiles/{{i}}/{profile_id}")).await;
    assert_eq!(
        profile["RoutingProfile"]["DefaultOutboundQueueId"],
        json!(stage.queue(0))
    );
    assert!(
        profile["RoutingProfile"]
            .get("AssociatedQueueIds")
            .is_none()
    );
    let queues = get(format!("/routing-profiles/{{i}}/{profile_id}/queues")).await;
    assert_eq!(
        queues["RoutingProfileQueueConfigSummaryList"]
            .as_array()
            .map(Vec::len),
        Some(2)
    );
    let numbers = stage
        .connect(
            "POST",
            "/phone-number/list",
            json!({"InstanceId": stage.instance_id, "PhoneNumberPrefix": "+12065550199"}),
        )
        .await;
    assert_eq!(
        numbers.body["ListPhoneNumbersSummaryList"][0]["PhoneNumberCountryCode"],
        "US"
    );
    let queue = get(format!("/queues/{{i}}/{}", stage.queue(0))).await;
    let hours = get(format!(
        "/hours-of-operations/{{i}}/{}",
        queue["Queue"]["HoursOfOperationId"].as_str().expect("id")
    ))
    .await;
    assert_eq!(
        hours["HoursOfOperation"]["Config"].as_array().map(Vec::len),
        Some(7)
    );
}

#[tokio::test]
async fn tasks_are_refused_outside_the_documented_constraints() {
    let stage = Stage::new().await;
    let notice = stage.notice_flow().await;
    let start = |change: Value| {
        let (stage, notice) = (&stage, &notice);
        async move {
            let mut body =
                json!({"InstanceId": stage.instance_id, "Name": "Notice", "ContactFlowId": notice});
            for (name, value) in change.as_object().expect("members") {
                body[name] = value.clone();
            }
            let answer = stage.connect("PUT", "/contact/task", body).await;
            (answer.status, answer.error.unwrap_or_default())
        }
    };
    let refused = |status: u16, code: &str| (status, code.to_owned());
    assert_eq!(start(json!({})).await, refused(200, ""));
    assert_eq!(
        start(json!({"Name": null})).await,
        refused(400, "InvalidParameterException")
    );
    assert_eq!(
        start(json!({"Name": "x".repeat(1025)})).await,
        refused(400, "InvalidParameterException")
    );
    assert_eq!(
        start(json!({"Description": "x".repeat(4097)})).await,
        refused(400, "InvalidParameterException")
    );
    assert_eq!(
        start(json!({"Attributes": {"a": "x".repeat(32_768)}})).await,
        refused(400, "InvalidParameterException")
    );
    assert_eq!(
        start(json!({"References": {"a": {"Type": "ATTACHMENT", "Value": "x"}}})).await,
        refused(400, "InvalidParameterException")
    );
    assert_eq!(
        start(json!({"QuickConnectId": "x"})).await,
        refused(400, "InvalidRequestException")
    );
    assert_eq!(
        start(json!({"ContactFlowId": null})).await,
        refused(400, "InvalidRequestException")
    );
    assert_eq!(
        start(json!({"ContactFlowId": "00000000-0000-4000-8000-000000000000"})).await,
        refused(404, "ResourceNotFoundException")
    );
    assert_eq!(
        start(json!({"RelatedContactId": "nobody"})).await,
        refused(404, "ResourceNotFoundException")
    );
    assert_eq!(
        start(json!({"RelatedContactId": "a", "PreviousContactId": "b"})).await,
        refused(400, "InvalidRequestException")
    );
    assert_eq!(
        start(json!({"ScheduledTime": 1.0})).await,
        refused(400, "InvalidParameterException")
    );
}

#[tokio::test]
async fn open_tasks_have_a_quota() {
    let simulator = Simulator::without_quotas().await;
    let keys = simulator.account(CUSTOMER).await;
    let made = simulator.make("/_sim/instances", json!({"account_id": CUSTOMER, "region": REGION, "alias": "small", "task_quota": 1,
        "queues": [{"name": "Sales", "caller_id": null}], "agents": [{"username": "jane", "queues": ["Sales"]}]})).await;
    let instance_arn = made["instance_arn"].as_str().expect("ARN");
    let flow = flow(json!([
        {"Identifier": "agent", "Type": "UpdateContactTargetQueue", "Parameters": {"AgentId": made["agents"][0]["arn"]},
            "Transitions": {"NextAction": "queue", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "end"}]}},
        {"Identifier": "queue", "Type": "TransferContactToQueue", "Parameters": {}, "Transitions": {"NextAction": "end", "Errors": [
            {"ErrorType": "QueueAtCapacity", "NextAction": "end"}, {"ErrorType": "NoMatchingError", "NextAction": "end"}]}},
        {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}]));
    let instance_id = instance_arn.rsplit('/').next().expect("id");
    let created = simulator
        .connect(
            &keys,
            "PUT",
            &format!("/contact-flows/{instance_id}"),
            json!({"Name": "Notice", "Type": "CONTACT_FLOW", "Content": flow}),
        )
        .await;
    let body = json!({"InstanceId": instance_id, "Name": "Notice", "ContactFlowId": created.body["ContactFlowId"]});
    assert_eq!(
        simulator
            .connect(&keys, "PUT", "/contact/task", body.clone())
            .await
            .status,
        200
    );
    assert_eq!(
        failed(&simulator.connect(&keys, "PUT", "/contact/task", body).await),
        (402, "ServiceQuotaExceededException")
    );
}

#[tokio::test]
async fn contacts_that_are_not_active_are_gone() {
    let stage = Stage::new().await;
    let stop = json!({"InstanceId": stage.instance_id, "ContactId": "00000000-0000-4000-8000-000000000000"});
    assert_eq!(
        failed(&stage.connect("POST", "/contact/stop", stop).await),
        (410, "ContactNotFoundException")
    );
    let elsewhere = json!({"InstanceId": "00000000-0000-4000-8000-000000000000", "ContactId": "x"});
    assert_eq!(
        failed(&stage.connect("POST", "/contact/stop", elsewhere).await),
        (404, "ResourceNotFoundException")
    );
}

#[tokio::test]
async fn stop_contact_has_a_burst_of_fifteen_and_its_throttling_a_switch() {
    let simulator = Simulator::start().await;
    let keys = simulator.account(CUSTOMER).await;
    let made = simulator
        .make(
            "/_sim/instances",
            json!({"account_id": CUSTOMER, "region": REGION, "alias": "a"}),
        )
        .await;
    let instance_id = made["instance_arn"]
        .as_str()
        .and_then(|arn| arn.rsplit('/').next())
        .expect("id");
    let stop = || {
        simulator.connect(
            &keys,
            "POST",
            "/contact/stop",
            json!({"InstanceId": instance_id, "ContactId": "x"}),
        )
    };
    for _ in 0..15 {
        assert_eq!(failed(&stop().await), (410, "ContactNotFoundException"));
    }
    // Ten a second flow back; asking faster than that meets the quota soon.
    let throttled = |wanted: &'static str| async move {
        for _ in 0..50 {
            let answer = stop().await;
            if answer.status == 429 {
                return assert_eq!(failed(&answer), (429, wanted));
            }
        }
        panic!("never throttled");
    };
    throttled("TooManyRequestsException").await;
    simulator
        .make(
            "/_sim/behaviour",
            json!({"stop_contact_throttling_exception": true}),
        )
        .await;
    throttled("ThrottlingException").await;
}
