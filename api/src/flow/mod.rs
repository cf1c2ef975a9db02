//! The flows that Ringfence puts into an instance: pure functions from settings to flow content.
//!
//! Invariants: the same input gives the same text (so a digest tells whether anything changed); nothing audible
//! of a queue's former whisper is lost; our actions come before every action that could dial.
//! Failure: a former whisper that cannot be kept whole is refused with the reason, never cut down.

mod compose;
mod document;
mod guard;
mod layout;
mod merge;
mod notice;
#[cfg(test)]
mod tests;

pub use compose::{Rest, whisper, whisper_of_ours};
pub use guard::Guard;
pub use merge::NotMergeable;
pub use notice::notice;

/// The tag that marks what is ours; without it a flow of our name belongs to somebody else.
pub const TAG_MANAGED_BY: &str = "managed-by";
pub const TAG_MANAGED_BY_VALUE: &str = "ringfence";
pub const TAG_INSTANCE: &str = "ringfence-instance";
pub const TAG_FLOW: &str = "ringfence-flow";
/// On a whisper that goes on to a whisper of the customer's: the id of that one.
pub const TAG_ORIGINAL: &str = "ringfence-original";

pub const NOTICE_NAME: &str = "Ringfence notice";
pub const WHISPER_NAME: &str = "Ringfence outbound whisper";
/// Whether a flow of ours may have this name; the customer's may, too.
#[must_use]
pub fn is_name_of_ours(name: &str) -> bool {
    name == NOTICE_NAME || name.starts_with(WHISPER_NAME)
}

/// The flow that Connect runs on a queue without a whisper of its own.
pub const DEFAULT_OUTBOUND_NAME: &str = "Default outbound";

/// The name of the copy that goes on to `original_flow_id`; flow names are unique in an instance.
#[must_use]
pub fn whisper_name(original_flow_id: &str) -> String {
    let short: String = original_flow_id.chars().take(8).collect();
    format!("{WHISPER_NAME} {short}")
}
