//! Decisions as rows of a table.

use crate::http::problem::{ApiError, ApiResult};
use crate::store::StoredDecision;

const COLUMNS: [&str; 15] = [
    "id",
    "at",
    "instance_id",
    "contact_id",
    "outcome",
    "reason",
    "rule_id",
    "retry_at",
    "customer_number",
    "caller_id",
    "agent_arn",
    "queue_arn",
    "policy_id",
    "policy_version",
    "decided_in_ms",
];

/// The rows of these decisions, below the headings where they are the first.
pub(super) fn rows(decisions: &[StoredDecision], are_first: bool) -> ApiResult<Vec<u8>> {
    let mut table = csv::Writer::from_writer(Vec::new());
    let headings = are_first.then_some(COLUMNS.map(str::to_owned));
    for cells in headings.into_iter().chain(decisions.iter().map(cells)) {
        let cells = cells.map(harmless);
        table
            .write_record(&cells)
            .map_err(|err| ApiError::internal(err.to_string()))?;
    }
    table
        .into_inner()
        .map_err(|err| ApiError::internal(err.to_string()))
}

fn cells(decision: &StoredDecision) -> [String; COLUMNS.len()] {
    let record = &decision.record;
    let text = |text: &Option<String>| text.clone().unwrap_or_default();
    [
        decision.id.to_string(),
        record.at.to_string(),
        decision.instance_id.to_string(),
        record.contact_id.clone(),
        record.outcome.as_str().to_owned(),
        text(&record.reason),
        text(&record.rule_id),
        record.retry_at.map(|at| at.to_string()).unwrap_or_default(),
        text(&record.customer_number),
        text(&record.caller_id),
        text(&record.agent_arn),
        text(&record.queue_arn),
        record.policy_id.clone(),
        record.policy_version.to_string(),
        record.decided_in_ms.to_string(),
    ]
}

/// What an agent typed must not become a formula in somebody's spreadsheet. A number in E.164 stays as it is.
fn harmless(cell: String) -> String {
    let is_number =
        |digits: &str| !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    let is_formula = match cell.strip_prefix('+') {
        Some(rest) => !is_number(rest),
        None => cell.starts_with(['=', '-', '@', '\t', '\r']),
    };
    if is_formula { format!("'{cell}") } else { cell }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_cell_is_a_formula() {
        for (cell, written) in [
            ("+12065550100", "+12065550100"),
            ("=1+1", "'=1+1"),
            ("+1+1", "'+1+1"),
            ("+", "'+"),
            ("-2", "'-2"),
            ("@sum(a1)", "'@sum(a1)"),
            ("\t=1", "'\t=1"),
            ("banana", "banana"),
            ("", ""),
        ] {
            assert_eq!(harmless(cell.to_owned()), written);
        }
    }
}
