//! The meters that hang on a customer's number: which there are, and letting them begin anew.
//!
//! A rule per customer alone has one meter. One that counts per something else as well has one for each combination, and
//! those that were tried are known from the decisions. These hold no contact attributes, so the meters of a rule that
//! counts per one cannot be named. Meters in which the number is the caller id are the tenant's own affair, and other
//! customers' limits hang on them: they are none of these, unless the customer is the number too.

use std::collections::{BTreeMap, BTreeSet};

use futures::future::join_all;
use ringfence_policy::{Attempt, ContactKey, Dimension, MeterKey, Owner, Policy, Rule, Scope};

use super::check_call::Place;
use crate::aws::{Aws, AwsError};
use crate::domain::phone::{PhoneNumber, recorded};
use crate::store::Tried;

/// The tables are the limiters' first of all.
const AT_ONCE: usize = 8;

/// A meter, behind the region whose table it is kept in.
pub type RegionalMeter = (String, MeterKey);

/// With what the number was called: at the instance in question, and at any of the tenant's.
#[derive(Debug, Clone, Copy)]
pub struct Combinations<'a> {
    pub here: &'a [Tried],
    pub anywhere: &'a [Tried],
}

/// The rules that count per customer, of those that read the same meters one: the others name no further ones.
pub fn customer_rules<'p>(policies: impl IntoIterator<Item = &'p Policy>) -> Vec<&'p Rule> {
    let mut found: Vec<&Rule> = Vec::new();
    for rule in policies.into_iter().flat_map(Policy::rules) {
        let is_known = found.iter().any(|known| known.shares_meters_with(rule));
        if rule.counts_per(&Dimension::Customer) && !is_known {
            found.push(rule);
        }
    }
    found
}

/// The number's meters that rules read at an instance.
#[must_use]
pub fn meters_of(
    rules: &[&Rule],
    place: Place<'_>,
    number: &PhoneNumber,
    combinations: Combinations<'_>,
) -> BTreeSet<RegionalMeter> {
    let instance_arn = place.instance.to_string();
    let owner = Owner {
        instance_arn: &instance_arn,
        tenant_id: place.tenant_id,
    };
    // Of a number that nobody called, or of whose calls nothing is on record yet, the meter of the customer alone.
    let attempts = |tried: &[Tried]| -> Vec<Attempt> {
        let unknown = Tried::default();
        let each = tried.iter().chain([&unknown]);
        each.map(|tried| attempt(number, tried)).collect()
    };
    let (here, anywhere) = (attempts(combinations.here), attempts(combinations.anywhere));
    let mut meters = BTreeSet::new();
    for rule in rules {
        let (attempts, region) = match rule.scope() {
            Scope::Instance => (&here, place.instance.region()),
            Scope::Tenant => (&anywhere, place.home_region),
        };
        let keys = attempts
            .iter()
            .filter_map(|attempt| rule.meter_named(owner, attempt));
        meters.extend(keys.map(|key| (region.to_owned(), key)));
    }
    meters
}

fn attempt(number: &PhoneNumber, tried: &Tried) -> Attempt {
    Attempt {
        contact: ContactKey([0; 16]),
        customer: Some(recorded(number.as_str())),
        customer_country: None,
        caller_id: tried.caller_id.as_deref().map(recorded),
        agent: tried.agent_arn.clone(),
        queue: tried.queue_arn.clone(),
        attributes: BTreeMap::new(),
        dialled: Vec::new(),
    }
}

/// The rules whose meters for the number cannot be named.
#[must_use]
pub fn rules_out_of_reach(policy: &Policy) -> Vec<String> {
    let of_customers = |rule: &&Rule| rule.counts_per(&Dimension::Customer);
    let rules = policy.rules().iter().filter(of_customers);
    rules
        .filter(|rule| rule.counts_per_attribute())
        .map(|rule| rule.id().to_string())
        .collect()
}

/// What came of letting meters begin anew.
#[derive(Debug, Default)]
pub struct Begun {
    /// By meter, whether anything stood in it.
    pub done: BTreeMap<RegionalMeter, bool>,
    /// Of each region that did not do as it should, why; the rest of its meters was not tried.
    pub failed: BTreeMap<String, AwsError>,
}

/// Region by region side by side, so that one that does not answer keeps no other waiting.
pub async fn begin_anew(aws: &Aws, meters: &BTreeSet<RegionalMeter>) -> Begun {
    let mut by_region: BTreeMap<&str, Vec<&MeterKey>> = BTreeMap::new();
    for (region, key) in meters {
        by_region.entry(region).or_default().push(key);
    }
    let regions = by_region.into_iter();
    let each = regions.map(|(region, keys)| begin_anew_in(aws, region, keys));
    let mut begun = Begun::default();
    for of_region in join_all(each).await {
        begun.done.extend(of_region.done);
        begun.failed.extend(of_region.failed);
    }
    begun
}

async fn begin_anew_in(aws: &Aws, region: &str, keys: Vec<&MeterKey>) -> Begun {
    let table = aws.meters(region);
    let mut begun = Begun::default();
    for some in keys.chunks(AT_ONCE) {
        let answers = join_all(some.iter().map(|key| table.begin_anew(key))).await;
        for (key, answer) in some.iter().zip(answers) {
            match answer {
                Ok(stood) => {
                    let meter = (region.to_owned(), (*key).clone());
                    begun.done.insert(meter, stood);
                }
                Err(err) => {
                    begun.failed.insert(region.to_owned(), err);
                }
            }
        }
        if !begun.failed.is_empty() {
            break;
        }
    }
    begun
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::domain::instance_arn::InstanceArn;

    const INSTANCE: &str = "arn:aws:connect:eu-west-2:111122223333:instance/one";

    fn policy(rules: &Value) -> Policy {
        serde_json::from_value(json!({ "rules": rules })).expect("a policy")
    }

    fn rule(id: &str, per: &[&str], more: Value) -> Value {
        let mut rule = json!({
            "id": id, "per": per, "limit": { "kind": "sliding", "max": 3, "window_seconds": 60 },
        });
        let more = more.as_object().expect("members").clone();
        rule.as_object_mut().expect("members").extend(more);
        rule
    }

    fn named(rules: Value, here: &[Tried], anywhere: &[Tried]) -> Vec<String> {
        let instance: InstanceArn = INSTANCE.parse().expect("an ARN");
        let place = Place {
            tenant_id: "ten_1",
            instance: &instance,
            home_region: "us-east-1",
        };
        let number = PhoneNumber::read("+12065550100").expect("a number");
        let combinations = Combinations { here, anywhere };
        let policy = policy(&rules);
        let rules = customer_rules([&policy]);
        let meters = meters_of(&rules, place, &number, combinations);
        meters
            .into_iter()
            .map(|(region, key)| format!("{region} {}", key.stored().replace(INSTANCE, "here")))
            .collect()
    }

    fn from(caller_id: &str) -> Tried {
        Tried {
            caller_id: Some(caller_id.to_owned()),
            ..Tried::default()
        }
    }

    #[test]
    fn a_rule_per_customer_has_one_meter_and_one_per_pair_a_meter_for_each_pair_that_was_tried() {
        let rules = json!([
            rule("alone", &["customer"], json!({})),
            rule("pairs", &["customer", "caller_id"], json!({})),
            rule("callers", &["caller_id"], json!({})),
        ]);
        assert_eq!(
            named(rules.clone(), &[], &[from("+14255550100")]),
            ["eu-west-2 here|customer|+12065550100"]
        );
        let here = [from("+14255550100"), from("5550"), Tried::default()];
        assert_eq!(
            named(rules, &here, &here),
            [
                "eu-west-2 here|customer+caller_id|+12065550100,+14255550100",
                "eu-west-2 here|customer+caller_id|+12065550100,raw:5550",
                "eu-west-2 here|customer|+12065550100",
            ]
        );
    }

    #[test]
    fn what_counts_over_all_instances_is_named_by_the_calls_of_all_in_the_home_region() {
        let rules = json!([rule(
            "pairs",
            &["customer", "caller_id"],
            json!({ "scope": "tenant" })
        )]);
        assert_eq!(
            named(rules, &[], &[from("+14255550100")]),
            ["us-east-1 ten_1|customer+caller_id|+12065550100,+14255550100"]
        );
    }

    #[test]
    fn a_filter_names_another_meter_whether_or_not_it_is_known_to_hold() {
        let filter = json!({ "when": { "attributes": { "campaign": ["spring"] }, "destination_prefixes": ["+44"] } });
        assert_eq!(
            named(json!([rule("spring", &["customer"], filter)]), &[], &[]),
            ["eu-west-2 here|customer;to=+44;attribute:campaign=spring|+12065550100"]
        );
    }

    #[test]
    fn rules_per_customer_and_attribute_are_told_as_out_of_reach_and_no_others() {
        let rules = json!([
            rule("both", &["customer", "attribute:campaign"], json!({})),
            rule("attribute", &["attribute:campaign"], json!({})),
            rule(
                "customer",
                &["customer"],
                json!({ "when": { "attributes": { "a": ["b"] } } })
            ),
        ]);
        assert_eq!(rules_out_of_reach(&policy(&rules)), ["both"]);
        let named = named(
            json!([rule("both", &["customer", "attribute:c"], json!({}))]),
            &[],
            &[],
        );
        assert!(named.is_empty(), "{named:?}");
    }
}
