//! The sentence in Spanish.

use super::{Unit, as_it_is, in_units, named, queue_id, quoted};
use crate::dimension::Dimension;
use crate::limit::{Limit, Period};
use crate::rule::{Rule, Scope};

pub(super) fn sentence(rule: &Rule) -> String {
    let most = match rule.limit() {
        Limit::Pace { max, .. } => *max,
        other => other.admits(),
    };
    let calls = if most == 1 { "llamada" } else { "llamadas" };
    let conditions = conditions(rule);
    let between = if conditions.is_empty() {
        String::new()
    } else {
        format!(", {},", conditions.join(", "))
    };
    format!(
        "Como máximo {most} {calls} {}{between} {}",
        whose(rule),
        time(rule.limit())
    )
}

fn whose(rule: &Rule) -> String {
    let mut words: Vec<&str> = Vec::new();
    let mut names: Vec<String> = Vec::new();
    for dimension in rule.per() {
        let first = words.is_empty();
        let word = match dimension {
            Dimension::Customer => "a un mismo cliente",
            Dimension::CallerId if first => "desde un mismo identificador de llamada",
            Dimension::CallerId => "desde el mismo identificador de llamada",
            Dimension::Agent if first => "de un mismo agente",
            Dimension::Agent => "del mismo agente",
            Dimension::Queue if first => "desde una misma cola",
            Dimension::Queue => "desde la misma cola",
            Dimension::Attribute(name) => {
                names.push(quoted(name.as_str()));
                continue;
            }
        };
        words.push(word);
    }
    let attributes = match names.as_slice() {
        [] => None,
        [one] => Some(format!("con el mismo atributo {one}")),
        several => Some(format!("con los mismos atributos {}", several.join(" y "))),
    };
    words.extend(attributes.as_deref());
    words.join(" ")
}

fn conditions(rule: &Rule) -> Vec<String> {
    let when = rule.when();
    let mut conditions = Vec::new();
    if rule.scope() == Scope::Tenant {
        conditions.push("entre todas las instancias".to_owned());
    }
    if let Some(prefixes) = either(when.destination_prefixes(), as_it_is) {
        conditions.push(format!("para números que empiezan por {prefixes}"));
    }
    if let Some(countries) = either(when.destination_countries(), as_it_is) {
        conditions.push(format!("para números de {countries}"));
    }
    if let Some(prefixes) = either(when.caller_id_prefixes(), as_it_is) {
        conditions.push(format!(
            "con identificadores de llamada que empiezan por {prefixes}"
        ));
    }
    let through = if when.queues().len() > 1 {
        "desde las colas"
    } else {
        "desde la cola"
    };
    if let Some(queues) = either(when.queues(), queue_id) {
        conditions.push(format!("{through} {queues}"));
    }
    let attributes: Vec<String> = when
        .attributes()
        .filter_map(|(name, values)| {
            Some(format!(
                "\"{}\" es {}",
                name.as_str(),
                either(values, quoted)?
            ))
        })
        .collect();
    if !attributes.is_empty() {
        conditions.push(format!("donde {}", attributes.join(" y ")));
    }
    conditions
}

fn either<'i>(
    items: impl Iterator<Item = &'i str>,
    show: impl Fn(&str) -> String,
) -> Option<String> {
    let (mut items, more) = named(items, show);
    if more > 0 {
        items.push(format!("{more} más"));
    }
    let last = items.pop()?;
    if items.is_empty() {
        return Some(last);
    }
    // "O" is spoken, and written, as "u" before another o.
    let or = if last.trim_start_matches('"').starts_with(['o', 'O']) {
        "u"
    } else {
        "o"
    };
    Some(format!("{} {or} {last}", items.join(", ")))
}

fn time(limit: &Limit) -> String {
    match limit {
        Limit::Sliding { window_seconds, .. } => {
            format!("en cualquier periodo de {}", duration(*window_seconds))
        }
        Limit::UntilQuiet { quiet_seconds, .. } => format!(
            "hasta que no haya habido ningún intento durante {}",
            duration(*quiet_seconds)
        ),
        Limit::ConsecutiveDays {
            days, time_zone, ..
        } => {
            let days = match days {
                1 => "un mismo día".to_owned(),
                several => format!("{several} días consecutivos cualesquiera"),
            };
            format!("en {days} ({})", time_zone.name())
        }
        Limit::Calendar {
            period, time_zone, ..
        } => {
            let period = match period {
                Period::Day => "día natural",
                Period::Week => "semana de lunes a domingo",
                Period::Month => "mes natural",
            };
            format!("en cada {period} ({})", time_zone.name())
        }
        Limit::Pace {
            max,
            per_seconds,
            burst,
        } => pace(*max, *per_seconds, *burst),
    }
}

fn pace(max: u32, per_seconds: u32, burst: u32) -> String {
    let every = match in_units(per_seconds) {
        (1, unit) => unit_names(unit).0.to_owned(),
        _ => duration(per_seconds),
    };
    let spaced = if max > 1 {
        ", espaciadas por igual"
    } else {
        ""
    };
    let at_once = if burst > 1 {
        format!(", con hasta {burst} a la vez")
    } else {
        String::new()
    };
    format!("cada {every}{spaced}{at_once}")
}

fn duration(seconds: u32) -> String {
    let (count, unit) = in_units(seconds);
    let (one, many) = unit_names(unit);
    format!("{count} {}", if count == 1 { one } else { many })
}

fn unit_names(unit: Unit) -> (&'static str, &'static str) {
    match unit {
        Unit::Day => ("día", "días"),
        Unit::Hour => ("hora", "horas"),
        Unit::Minute => ("minuto", "minutos"),
        Unit::Second => ("segundo", "segundos"),
    }
}
