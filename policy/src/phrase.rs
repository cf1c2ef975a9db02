//! Says a rule in one English sentence, for notices, the API and the dashboard alike.

use crate::dimension::Dimension;
use crate::limit::Limit;
use crate::notices::Language;
use crate::rule::Rule;

/// One sentence without a full stop, such as "At most 3 calls to a customer in any 24 hours".
pub fn describe(rule: &Rule, _language: Language) -> String {
    let most = rule.limit().admits();
    let calls = if most == 1 { "call" } else { "calls" };
    let whom = match (
        rule.counts_per(&Dimension::Customer),
        rule.counts_per(&Dimension::CallerId),
    ) {
        (true, true) => "to a customer from the same caller ID",
        (false, true) => "from a caller ID",
        (true | false, false) => "to a customer",
    };
    let numbers = numbers(rule);
    match rule.limit() {
        Limit::Sliding { window_seconds, .. } => {
            format!(
                "At most {most} {calls} {whom}{numbers} in any {}",
                duration(*window_seconds)
            )
        }
        Limit::UntilQuiet { quiet_seconds, .. } => {
            format!(
                "At most {most} {calls} {whom}{numbers} until there has been no attempt for {}",
                duration(*quiet_seconds)
            )
        }
        Limit::ConsecutiveDays { .. } | Limit::Calendar { .. } | Limit::Pace { .. } => {
            format!("At most {most} {calls} {whom}{numbers}")
        }
    }
}

fn numbers(rule: &Rule) -> String {
    let prefixes: Vec<&str> = rule.when().destination_prefixes().collect();
    match prefixes.split_last() {
        None => String::new(),
        Some((only, [])) => format!(", for numbers starting with {only},"),
        Some((last, others)) => format!(
            ", for numbers starting with {} or {last},",
            others.join(", ")
        ),
    }
}

/// The largest unit that divides the time evenly.
fn duration(seconds: u32) -> String {
    let units = [
        (86_400, "day", "days"),
        (3_600, "hour", "hours"),
        (60, "minute", "minutes"),
        (1, "second", "seconds"),
    ];
    // Two days and more read well in days; a single one is "24 hours", which cannot be taken for a calendar day.
    let fits = |(unit, ..): &&(u32, &str, &str)| {
        seconds.checked_rem(*unit) == Some(0) && (*unit < 86_400 || seconds > 86_400)
    };
    match units.iter().find(fits) {
        Some((unit, one, many)) => {
            let count = seconds.checked_div(*unit).unwrap_or(seconds);
            if count == 1 {
                format!("1 {one}")
            } else {
                format!("{count} {many}")
            }
        }
        None => format!("{seconds} seconds"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draft::PolicyDraft;

    fn sentence(rule: serde_json::Value) -> String {
        let draft: PolicyDraft =
            serde_json::from_value(serde_json::json!({ "rules": [rule] })).unwrap();
        describe(&draft.check().unwrap().rules()[0], Language::En)
    }

    #[test]
    fn a_sentence_says_how_many_to_whom_and_in_what_time() {
        let rule = serde_json::json!({
            "id": "r", "per": ["customer"], "limit": { "kind": "sliding", "max": 3, "window_seconds": 86_400 }
        });
        assert_eq!(
            sentence(rule),
            "At most 3 calls to a customer in any 24 hours"
        );
        let rule = serde_json::json!({
            "id": "r", "per": ["caller_id"], "limit": { "kind": "sliding", "max": 1, "window_seconds": 604_800 }
        });
        assert_eq!(
            sentence(rule),
            "At most 1 call from a caller ID in any 7 days"
        );
        let rule = serde_json::json!({
            "id": "r", "per": ["caller_id", "customer"], "when": { "destination_prefixes": ["+44", "+1"] },
            "limit": { "kind": "sliding", "max": 2, "window_seconds": 90 }
        });
        assert_eq!(
            sentence(rule),
            "At most 2 calls to a customer from the same caller ID, for numbers starting with +1 or +44, in any 90 seconds"
        );
    }

    #[test]
    fn until_quiet_is_told_by_what_it_admits() {
        let rule = serde_json::json!({
            "id": "r", "per": ["customer"], "limit": { "kind": "until_quiet", "block_at": 5, "quiet_seconds": 60 }
        });
        assert_eq!(
            sentence(rule),
            "At most 4 calls to a customer until there has been no attempt for 1 minute"
        );
    }
}
