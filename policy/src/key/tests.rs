//! Which attempts share a meter, and which never do.

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::*;
use crate::attempt::ContactKey;
use crate::dimension::AttributeName;

const OWNER: Owner<'static> = Owner {
    instance_arn: "arn:aws:connect:us-east-1:111122223333:instance/one",
    tenant_id: "ten_1",
};

/// All that two rules and two attempts can differ in where meters are concerned.
#[derive(Clone, Debug)]
struct Case {
    scope: Scope,
    per: BTreeSet<Dimension>,
    when: When,
    limit: Limit,
    attempt: Attempt,
}

impl Case {
    fn key(&self) -> MeterKey {
        let selector = Selector::of(&self.per, &self.when, &self.limit);
        MeterKey::of(OWNER, self.scope, &selector, &self.per, &self.attempt).unwrap()
    }

    fn value(&self, dimension: &Dimension) -> String {
        let number = |number: &Option<Number>| {
            let number = number.clone().unwrap();
            format!("{} {}", number.is_valid(), number.as_str())
        };
        match dimension {
            Dimension::Customer => number(&self.attempt.customer),
            Dimension::CallerId => number(&self.attempt.caller_id),
            Dimension::Agent => self.attempt.agent.clone().unwrap(),
            Dimension::Queue => self.attempt.queue.clone().unwrap(),
            Dimension::Attribute(name) => self.attempt.attribute(name).unwrap().to_owned(),
        }
    }

    fn is_counted_with(&self, other: &Self) -> bool {
        self.scope == other.scope
            && self.per == other.per
            && self.when == other.when
            && self.limit.is_pace() == other.limit.is_pace()
            && self
                .per
                .iter()
                .all(|dimension| self.value(dimension) == other.value(dimension))
    }
}

fn some_of(items: &'static [&'static str]) -> impl Strategy<Value = BTreeSet<String>> {
    subsequence(items, 0..=items.len().min(2))
        .prop_map(|items| items.into_iter().map(str::to_owned).collect())
}

/// Texts of the characters that a key gives a meaning to.
fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a,|;%+=:]{1,3}", "[ab]", Just("raw:a".to_owned())]
}

fn number() -> impl Strategy<Value = Number> {
    prop_oneof![
        select(vec!["+1", "+12"]).prop_map(|text| Number::E164(text.to_owned())),
        select(vec!["+1", "raw:+1", "%2B1", "+1,+1"]).prop_map(|text| Number::Raw(text.to_owned())),
        text().prop_map(Number::Raw),
    ]
}

fn per() -> impl Strategy<Value = BTreeSet<Dimension>> {
    let all = [
        "customer",
        "caller_id",
        "agent",
        "queue",
        "attribute:a",
        "attribute:b",
    ];
    let all: Vec<Dimension> = all
        .iter()
        .filter_map(|text| Dimension::parse(text))
        .collect();
    subsequence(all, 1..=3).prop_map(|per| per.into_iter().collect())
}

fn when() -> impl Strategy<Value = When> {
    let names = ["a", "b"].map(|name| AttributeName::parse(name).unwrap());
    let values = prop::collection::btree_set(text(), 1..3);
    let attributes = prop::collection::btree_map(select(names.to_vec()), values, 0..3);
    (
        some_of(&["+1", "+44"]),
        some_of(&["US", "GB"]),
        some_of(&["+1", "+44"]),
        some_of(&["a", "b", "agent/a"]),
        prop_oneof![2 => Just(BTreeMap::new()), 1 => attributes],
    )
        .prop_map(
            |(
                destination_prefixes,
                destination_countries,
                caller_id_prefixes,
                queues,
                attributes,
            )| When {
                destination_prefixes,
                destination_countries,
                caller_id_prefixes,
                queues,
                attributes,
            },
        )
}

fn limit() -> impl Strategy<Value = Limit> {
    prop_oneof![
        (1..3_u32, 1..3_u32).prop_map(|(max, window_seconds)| Limit::Sliding {
            max,
            window_seconds
        }),
        (2..4_u32, 1..3_u32).prop_map(|(block_at, quiet_seconds)| Limit::UntilQuiet {
            block_at,
            quiet_seconds
        }),
        (1..3_u32, 1..3_u32).prop_map(|(max, per_seconds)| Limit::Pace {
            max,
            per_seconds,
            burst: 1
        }),
    ]
}

fn attempt() -> impl Strategy<Value = Attempt> {
    (number(), number(), text(), text(), text(), text()).prop_map(
        |(customer, caller_id, agent, queue, a, b)| Attempt {
            contact: ContactKey([0; 16]),
            customer: Some(customer),
            customer_country: None,
            caller_id: Some(caller_id),
            agent: Some(agent),
            queue: Some(queue),
            attributes: BTreeMap::from([("a".to_owned(), a), ("b".to_owned(), b)]),
            dialled: Vec::new(),
        },
    )
}

fn case() -> impl Strategy<Value = Case> {
    let scope = select(vec![Scope::Instance, Scope::Tenant]);
    (scope, per(), when(), limit(), attempt()).prop_map(|(scope, per, when, limit, attempt)| Case {
        scope,
        per,
        when,
        limit,
        attempt,
    })
}

/// Two cases that differ in few things, or in none.
fn alike() -> impl Strategy<Value = (Case, Case)> {
    (case(), case(), 0..6_u8).prop_map(|(one, mut other, differs_in)| {
        let keep = |what: u8| what != differs_in;
        if keep(0) {
            other.scope = one.scope;
        }
        if keep(1) {
            other.per = one.per.clone();
        }
        if keep(2) {
            other.when = one.when.clone();
        }
        if keep(3) {
            other.attempt = one.attempt.clone();
        }
        (one, other)
    })
}

proptest! {
    #[test]
    fn two_attempts_share_a_meter_exactly_if_they_are_counted_together((one, other) in alike()) {
        prop_assert_eq!(
            one.key() == other.key(),
            one.is_counted_with(&other),
            "{} {}", one.key().stored(), other.key().stored()
        );
    }

    #[test]
    fn meters_of_rules_that_have_nothing_in_common_are_told_apart(one in case(), other in case()) {
        prop_assert_eq!(one.key() == other.key(), one.is_counted_with(&other));
    }
}

#[test]
fn a_key_too_long_for_the_store_becomes_a_digest_behind_its_owner() {
    let stored = |value: String| {
        let key = MeterKey {
            text: format!("ten_1|attribute|{value}"),
            scope: Scope::Tenant,
        };
        key.stored()
    };
    assert_eq!(stored("short".to_owned()), "ten_1|attribute|short");
    let (one, other) = (stored("x".repeat(2000)), stored("x".repeat(2001)));
    assert!(one.starts_with("ten_1|sha256|") && one.len() < STORED_MAX);
    assert_ne!(one, other);
    assert_eq!(one, stored("x".repeat(2000)));
}
