//! Each kind of flow that is ever published, whole, as it was agreed.

use serde_json::Value;

use super::*;

#[test]
fn the_notice_flow_is_as_agreed() {
    let text = notice(FUNCTION);
    assert_eq!(broken(&text, FlowType::ContactFlow), Vec::<String>::new());
    let flow: Value = serde_json::from_str(&text).expect("JSON");
    insta::assert_json_snapshot!(flow);
}

#[test]
fn the_bare_whisper_is_as_agreed() {
    insta::assert_json_snapshot!(Given::emergency().bare());
}

#[test]
fn the_bare_whisper_with_everything_asked_for_is_as_agreed() {
    insta::assert_json_snapshot!(Given::everything().bare());
}

#[test]
fn the_whisper_in_front_of_default_outbound_is_as_agreed() {
    insta::assert_json_snapshot!(compose(&default_outbound()).expect("merged"));
}

#[test]
fn the_merged_whisper_with_everything_asked_for_is_as_agreed() {
    let merged = Given::everything().compose(&default_outbound());
    insta::assert_json_snapshot!(merged.expect("merged"));
}
