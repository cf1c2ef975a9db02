//! Whatever customers have and tenants ask for: the merged flow obeys the rules and keeps the shape of the original.

use proptest::prelude::*;

use super::layout::assert_tidy;
use super::*;

/// One action of a whisper that Connect would take; `pick` names others to go on to.
fn whisper_action(identifier: &str, kind: u16, pick: impl Fn(usize) -> String) -> Value {
    let failing = |error: &str| json!([{ "ErrorType": error, "NextAction": pick(1) }]);
    let (kind, parameters, errors, conditions) = match kind % 6 {
        0 => (
            "MessageParticipant",
            json!({ "Text": "This call is recorded." }),
            failing("NoMatchingError"),
            json!([]),
        ),
        1 => (
            "UpdateContactRecordingBehavior",
            json!({ "RecordingBehavior": { "RecordedParticipants": ["Agent"] } }),
            json!([]),
            json!([]),
        ),
        2 => (
            "UpdateContactAttributes",
            json!({ "Attributes": { "campaign": "spring" }, "TargetContact": "Current" }),
            failing("NoMatchingError"),
            json!([]),
        ),
        3 => (
            "InvokeLambdaFunction",
            json!({
                "LambdaFunctionARN": "arn:aws:lambda:us-east-1:111122223333:function:theirs",
                "InvocationTimeLimitSeconds": "3",
                "LambdaInvocationAttributes": { "k": "$.Attributes.k" },
                "ResponseValidation": { "ResponseType": "JSON" },
            }),
            failing("NoMatchingError"),
            json!([]),
        ),
        4 => (
            "Compare",
            json!({ "ComparisonValue": "$.Queue.Name" }),
            failing("NoMatchingCondition"),
            json!([{ "NextAction": pick(2), "Condition": { "Operator": "TextContains", "Operands": ["Sales", "VIP"] } }]),
        ),
        _ => {
            return json!({ "Identifier": identifier, "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} });
        }
    };
    json!({
        "Identifier": identifier, "Type": kind, "Parameters": parameters,
        "Transitions": { "NextAction": pick(0), "Errors": errors, "Conditions": conditions },
    })
}

/// A random whisper: each action goes on to random others, through every kind of transition.
fn flows() -> impl Strategy<Value = Value> {
    let names = prop::collection::btree_set("[a-zA-Z0-9 _.-]{1,50}", 1..30);
    (
        names,
        prop::collection::vec(any::<u16>(), 120),
        prop::collection::vec((0..3000_i32, -500..3000_i32), 30),
    )
        .prop_map(|(names, dice, places)| {
            let names: Vec<String> = names.into_iter().collect();
            let pick = |at: usize| names[usize::from(dice[at % dice.len()]) % names.len()].clone();
            let actions: Vec<Value> = names
                .iter()
                .enumerate()
                .map(|(at, name)| whisper_action(name, dice[at + 60], |way| pick(at * 3 + way)))
                .collect();
            // The editor notes a place for some of them.
            let notes: serde_json::Map<String, Value> = names
                .iter()
                .zip(&places)
                .filter(|(_, (x, _))| x % 3 > 0)
                .map(|(name, (x, y))| (name.clone(), json!({ "position": { "x": x, "y": y } })))
                .collect();
            json!({
                "Version": "2019-10-30", "StartAction": pick(119), "Actions": actions,
                "Metadata": { "ActionMetadata": notes },
            })
        })
}

fn givens() -> impl Strategy<Value = Given> {
    let emergency = prop::collection::btree_set("[+]?[1-9][0-9]{2}", 0..50);
    let prefixes = prop::collection::btree_set("[+][1-9][0-9]{0,5}", 0..40);
    (emergency, prefixes, any::<bool>()).prop_map(|(emergency, prefixes, has_fallback)| Given {
        emergency: emergency.into_iter().collect(),
        prefixes,
        has_fallback,
    })
}

proptest! {
    #[test]
    fn whatever_is_merged_obeys_the_rules_and_keeps_the_shape_of_the_original(
        original in flows(), given in givens(),
    ) {
        prop_assert_eq!(broken(&original.to_string(), FlowType::OutboundWhisper), Vec::<String>::new());
        // Composing checks the rules.
        let merged = given.compose(&original).expect("merged");
        assert_tidy(&merged);
        let ours = actions(&merged).len() - actions(&original).len();
        let renamed: Vec<&str> = identifiers(&merged).split_off(ours);
        let position = |names: &[&str], wanted: &str| names.iter().position(|name| *name == wanted);
        let old_names = identifiers(&original);
        for (old, new) in actions(&original).iter().zip(&actions(&merged)[ours..]) {
            let before: Vec<_> = targets(old).into_iter().map(|name| position(&old_names, name)).collect();
            let after: Vec<_> = targets(new).into_iter().map(|name| position(&renamed, name)).collect();
            prop_assert_eq!(before, after);
            prop_assert_eq!(&old["Type"], &new["Type"]);
            prop_assert_eq!(&old["Parameters"], &new["Parameters"]);
        }
        prop_assert_eq!(given.compose(&original).expect("merged"), merged);
    }

    #[test]
    fn a_bare_whisper_obeys_the_rules_whatever_is_asked_for(given in givens()) {
        assert_tidy(&given.bare());
    }
}
