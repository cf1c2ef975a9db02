//! Flows look tidy in the editor: nothing covers anything, and ours reads from left to right.

use super::*;

/// As the editor draws them, roughly.
const WIDTH: f64 = 200.0;

#[derive(Debug)]
struct Block {
    name: String,
    x: f64,
    y: f64,
    height: f64,
}

pub fn assert_tidy(flow: &Value) {
    let blocks: Vec<Block> = actions(flow).iter().map(|it| block(flow, it)).collect();
    for (at, one) in blocks.iter().enumerate() {
        assert!(one.x >= 0.0 && one.y >= 0.0, "{one:?} is out of sight");
        for other in &blocks[at + 1..] {
            let theirs = one.name.starts_with("own-") && other.name.starts_with("own-");
            let apart = (one.x - other.x).abs() >= WIDTH
                || one.y + one.height <= other.y
                || other.y + other.height <= one.y;
            assert!(apart || theirs, "{one:?} covers {other:?}");
        }
    }
    let entry = &flow["Metadata"]["entryPointPosition"];
    let start = block(
        flow,
        action(flow, flow["StartAction"].as_str().expect("a start")),
    );
    assert!(entry["x"].as_f64().expect("x") + 100.0 <= start.x);
    assert_eq!(entry["y"].as_f64(), Some(start.y));
}

fn block(flow: &Value, action: &Value) -> Block {
    let name = action["Identifier"].as_str().expect("a name").to_owned();
    let position = &flow["Metadata"]["ActionMetadata"][&name]["position"];
    let part = |axis: &str| {
        position[axis]
            .as_f64()
            .unwrap_or_else(|| panic!("{name} has no place"))
    };
    Block {
        x: part("x"),
        y: part("y"),
        height: 100.0 + 40.0 * targets(action).len() as f64,
        name,
    }
}

#[test]
fn every_flow_of_ours_is_tidy() {
    let notice: Value = serde_json::from_str(&notice(FUNCTION)).expect("JSON");
    assert_tidy(&notice);
    let crowded = Given {
        emergency: (0..120).map(|number| number.to_string()).collect(),
        prefixes: (1..41).map(|number| format!("+{number}")).collect(),
        has_fallback: true,
    };
    for given in [
        Given::default(),
        Given::emergency(),
        Given::everything(),
        crowded,
    ] {
        assert_tidy(&given.bare());
        assert_tidy(&given.compose(&default_outbound()).expect("merged"));
    }
}

#[test]
fn our_arrows_lead_to_the_right() {
    let flow = Given::everything().bare();
    for from in actions(&flow) {
        for to in targets(from) {
            let (from, to) = (block(&flow, from), block(&flow, action(&flow, to)));
            assert!(from.x < to.x, "{from:?} → {to:?}");
        }
    }
}

#[test]
fn what_the_customer_placed_keeps_its_shape_below_ours() {
    let flow = compose(&default_outbound()).expect("merged");
    let place = |name: &str| block(&flow, action(&flow, name));
    let (recording, prompt, end) = (
        place("own-3f0c1d2e-recording"),
        place("own-prompt"),
        place("own-end"),
    );
    let annotation = &flow["Metadata"]["Annotations"][0]["position"];
    assert_eq!(prompt.x - recording.x, 260.5);
    assert_eq!(prompt.y, recording.y);
    assert_eq!(annotation["y"].as_f64(), Some(prompt.y - 30.0));
    assert!(end.y > prompt.y, "a block without a place stands below");
    let ours = actions(&flow)
        .iter()
        .map(|it| block(&flow, it))
        .filter(|block| block.name.starts_with("rf-"));
    for block in ours {
        assert!(block.y + block.height < recording.y, "{block:?}");
    }
}

#[test]
fn a_customers_flow_that_goes_round_in_circles_gets_places_too() {
    let round = json!({
        "Version": "2019-10-30", "StartAction": "a",
        "Actions": [
            { "Identifier": "a", "Type": "UpdateContactAttributes", "Parameters": {}, "Transitions": { "NextAction": "b" } },
            { "Identifier": "b", "Type": "UpdateContactAttributes", "Parameters": {}, "Transitions": { "NextAction": "a" } },
            { "Identifier": "alone", "Type": "EndFlowExecution", "Parameters": {}, "Transitions": {} },
        ],
    });
    assert_tidy(&compose(&round).expect("merged"));
}
