//! The vectors, one by one.

use std::collections::{BTreeMap, BTreeSet};

use ringfence_limiter::number::Reading;
use ringfence_policy::Number;

use crate::read;

const VECTORS: &str = include_str!("vectors.jsonl");

type Row = (String, String, String, Option<String>, Option<String>);

struct Vector {
    default_country: String,
    what: String,
    text: String,
    /// None where the text is to keep its own form.
    key: Option<String>,
    country: Option<String>,
}

fn vectors() -> Vec<Vector> {
    let read = |line: &str| serde_json::from_str::<Row>(line).expect("a vector");
    let rows = VECTORS.lines().map(read);
    rows.map(|(default_country, what, text, key, country)| Vector {
        default_country,
        what,
        text,
        key,
        country,
    })
    .collect()
}

#[test]
fn every_number_is_read_as_another_implementation_reads_it() {
    let mut faults = Vec::new();
    for vector in vectors() {
        let found = read(&vector.text, &vector.default_country);
        let wanted = match &vector.key {
            Some(key) => Number::E164(key.clone()),
            None => Number::Raw(vector.text.trim().chars().take(100).collect()),
        };
        if found.number != wanted || found.country != vector.country {
            faults.push(format!(
                "{} {}: {:?} is read as {found:?}, not as {wanted:?} of {:?}",
                vector.default_country, vector.what, vector.text, vector.country
            ));
        }
    }
    assert!(
        faults.is_empty(),
        "{} faults:\n{}",
        faults.len(),
        faults.join("\n")
    );
}

/// An agent's redialling in another spelling must not begin a new count.
#[test]
fn one_number_has_one_key_however_it_is_spelt() {
    let varies = [
        "too short",
        "one digit less",
        "one digit more",
        "too long",
        // Ambiguous: in some countries the calling code with the number behind it is itself of possible length.
        "calling code without plus",
    ];
    let mut keys: BTreeMap<String, String> = BTreeMap::new();
    let (mut regions, mut compared) = (BTreeSet::new(), 0);
    for vector in vectors() {
        let Some((kind, what)) = vector.what.split_once(": ") else {
            continue;
        };
        let key = read(&vector.text, &vector.default_country).number;
        if what == "E.164" {
            regions.insert(vector.default_country);
            keys.insert(kind.to_owned(), key.as_str().to_owned());
        } else if !varies.contains(&what) {
            assert_eq!(key.as_str(), keys[kind], "{what}: {:?}", vector.text);
            compared += 1;
        }
    }
    assert_eq!(regions.len(), 245);
    assert!(compared > 4000, "{compared}");
}

#[test]
fn every_regions_emergency_numbers_are_recognised_and_are_no_customers_number() {
    let mut regions = BTreeSet::new();
    let mut number = String::new();
    for vector in vectors() {
        match vector.what.as_str() {
            "emergency" => number.clone_from(&vector.text),
            // The row after the number itself.
            "emergency behind the calling code" => {}
            _ => continue,
        }
        let forms = Reading::of(&vector.text, &vector.default_country).dialled();
        let place = format!("{} {:?}", vector.default_country, vector.text);
        assert!(forms.contains(&number), "{place}: {forms:?}");
        assert_eq!(vector.key, None, "{place}");
        regions.insert(vector.default_country);
    }
    assert!(regions.len() > 230, "{}", regions.len());
}

/// Numbers that a policy may name, as agents, softphones and other countries write them.
#[test]
fn an_emergency_number_is_recognised_in_whatever_digits_and_behind_whatever_calling_code() {
    for (default_country, text, form) in [
        ("US", "９１１", "911"),
        ("US", "٩١١", "911"),
        ("GB", "+1911", "911"),
        ("US", "+44 999", "999"),
        ("US", "2065550100", "12065550100"),
        ("US", "(206) 555-0100", "12065550100"),
        ("GB", "0012065550100", "12065550100"),
    ] {
        let forms = Reading::of(text, default_country).dialled();
        assert!(
            forms
                .iter()
                .any(|known| known.trim_start_matches('+') == form),
            "{text:?} in {default_country}: {forms:?}"
        );
    }
    // A number elsewhere that only looks alike behind its calling code.
    let forms = Reading::of("+8612065550100", "US").dialled();
    assert!(!forms.contains(&"12065550100".to_owned()), "{forms:?}");
}
