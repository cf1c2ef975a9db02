//! The guarantees of each kind of limit, over random attempts, clocks, policies and compactions.
//!
//! `PROPTEST_CASES` multiplies the work; without it the whole suite takes some seconds.

#[path = "../common/mod.rs"]
mod common;

mod agreement;
mod dials;
mod guarantees;
mod interleaved;
mod many;
mod nearness;
mod neighbours;
mod oracle;
mod policy_changes;

/// So many cases by default; `PROPTEST_CASES` asks for more in proportion.
fn cases(by_default: u32) -> proptest::prelude::ProptestConfig {
    let usual = 256;
    let asked = proptest::prelude::ProptestConfig::default().cases;
    proptest::prelude::ProptestConfig {
        failure_persistence: None,
        ..proptest::prelude::ProptestConfig::with_cases((by_default * asked).div_ceil(usual))
    }
}
