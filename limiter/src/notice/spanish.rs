//! Notices in Spanish.

use jiff::ZonedDateTime;

use super::tongue::{Subject, Told, Tongue, Unit, clock_time, rounded};

pub(super) const SPANISH: Tongue = Tongue {
    title,
    text,
    moment,
    wait,
};

fn title(subject: Subject) -> &'static str {
    match subject {
        Subject::Limit { .. } => "Llamada no realizada: límite alcanzado",
        Subject::Blocked => "Llamada no realizada: número bloqueado",
        Subject::Unavailable => "Llamada no realizada: límites no disponibles",
        Subject::NotStopped => "Límite superado: cuelgue, por favor",
    }
}

fn text(subject: Subject, told: &Told<'_>) -> String {
    let call = match told.number {
        "" => "La llamada".to_owned(),
        number => format!("La llamada al {number}"),
    };
    match subject {
        Subject::Limit {
            redialling_prolongs,
        } => limit(&call, told, redialling_prolongs),
        Subject::Blocked => match &told.retry {
            Some((moment, wait)) => format!(
                "{call} no se realizó porque el número está bloqueado. El bloqueo termina el {moment}, {wait}."
            ),
            None => format!(
                "{call} no se realizó porque el número está bloqueado. El bloqueo no tiene fin: no vuelva a intentarlo."
            ),
        },
        Subject::Unavailable => format!(
            "{call} no se realizó porque no se pudieron comprobar sus límites. Vuelva a intentarlo dentro de un minuto."
        ),
        Subject::NotStopped => format!(
            "{call} supera un límite y no se pudo detener. Si está sonando o conectada, cuelgue, por favor."
        ),
    }
}

fn limit(call: &str, told: &Told<'_>, redialling_prolongs: bool) -> String {
    let mut text = format!("{call} no se realizó porque se alcanzó un límite.");
    if let Some((name, limit)) = &told.rule {
        text.push_str(&format!(" {name}: {limit}."));
    }
    if let Some((moment, wait)) = &told.retry {
        text.push_str(&format!(
            " Puede volver a intentarlo a partir del {moment}, {wait}."
        ));
    }
    if redialling_prolongs {
        text.push_str(" Si marca antes, la espera vuelve a empezar.");
    }
    text
}

fn moment(at: &ZonedDateTime) -> String {
    let month = match at.month() {
        1 => "enero",
        2 => "febrero",
        3 => "marzo",
        4 => "abril",
        5 => "mayo",
        6 => "junio",
        7 => "julio",
        8 => "agosto",
        9 => "septiembre",
        10 => "octubre",
        11 => "noviembre",
        _ => "diciembre",
    };
    format!(
        "{} de {month} de {} a las {}",
        at.day(),
        at.year(),
        clock_time(at)
    )
}

fn wait(seconds: i64) -> String {
    let (count, unit) = rounded(seconds);
    let (one, many) = match unit {
        Unit::Second => ("segundo", "segundos"),
        Unit::Minute => ("minuto", "minutos"),
        Unit::Hour => ("hora", "horas"),
    };
    format!("dentro de {count} {}", if count == 1 { one } else { many })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_waits_are_written_as_spanish_does() {
        let at: jiff::Timestamp = "2026-11-06T18:05:09Z".parse().unwrap();
        assert_eq!(
            moment(&at.in_tz("America/Mexico_City").unwrap()),
            "6 de noviembre de 2026 a las 12:05:09 CST"
        );
        assert_eq!(
            [1, 60, 181, 9000].map(wait),
            [
                "dentro de 1 segundo",
                "dentro de 60 segundos",
                "dentro de 4 minutos",
                "dentro de 3 horas"
            ]
        );
    }

    #[test]
    fn every_month_has_its_name() {
        let months: std::collections::BTreeSet<String> = (1..=12)
            .map(|month| {
                let at = jiff::civil::date(2026, month, 1)
                    .to_zoned_datetime(jiff::tz::TimeZone::UTC)
                    .unwrap();
                moment(&at)
            })
            .collect();
        assert_eq!(months.len(), 12);
    }

    #[test]
    fn a_block_without_an_end_says_so() {
        let told = Told {
            number: "+12065550100",
            rule: None,
            retry: None,
        };
        assert!(text(Subject::Blocked, &told).contains("no tiene fin"));
    }
}
