//! Where blocks stand in Connect's flow editor. Pure; it says nothing about what a flow does.
//!
//! Invariant: no block of ours covers another block, ours or theirs, and arrows of ours lead to the right.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::document::{targets, text};

/// Distances at which the editor itself puts blocks; a block is about 200 wide.
const COLUMN: f64 = 320.0;
const LEFT: f64 = 220.0;
const TOP: f64 = 20.0;
const BETWEEN: f64 = 60.0;
/// Each column begins a little lower than the one before, so that an arrow that skips one does not run behind its block.
const STAIR: f64 = 80.0;
/// A block grows with every way out of it.
const HEAD: f64 = 100.0;
const BRANCH: f64 = 40.0;

/// The arrow into the flow starts here, left of the first block.
pub fn entry_point() -> Value {
    json!({ "x": 20, "y": number(TOP) })
}

/// Upper edge of what is drawn below these actions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Below(f64);

impl Below {
    pub const NOTHING: Self = Self(TOP);
}

/// Notes with a position for each of these actions: a column further right for every step from `start`, below what
/// stands in that column already. Answers where there is room again.
pub fn arranged(actions: &[Value], start: &str, below: Below) -> (Map<String, Value>, Below) {
    let columns = columns(actions, start);
    let mut free: BTreeMap<usize, f64> = BTreeMap::new();
    let mut notes = Map::new();
    let mut lowest = below.0;
    for action in actions {
        let Some(identifier) = text(action, "Identifier") else {
            continue;
        };
        let column = columns.get(identifier).copied().unwrap_or_default();
        let y = free
            .entry(column)
            .or_insert(below.0 + STAIR * column as f64);
        notes.insert(
            identifier.to_owned(),
            json!({ "position": { "x": number(LEFT + COLUMN * column as f64), "y": number(*y) } }),
        );
        *y += height(action) + BETWEEN;
        lowest = lowest.max(*y);
    }
    (notes, Below(lowest))
}

/// The customer's own notes, moved below `below` as they stand to each other; what has no position yet comes below those.
pub fn moved(
    actions: &[Value],
    start: &str,
    mut notes: Map<String, Value>,
    annotations: &mut [Value],
    below: Below,
) -> Map<String, Value> {
    let placed = || notes.values().chain(annotations.iter());
    let top = placed().filter_map(y_of).min_by(f64::total_cmp);
    let by = top.map_or(0.0, |top| below.0 - top);
    for note in notes.values_mut().chain(annotations.iter_mut()) {
        if let Some(y) = y_of(note)
            && let Some(place) = note.pointer_mut(Y)
        {
            *place = number(y + by);
        }
    }
    let edge = |action: &Value| {
        let note = notes.get(text(action, "Identifier")?)?;
        Some(y_of(note)? + height(action) + BETWEEN)
    };
    let lowest = actions.iter().filter_map(edge).max_by(f64::total_cmp);
    let lowest = Below(lowest.unwrap_or(below.0).max(below.0));
    let homeless: Vec<Value> = actions
        .iter()
        .filter(|action| edge(action).is_none())
        .cloned()
        .collect();
    for (identifier, place) in arranged(&homeless, start, lowest).0 {
        let note = notes.entry(identifier).or_insert_with(|| json!({}));
        if let (Some(note), Value::Object(place)) = (note.as_object_mut(), place) {
            note.extend(place);
        }
    }
    notes
}

/// Whole where it is, as the editor writes it.
fn number(value: f64) -> Value {
    if value.fract() == 0.0 {
        json!(value as i64)
    } else {
        json!(value)
    }
}

const Y: &str = "/position/y";

fn y_of(note: &Value) -> Option<f64> {
    note.pointer(Y).and_then(Value::as_f64)
}

fn height(action: &Value) -> f64 {
    HEAD + BRANCH * targets(action).count() as f64
}

/// How many steps of the longest way from `start` lead to each action; arrows back are not counted.
fn columns(actions: &[Value], start: &str) -> BTreeMap<String, usize> {
    let by_name: BTreeMap<&str, &Value> = actions
        .iter()
        .filter_map(|action| Some((text(action, "Identifier")?, action)))
        .collect();
    let mut walk = Walk::default();
    walk.visit(&by_name, start);
    for identifier in by_name.keys() {
        walk.visit(&by_name, identifier);
    }
    let mut columns = BTreeMap::new();
    for identifier in walk.ended.into_iter().rev() {
        let column: usize = columns.get(&identifier).copied().unwrap_or_default();
        for target in walk.forward.remove(&identifier).into_iter().flatten() {
            let further = columns.entry(target).or_default();
            *further = column.saturating_add(1).max(*further);
        }
        columns.insert(identifier, column);
    }
    columns
}

/// A depth-first walk without recursion: flows of customers may be 250 actions deep.
#[derive(Default)]
struct Walk {
    seen: BTreeSet<String>,
    open: BTreeSet<String>,
    /// Every action after all that it leads to.
    ended: Vec<String>,
    forward: BTreeMap<String, BTreeSet<String>>,
}

impl Walk {
    fn visit(&mut self, by_name: &BTreeMap<&str, &Value>, start: &str) {
        let mut stack = vec![(start.to_owned(), false)];
        while let Some((identifier, left)) = stack.pop() {
            if left {
                self.open.remove(&identifier);
                self.ended.push(identifier);
                continue;
            }
            let Some(action) = by_name.get(identifier.as_str()) else {
                continue;
            };
            if !self.seen.insert(identifier.clone()) {
                continue;
            }
            self.open.insert(identifier.clone());
            stack.push((identifier.clone(), true));
            let forward: BTreeSet<String> = targets(action)
                .filter(|target| by_name.contains_key(target) && !self.open.contains(*target))
                .map(str::to_owned)
                .collect();
            stack.extend(forward.iter().map(|target| (target.clone(), false)));
            self.forward.insert(identifier, forward);
        }
    }
}
