//! What may come: instances, wishes, and what disturbs the passes that work for them.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;
use ringfence_api::domain::installation::ExistingWhisper;

use crate::fake::{DEFAULT_OUTBOUND, Fault};

pub const QUEUES: [&str; 4] = ["a", "b", "c", "d"];
pub const OWN: [&str; 2] = ["their-first", "their-second"];

#[derive(Debug, Clone)]
pub struct Ask {
    pub existing_whisper: ExistingWhisper,
    /// By place; none means all.
    pub queues: Option<BTreeSet<usize>>,
    /// Calls that the limiter says nothing of are to be denied.
    pub denies: bool,
    pub has_prefixes: bool,
    /// The operator moves the instance to the other limiter function meanwhile.
    pub moves: bool,
    /// What becomes of the passes that work for it.
    pub passes: Vec<Disturbed>,
}

/// What somebody does in the instance, or at the function.
#[derive(Debug, Clone, Copy)]
pub enum Edit {
    /// The queue of this place gets this whisper of the customer's own.
    Repoint(usize, usize),
    /// Of our flows, the one of this place.
    DeleteOurs(usize),
    RewriteOurs(usize),
    Ungrant,
}

#[derive(Debug, Clone)]
pub struct Disturbed {
    pub cut_off: Option<Fault>,
    /// Before which request.
    pub edit: Option<(u32, Edit)>,
}

#[derive(Debug, Clone)]
pub struct Case {
    pub queues: Vec<Option<&'static str>>,
    pub asks: Vec<Ask>,
    /// The operator moves it just before everything is to go.
    pub moves: bool,
    pub removal: Vec<Disturbed>,
}

/// The whisper that the customer gives a queue: none, Connect's default, or one of their own.
fn whisper() -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![
        Just(None),
        Just(Some(DEFAULT_OUTBOUND)),
        Just(Some(OWN[0])),
        Just(Some(OWN[1])),
    ]
}

fn cut_off() -> impl Strategy<Value = Option<Fault>> {
    prop_oneof![
        1 => Just(None),
        4 => (1..30_u32).prop_map(|at| Some(Fault::Before(at))),
        4 => (1..30_u32).prop_map(|at| Some(Fault::After(at))),
    ]
}

fn edit(queues: usize, may_repoint: bool) -> impl Strategy<Value = Edit> {
    let repoint = (0..queues, 0..OWN.len()).prop_map(|(queue, own)| Edit::Repoint(queue, own));
    prop_oneof![
        if may_repoint { 4 } else { 0 } => repoint,
        2 => (0..4_usize).prop_map(Edit::DeleteOurs),
        1 => (0..4_usize).prop_map(Edit::RewriteOurs),
        1 => Just(Edit::Ungrant),
    ]
}

fn disturbed(queues: usize, may_repoint: bool) -> impl Strategy<Value = Vec<Disturbed>> {
    let edit = proptest::option::weighted(0.5, (1..30_u32, edit(queues, may_repoint)));
    let one = (cut_off(), edit).prop_map(|(cut_off, edit)| Disturbed { cut_off, edit });
    vec(one, 0..4)
}

fn ask(queues: usize) -> impl Strategy<Value = Ask> {
    let existing_whisper = prop_oneof![
        1 => Just(ExistingWhisper::Refuse),
        1 => Just(ExistingWhisper::Replace),
        2 => Just(ExistingWhisper::Merge),
    ];
    let some = proptest::collection::btree_set(0..queues, 1..=queues);
    let chosen = proptest::option::weighted(0.4, some);
    let moves = prop::bool::weighted(0.4);
    let (denies, has_prefixes) = (prop::bool::weighted(0.4), prop::bool::weighted(0.3));
    let more = (moves, denies, has_prefixes);
    (existing_whisper, chosen, more, disturbed(queues, true)).prop_map(
        |(existing_whisper, queues, (moves, denies, has_prefixes), passes)| Ask {
            existing_whisper,
            queues,
            denies,
            has_prefixes,
            moves,
            passes,
        },
    )
}

pub fn case() -> impl Strategy<Value = Case> {
    (1..=QUEUES.len()).prop_flat_map(|count| {
        (
            vec(whisper(), count),
            vec(ask(count), 1..3),
            prop::bool::weighted(0.3),
            disturbed(count, false),
        )
            .prop_map(|(queues, asks, moves, removal)| Case {
                queues,
                asks,
                moves,
                removal,
            })
    })
}
