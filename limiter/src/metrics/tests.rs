//! Each line is read as CloudWatch would read it: by the rules of its embedded metric format.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_policy::wire::v1::{Mode, SCHEMA};
use serde_json::Value;

use super::*;

const UNITS: [&str; 2] = ["Count", "Milliseconds"];

fn at() -> Timestamp {
    Timestamp::from_millisecond(1_764_093_600_123).unwrap()
}

fn record(outcome: Outcome, tenant: &str, number: &str) -> DecisionRecord {
    DecisionRecord {
        outcome,
        tenant_id: tenant.to_owned(),
        customer_number: Some(number.to_owned()),
        caller_id: Some(number.to_owned()),
        agent_arn: Some(format!("agent {number}")),
        contact_id: format!("contact {number}"),
        rule_id: Some(format!("rule {number}")),
        ..serde_json::from_value(serde_json::json!({
            "schema": SCHEMA, "instance_arn": "arn", "instance_id": "ins_1", "tenant_id": "", "contact_id": "",
            "at": at(), "outcome": "allowed", "mode": Mode::Enforce, "policy_id": "pol_1", "policy_version": 1,
            "revision": 1, "decided_in_ms": 1
        }))
        .unwrap()
    }
}

fn line_of(record: &DecisionRecord) -> String {
    let measures = Measures::default();
    measures.decided(record);
    measures.line(at(), Duration::from_micros(4321), false)
}

/// A metric as CloudWatch keeps it: its name and its dimensions.
type Identity = (String, BTreeMap<String, String>);

/// The metrics that CloudWatch takes from a line, or the rule of the format that it breaks.
fn read(line: &str) -> Result<BTreeMap<Identity, f64>, String> {
    let text = |value: &Value, what: &str, longest: usize| match value.as_str() {
        Some(text) if (1..=longest).contains(&text.len()) => Ok(text.to_owned()),
        _ => Err(format!("{what} is no text of 1 to {longest}")),
    };
    let list = |value: &Value, what: &str| {
        value
            .as_array()
            .cloned()
            .ok_or(format!("{what} is no list"))
    };
    let root: Value = serde_json::from_str(line).map_err(|err| err.to_string())?;
    let metadata = &root["_aws"];
    metadata["Timestamp"]
        .as_i64()
        .filter(|ms| *ms > 0)
        .ok_or("Timestamp is no time")?;
    let mut metrics = BTreeMap::new();
    for directive in list(&metadata["CloudWatchMetrics"], "CloudWatchMetrics")? {
        let namespace = text(&directive["Namespace"], "Namespace", 255)?;
        if namespace.starts_with("AWS/") {
            return Err("the namespace is AWS's own".to_owned());
        }
        let sets = list(&directive["Dimensions"], "Dimensions")?;
        let definitions = list(&directive["Metrics"], "Metrics")?;
        if sets.is_empty() || !(1..=100).contains(&definitions.len()) {
            return Err("a directive of no set, or of no or too many metrics".to_owned());
        }
        for set in sets {
            let mut dimensions = BTreeMap::new();
            for name in list(&set, "a set of dimensions")? {
                let name = text(&name, "a dimension's name", 250)?;
                let value = text(&root[&name], "a dimension's value", 1024)?;
                dimensions.insert(name, value);
            }
            if dimensions.len() > 9 {
                return Err("too many dimensions".to_owned());
            }
            for definition in &definitions {
                let name = text(&definition["Name"], "a metric's name", 255)?;
                if !UNITS.contains(&text(&definition["Unit"], "a unit", 30)?.as_str()) {
                    return Err("an unknown unit".to_owned());
                }
                let value = root[&name].as_f64().ok_or(format!("{name} is no number"))?;
                metrics.insert((name, dimensions.clone()), value);
            }
        }
    }
    Ok(metrics)
}

fn whole(metrics: &BTreeMap<Identity, f64>, name: &str) -> Option<f64> {
    metrics.get(&(name.to_owned(), BTreeMap::new())).copied()
}

const OUTCOMES: [Outcome; 9] = [
    Outcome::Allowed,
    Outcome::Denied,
    Outcome::WouldDeny,
    Outcome::Exempt,
    Outcome::Emergency,
    Outcome::Unregistered,
    Outcome::Suspended,
    Outcome::FailedOpen,
    Outcome::FailedClosed,
];

#[test]
fn every_line_follows_the_rules_of_the_format_and_is_one_line() {
    let malformed = Measures::default().line(at(), Duration::ZERO, true);
    let passed = Measures::default();
    passed.passed(Outcome::Unregistered);
    passed.policy_age(Duration::from_secs(7));
    let passed = passed.line(at(), Duration::from_secs(1), false);
    let decided = OUTCOMES.map(|outcome| line_of(&record(outcome, "ten_1", "+1")));
    for line in decided.iter().chain([&malformed, &passed]) {
        read(line).unwrap_or_else(|broken| panic!("{broken}: {line}"));
        assert!(!line.contains('\n') && line.starts_with('{'));
    }
    assert_eq!(
        whole(&read(&malformed).unwrap(), "MalformedEvents"),
        Some(1.0)
    );
    assert_eq!(whole(&read(&malformed).unwrap(), "ColdStarts"), Some(1.0));
    assert_eq!(whole(&read(&passed).unwrap(), "PolicyAgeMs"), Some(7000.0));
}

#[test]
fn the_number_of_metrics_grows_with_outcomes_and_tenants_and_with_nothing_else() {
    let kept = |lines: &[String]| -> BTreeSet<Identity> {
        lines
            .iter()
            .flat_map(|line| read(line).unwrap().into_keys())
            .collect()
    };
    let of_all_outcomes = |tenant: &str, number: &str| -> Vec<String> {
        OUTCOMES
            .iter()
            .map(|outcome| line_of(&record(*outcome, tenant, number)))
            .collect()
    };
    let once = kept(&of_all_outcomes("ten_1", "+12065550100"));
    let many: Vec<String> = (0..200)
        .flat_map(|number| of_all_outcomes("ten_1", &format!("+1206555{number:04}")))
        .collect();
    assert_eq!(
        kept(&many),
        once,
        "another number, agent, rule or contact is another metric"
    );
    assert!(
        many.iter().all(|line| !line.contains("+1206")),
        "a number stands in a line"
    );
    let another_tenant = [
        of_all_outcomes("ten_1", "+1"),
        of_all_outcomes("ten_2", "+1"),
    ]
    .concat();
    assert_eq!(kept(&another_tenant).len(), once.len() + OUTCOMES.len());
}

#[test]
fn a_fail_open_is_counted_as_one_and_nothing_else_is() {
    for outcome in OUTCOMES {
        let metrics = read(&line_of(&record(outcome, "ten_1", "+1"))).unwrap();
        let expected = if outcome == Outcome::FailedOpen {
            1.0
        } else {
            0.0
        };
        assert_eq!(whole(&metrics, "FailOpens"), Some(expected), "{outcome:?}");
    }
}
