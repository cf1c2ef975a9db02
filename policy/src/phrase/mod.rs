//! Says a rule in one sentence, for notices, the API and the dashboard alike.

mod english;
mod spanish;

use crate::notices::Language;
use crate::rule::Rule;

/// So many items of a list are named; a sentence is no inventory.
const NAMED_MAX: usize = 5;

/// One sentence without a full stop, such as "At most 3 calls to a customer in any 24 hours".
pub fn describe(rule: &Rule, language: Language) -> String {
    match language {
        Language::En => english::sentence(rule),
        Language::Es => spanish::sentence(rule),
    }
}

/// A time in the largest unit that divides it evenly.
#[derive(Clone, Copy)]
enum Unit {
    Day,
    Hour,
    Minute,
    Second,
}

fn in_units(seconds: u32) -> (u32, Unit) {
    let units = [(86_400, Unit::Day), (3_600, Unit::Hour), (60, Unit::Minute)];
    // Two days and more read well in days; a single one is "24 hours", which cannot be taken for a calendar day.
    let fits = |(unit, _): &&(u32, Unit)| {
        seconds.checked_rem(*unit) == Some(0) && (*unit < 86_400 || seconds > 86_400)
    };
    match units.iter().find(fits) {
        Some((length, unit)) => (seconds.checked_div(*length).unwrap_or(seconds), *unit),
        None => (seconds, Unit::Second),
    }
}

/// The first few items, and how many more there are.
fn named<'i>(
    items: impl Iterator<Item = &'i str>,
    show: impl Fn(&str) -> String,
) -> (Vec<String>, usize) {
    let mut shown: Vec<String> = items.map(show).collect();
    let more = if shown.len() > NAMED_MAX {
        shown.split_off(NAMED_MAX.saturating_sub(1)).len()
    } else {
        0
    };
    (shown, more)
}

fn as_it_is(text: &str) -> String {
    text.to_owned()
}

fn quoted(text: &str) -> String {
    format!("\"{text}\"")
}

/// A queue's id says as much as its ARN.
fn queue_id(queue: &str) -> String {
    queue
        .rsplit_once("/queue/")
        .map_or(queue, |(_, id)| id)
        .to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::draft::PolicyDraft;

    fn sentences(changes: Value) -> [String; 2] {
        let mut rule = json!({
            "id": "r", "per": ["customer"], "limit": {"kind": "sliding", "max": 3, "window_seconds": 86_400}
        });
        rule.as_object_mut()
            .unwrap()
            .extend(changes.as_object().unwrap().clone());
        let draft: PolicyDraft = serde_json::from_value(json!({"rules": [rule]})).unwrap();
        let policy = draft.check().unwrap();
        [Language::En, Language::Es].map(|language| describe(&policy.rules()[0], language))
    }

    #[test]
    fn each_kind_says_how_many_and_in_what_time() {
        let zone = "Europe/London";
        for (limit, english, spanish) in [
            (
                json!({"kind": "sliding", "max": 3, "window_seconds": 86_400}),
                "At most 3 calls to a customer in any 24 hours",
                "Como máximo 3 llamadas a un mismo cliente en cualquier periodo de 24 horas",
            ),
            (
                json!({"kind": "sliding", "max": 1, "window_seconds": 604_800}),
                "At most 1 call to a customer in any 7 days",
                "Como máximo 1 llamada a un mismo cliente en cualquier periodo de 7 días",
            ),
            (
                json!({"kind": "until_quiet", "block_at": 5, "quiet_seconds": 60}),
                "At most 4 calls to a customer until there has been no attempt for 1 minute",
                "Como máximo 4 llamadas a un mismo cliente hasta que no haya habido ningún intento durante 1 minuto",
            ),
            (
                json!({"kind": "consecutive_days", "max": 7, "days": 7, "time_zone": zone}),
                "At most 7 calls to a customer on any 7 consecutive days (Europe/London)",
                "Como máximo 7 llamadas a un mismo cliente en 7 días consecutivos cualesquiera (Europe/London)",
            ),
            (
                json!({"kind": "consecutive_days", "max": 7, "days": 1, "time_zone": zone}),
                "At most 7 calls to a customer on any day (Europe/London)",
                "Como máximo 7 llamadas a un mismo cliente en un mismo día (Europe/London)",
            ),
            (
                json!({"kind": "calendar", "max": 2, "period": "day", "time_zone": zone}),
                "At most 2 calls to a customer in each calendar day (Europe/London)",
                "Como máximo 2 llamadas a un mismo cliente en cada día natural (Europe/London)",
            ),
            (
                json!({"kind": "calendar", "max": 2, "period": "week", "time_zone": zone}),
                "At most 2 calls to a customer in each week from Monday to Sunday (Europe/London)",
                "Como máximo 2 llamadas a un mismo cliente en cada semana de lunes a domingo (Europe/London)",
            ),
            (
                json!({"kind": "calendar", "max": 2, "period": "month", "time_zone": "UTC"}),
                "At most 2 calls to a customer in each calendar month (UTC)",
                "Como máximo 2 llamadas a un mismo cliente en cada mes natural (UTC)",
            ),
            (
                json!({"kind": "pace", "max": 10, "per_seconds": 60, "burst": 3}),
                "At most 10 calls to a customer every minute, evenly spaced, with up to 3 at once",
                "Como máximo 10 llamadas a un mismo cliente cada minuto, espaciadas por igual, con hasta 3 a la vez",
            ),
            (
                json!({"kind": "pace", "max": 1, "per_seconds": 300}),
                "At most 1 call to a customer every 5 minutes",
                "Como máximo 1 llamada a un mismo cliente cada 5 minutos",
            ),
        ] {
            assert_eq!(sentences(json!({"limit": limit})), [english, spanish]);
        }
    }

    #[test]
    fn each_dimension_says_whose_calls_are_counted() {
        for (per, english, spanish) in [
            (
                json!(["caller_id"]),
                "from a caller ID",
                "desde un mismo identificador de llamada",
            ),
            (json!(["agent"]), "by an agent", "de un mismo agente"),
            (json!(["queue"]), "through a queue", "desde una misma cola"),
            (
                json!(["attribute:account"]),
                "with the same attribute \"account\"",
                "con el mismo atributo \"account\"",
            ),
            (
                json!(["caller_id", "customer"]),
                "to a customer from the same caller ID",
                "a un mismo cliente desde el mismo identificador de llamada",
            ),
            (
                json!(["customer", "agent", "queue", "attribute:b", "attribute:a"]),
                "to a customer by the same agent through the same queue with the same attributes \"a\" and \"b\"",
                "a un mismo cliente del mismo agente desde la misma cola con los mismos atributos \"a\" y \"b\"",
            ),
        ] {
            assert_eq!(
                sentences(json!({"per": per})),
                [
                    format!("At most 3 calls {english} in any 24 hours"),
                    format!("Como máximo 3 llamadas {spanish} en cualquier periodo de 24 horas"),
                ]
            );
        }
    }

    #[test]
    fn filters_and_scope_stand_between_commas() {
        let queue = "arn:aws:connect:us-east-1:111122223333:instance/one/queue/sales";
        for (changes, english, spanish) in [
            (
                json!({"when": {"destination_prefixes": ["+44", "+1"]}}),
                "for numbers starting with +1 or +44",
                "para números que empiezan por +1 o +44",
            ),
            (
                json!({"when": {"destination_countries": ["OM", "CA"]}}),
                "for numbers of CA or OM",
                "para números de CA u OM",
            ),
            (
                json!({"when": {"caller_id_prefixes": ["+1"]}}),
                "with caller IDs starting with +1",
                "con identificadores de llamada que empiezan por +1",
            ),
            (
                json!({"when": {"queues": [queue]}}),
                "through queue sales",
                "desde la cola sales",
            ),
            (
                json!({"when": {"attributes": {"team": ["a", "b"], "campaign": ["x"]}}}),
                "where \"campaign\" is \"x\" and \"team\" is \"a\" or \"b\"",
                "donde \"campaign\" es \"x\" y \"team\" es \"a\" o \"b\"",
            ),
            (
                json!({"scope": "tenant"}),
                "over all instances together",
                "entre todas las instancias",
            ),
            (
                json!({"scope": "tenant", "when": {"destination_prefixes": ["+1"], "queues": ["p", "q"]}}),
                "over all instances together, for numbers starting with +1, through queues p or q",
                "entre todas las instancias, para números que empiezan por +1, desde las colas p o q",
            ),
        ] {
            assert_eq!(
                sentences(changes),
                [
                    format!("At most 3 calls to a customer, {english}, in any 24 hours"),
                    format!(
                        "Como máximo 3 llamadas a un mismo cliente, {spanish}, en cualquier periodo de 24 horas"
                    ),
                ]
            );
        }
    }

    #[test]
    fn long_lists_are_cut_short_and_say_so() {
        let countries = json!(["AT", "BE", "CH", "DE", "ES", "FR"]);
        let [english, spanish] = sentences(json!({"when": {"destination_countries": countries}}));
        assert!(
            english.contains("of AT, BE, CH, DE or 2 others,"),
            "{english}"
        );
        assert!(spanish.contains("de AT, BE, CH, DE o 2 más,"), "{spanish}");
        let [english, _] =
            sentences(json!({"when": {"destination_countries": ["AT", "BE", "CH", "DE", "ES"]}}));
        assert!(english.contains("of AT, BE, CH, DE or ES,"), "{english}");
    }
}
