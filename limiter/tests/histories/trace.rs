//! A history as people read it.

use std::fmt::Write;

use crate::history::Delivery;
use crate::play::Played;
use crate::program::Program;

pub fn trace(program: &Program, played: &Played, findings: &[String]) -> String {
    let mut text = format!("\nHistory of seed {}:\n", program.seed);
    for policy in &program.policies {
        let _ = writeln!(text, "  policy {}: {}", policy.version, policy.document());
    }
    let mut lines = played.tape.clone();
    for delivery in &played.history.deliveries {
        let (began, ended) = told(delivery, program.starts_ms);
        lines.push((delivery.began, began));
        lines.push((delivery.ended, ended));
    }
    lines.sort();
    for (at, line) in lines {
        let _ = writeln!(text, "  {at:5} {line}");
    }
    for meter in &played.history.meters {
        let _ = writeln!(text, "  meter {}", meter.key);
        for (standing, at_ms, contact) in &meter.entries {
            let at_ms = at_ms - program.starts_ms;
            let _ = writeln!(text, "        {contact} {standing:?} at {at_ms} ms");
        }
    }
    for finding in findings {
        let _ = writeln!(text, "  FOUND: {finding}");
    }
    let _ = writeln!(text, "  again: RINGFENCE_SEED={}", program.seed);
    text
}

fn told(delivery: &Delivery, starts_ms: i64) -> (String, String) {
    let Delivery {
        contact,
        process,
        dialled,
        ..
    } = delivery;
    let clock_ms = delivery.clock_ms - starts_ms;
    let began = format!(
        "contact {contact} begins in process {process} at {clock_ms} ms: customer {} caller {} instance {}",
        dialled.customer, dialled.caller_id, dialled.instance
    );
    let admits = if delivery.admits_failure {
        ", and admits a failure"
    } else {
        ""
    };
    let ended = format!(
        "contact {contact} ends in process {process}: {:?} under policy {:?}{admits}",
        delivery.answered, delivery.version
    );
    (began, ended)
}
