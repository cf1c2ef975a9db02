//! SearchContactFlows.

use serde_json::{Value, json};

use super::failure::Failure;
use super::flows::{sha256, state};
use super::instance::seconds;
use super::model::{Instance, StoredFlow};
use super::request::Call;

pub fn search(call: &Call<'_>) -> Result<Value, Failure> {
    let instance_id = call.text("InstanceId", 1, 100)?;
    call.authorize_instance(instance_id, "")?;
    let page = call.body_page_request(100)?;
    let criteria = call
        .body
        .get("SearchCriteria")
        .cloned()
        .unwrap_or(Value::Null);
    let filter = call
        .body
        .get("SearchFilter")
        .cloned()
        .unwrap_or(Value::Null);
    let found: Vec<Value> = call.read(instance_id, |instance| {
        let wanted = |flow: &&StoredFlow| meets(&criteria, flow) && passes(&filter, flow);
        Ok(instance
            .flows
            .values()
            .filter(wanted)
            .map(|flow| describe(instance, flow))
            .collect())
    })?;
    let total = found.len();
    let mut answer = call.page("ContactFlows", found, page)?;
    answer["ApproximateTotalCount"] = json!(total);
    Ok(answer)
}

fn describe(instance: &Instance, flow: &StoredFlow) -> Value {
    json!({
        "Arn": flow.arn,
        "Id": flow.id,
        "Name": flow.name,
        "Type": flow.flow_type.as_str(),
        "State": state(flow),
        "Status": if flow.published.is_some() { "PUBLISHED" } else { "SAVED" },
        "Description": flow.description.clone().unwrap_or_default(),
        "Content": flow.published_content().unwrap_or(&flow.saved),
        "Tags": flow.tags,
        "FlowContentSha256": sha256(flow.published_content().unwrap_or(&flow.saved)),
        "LastModifiedTime": seconds(flow.modified_at),
        "LastModifiedRegion": instance.region,
    })
}

fn meets(criteria: &Value, flow: &StoredFlow) -> bool {
    let text = |name: &str| criteria.get(name).and_then(Value::as_str);
    let list = |name: &str| criteria.get(name).and_then(Value::as_array);
    let string = criteria
        .get("StringCondition")
        .is_none_or(|condition| string_condition(condition, flow));
    string
        && text("TypeCondition").is_none_or(|wanted| wanted == flow.flow_type.as_str())
        && text("StateCondition").is_none_or(|wanted| wanted == state(flow))
        && text("StatusCondition")
            .is_none_or(|wanted| (wanted == "PUBLISHED") == flow.published.is_some())
        && list("OrConditions").is_none_or(|any| any.iter().any(|criteria| meets(criteria, flow)))
        && list("AndConditions").is_none_or(|all| all.iter().all(|criteria| meets(criteria, flow)))
}

fn string_condition(condition: &Value, flow: &StoredFlow) -> bool {
    let text = |name: &str| {
        condition
            .get(name)
            .and_then(Value::as_str)
            .unwrap_or_default()
    };
    let field = match text("FieldName").to_ascii_lowercase().as_str() {
        "name" => flow.name.to_lowercase(),
        "description" => flow.description.clone().unwrap_or_default().to_lowercase(),
        _ => return false,
    };
    let value = text("Value").to_lowercase();
    match text("ComparisonType") {
        "STARTS_WITH" => field.starts_with(&value),
        "CONTAINS" => field.contains(&value),
        _ => field == value,
    }
}

fn passes(filter: &Value, flow: &StoredFlow) -> bool {
    let tags = filter
        .get("TagFilter")
        .is_none_or(|filter| tag_filter(filter, flow));
    let attributes = filter.get("FlowAttributeFilter").is_none_or(|filter| {
        filter
            .get("OrConditions")
            .and_then(Value::as_array)
            .is_none_or(|any| any.iter().any(|and| and_condition(and, flow)))
            && filter
                .get("AndCondition")
                .is_none_or(|and| and_condition(and, flow))
            && filter
                .get("TagCondition")
                .is_none_or(|condition| tag_condition(condition, flow))
            && filter
                .get("ContactFlowTypeCondition")
                .is_none_or(|condition| type_condition(condition, flow))
    });
    tags && attributes
}

fn tag_filter(filter: &Value, flow: &StoredFlow) -> bool {
    let all = |conditions: &Value| {
        conditions
            .as_array()
            .is_some_and(|all| all.iter().all(|condition| tag_condition(condition, flow)))
    };
    filter
        .get("OrConditions")
        .and_then(Value::as_array)
        .is_none_or(|any| any.iter().any(all))
        && filter.get("AndConditions").is_none_or(all)
        && filter
            .get("TagCondition")
            .is_none_or(|condition| tag_condition(condition, flow))
}

fn and_condition(and: &Value, flow: &StoredFlow) -> bool {
    and.get("TagConditions")
        .and_then(Value::as_array)
        .is_none_or(|all| all.iter().all(|condition| tag_condition(condition, flow)))
        && and
            .get("ContactFlowTypeCondition")
            .is_none_or(|condition| type_condition(condition, flow))
}

fn tag_condition(condition: &Value, flow: &StoredFlow) -> bool {
    let text = |name: &str| condition.get(name).and_then(Value::as_str);
    text("TagKey")
        .and_then(|key| flow.tags.get(key))
        .is_some_and(|value| text("TagValue").is_none_or(|wanted| wanted == value))
}

fn type_condition(condition: &Value, flow: &StoredFlow) -> bool {
    condition.get("ContactFlowType").and_then(Value::as_str) == Some(flow.flow_type.as_str())
}
