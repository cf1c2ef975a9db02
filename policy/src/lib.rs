//! What a limit means: the policy model, the pure decision, and the documents that travel between Ringfence's programs.
//!
//! The crate asks nobody for the time and talks to nobody, so the same code decides a live call, previews a policy and
//! replays history. Invariants: a [`Policy`] that exists is valid; a decision depends on its arguments alone; nothing
//! here panics, which the lints below hold.
#![cfg_attr(
    not(test),
    deny(
        clippy::unwrap_used,
        clippy::expect_used,
        clippy::panic,
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects
    )
)]

pub mod attempt;
mod compact;
mod count;
pub mod decide;
mod dimension;
pub mod draft;
mod elsewhere;
mod key;
mod limit;
mod listing;
pub mod meter;
mod notices;
mod past;
pub mod phrase;
pub mod plan;
mod policy;
mod rule;
mod when;
pub mod wire;
mod zone;

pub use attempt::{Attempt, ContactKey, Number};
pub use compact::{Compaction, compact};
pub use decide::{Deciding, Decision, OwnEntry, RuleOutcome, Verdict};
pub use dimension::{AttributeName, Dimension};
pub use draft::{Fault, PolicyDraft};
pub use elsewhere::LimitsElsewhere;
pub use key::{MeterKey, Owner};
pub use limit::{Limit, Period};
pub use listing::{List, Listing};
pub use meter::{Entry, Log, Status as EntryStatus};
pub use notices::{Language, NoticeTemplate, Notices, Placeholder};
pub use phrase::describe;
pub use plan::{NotApplied, Plan};
pub use policy::{Mode, OnUnavailable, Policy};
pub use rule::{Rule, RuleId, RuleMode, Scope};
pub use when::{When, is_number_prefix};
pub use zone::Zone;
