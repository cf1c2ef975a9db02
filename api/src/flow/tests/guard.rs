//! Which calls ask the limiter, and where each answer leads.

use super::*;

/// Where the flow goes for a call, given what the comparison looks at.
fn compared<'a>(flow: &'a Value, identifier: &str, value: &str) -> &'a str {
    let transitions = &action(flow, identifier)["Transitions"];
    let conditions = transitions["Conditions"].as_array().expect("conditions");
    let holds = |condition: &&Value| {
        let operand = condition["Condition"]["Operands"][0]
            .as_str()
            .expect("an operand");
        match condition["Condition"]["Operator"]
            .as_str()
            .expect("an operator")
        {
            "Equals" => value == operand,
            "TextStartsWith" => value.starts_with(operand),
            other => panic!("{other}"),
        }
    };
    let first = conditions.iter().find(holds);
    first.unwrap_or(transitions)["NextAction"]
        .as_str()
        .expect("a target")
}

/// Whether a voice call to this address is the limiter's.
fn asks(flow: &Value, address: &str) -> bool {
    let mut at = compared(flow, "rf-channel", "VOICE");
    while action(flow, at)["Type"] == "Compare" {
        at = compared(flow, at, address);
    }
    at == "rf-limit"
}

#[test]
fn without_emergency_numbers_no_empty_comparison_is_written() {
    let flow = Given::default().bare();
    assert!(!identifiers(&flow).contains(&"rf-emergency"));
    assert!(asks(&flow, "911"));
}

#[test]
fn more_emergency_numbers_than_a_block_compares_are_none_the_less_let_out() {
    for count in [49, 50, 51, 100, 101] {
        let emergency: Vec<String> = (100..100 + count).map(|it| it.to_string()).collect();
        let given = Given {
            emergency: emergency.clone(),
            ..Given::everything()
        };
        for flow in [
            given.bare(),
            given.compose(&default_outbound()).expect("merged"),
        ] {
            assert!(emergency.iter().all(|number| !asks(&flow, number)));
            assert!(asks(&flow, "+12065550100") && asks(&flow, "99"), "{count}");
        }
    }
}

#[test]
fn without_a_prefix_filter_every_call_but_an_emergency_asks_the_limiter() {
    let flow = Given::emergency().bare();
    for address in ["+12065550100", "+8613800000000", "anonymous", ""] {
        assert!(asks(&flow, address), "{address}");
    }
    assert!(!asks(&flow, "911") && !asks(&flow, "+1911"));
}

#[test]
fn a_prefix_filter_lets_international_numbers_with_another_beginning_pass_and_nothing_else() {
    let given = Given::everything();
    for flow in [
        given.bare(),
        given.compose(&default_outbound()).expect("merged"),
    ] {
        for address in [
            "+12065550100",
            "+8613800000000",
            "2065550100",
            "0012065550100",
            "anonymous",
            "",
        ] {
            assert!(asks(&flow, address), "{address}");
        }
        for address in [
            "+442079460000",
            "+",
            "+85212345678",
            "911",
            "+1911",
            "+1933",
        ] {
            assert!(!asks(&flow, address), "{address}");
        }
    }
}

#[test]
fn a_denied_call_reaches_nothing_that_could_dial() {
    for given in [Given::emergency(), Given::everything()] {
        for flow in [
            given.bare(),
            given.compose(&default_outbound()).expect("merged"),
        ] {
            let denied = compared(&flow, "rf-verdict", "false");
            let types: Vec<&Value> = reachable(&flow, denied)
                .into_iter()
                .map(|identifier| &action(&flow, identifier)["Type"])
                .collect();
            assert_eq!(types, [&json!("EndFlowExecution")]);
        }
    }
}

#[test]
fn a_failing_limiter_lets_the_call_go_on_with_the_former_whisper() {
    let flow = compose(&default_outbound()).expect("merged");
    let own = "own-3f0c1d2e-recording";
    assert_eq!(
        action(&flow, "rf-limit")["Transitions"]["Errors"][0]["NextAction"],
        own
    );
    assert_eq!(compared(&flow, "rf-verdict", "true"), own);
    assert_eq!(compared(&flow, "rf-verdict", ""), own);
}

#[test]
fn where_deny_is_wanted_only_a_plain_yes_passes_by_the_fallback() {
    let flow = Given::everything()
        .compose(&default_outbound())
        .expect("merged");
    let own = "own-3f0c1d2e-recording";
    assert_eq!(
        action(&flow, "rf-limit")["Transitions"]["Errors"][0]["NextAction"],
        "rf-fallback"
    );
    assert_eq!(compared(&flow, "rf-verdict", "true"), own);
    for nonsense in ["", "yes", "True"] {
        assert_eq!(compared(&flow, "rf-verdict", nonsense), "rf-fallback");
    }
    let fallback = action(&flow, "rf-fallback");
    assert_eq!(fallback["Parameters"]["LambdaFunctionARN"], FALLBACK);
    assert_eq!(fallback["Transitions"]["NextAction"], "rf-end");
    // What cannot be stopped goes out as it always did.
    assert_eq!(fallback["Transitions"]["Errors"][0]["NextAction"], own);
}
