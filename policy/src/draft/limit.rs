//! Reads the limit of one rule: its kind and the numbers that belong to it.

use super::code;
use super::reader::Fields;
use crate::limit::Limit;

/// A meter remembers each attempt by itself up to this many.
const ATTEMPTS_MAX: u32 = 256;
const SECONDS_MAX: u32 = 31 * 24 * 60 * 60;

pub(super) fn read(rule: &mut Fields<'_>) -> Option<Limit> {
    rule.required("limit", |rule, node| {
        let pointer = rule.pointer_to("limit");
        let mut fields = Fields::open(pointer, node, rule.faults())?;
        let kind = fields.required("kind", |fields, node| fields.text_of("kind", node))?;
        match kind.as_str() {
            "until_quiet" => read_until_quiet(fields),
            "sliding" => read_sliding(fields),
            "consecutive_days" | "calendar" | "pace" => {
                fields.fault(
                    "kind",
                    code::NOT_SUPPORTED,
                    "is not supported yet; supported: \"until_quiet\", \"sliding\"",
                );
                None
            }
            _ => {
                fields.fault(
                    "kind",
                    code::INVALID,
                    "must be \"until_quiet\" or \"sliding\"",
                );
                None
            }
        }
    })
}

fn read_until_quiet(mut fields: Fields<'_>) -> Option<Limit> {
    let block_at = fields.whole_number("block_at", 2..=ATTEMPTS_MAX);
    let quiet_seconds = fields.whole_number("quiet_seconds", 1..=SECONDS_MAX);
    fields.close();
    Some(Limit::UntilQuiet {
        block_at: block_at?,
        quiet_seconds: quiet_seconds?,
    })
}

fn read_sliding(mut fields: Fields<'_>) -> Option<Limit> {
    let max = fields.whole_number("max", 1..=ATTEMPTS_MAX);
    let window_seconds = fields.whole_number("window_seconds", 1..=SECONDS_MAX);
    fields.close();
    Some(Limit::Sliding {
        max: max?,
        window_seconds: window_seconds?,
    })
}
