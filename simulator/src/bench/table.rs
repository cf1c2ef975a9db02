//! The figures as they are printed: what, how much, what it should be.

use std::fmt;

#[derive(Debug)]
struct Row {
    figure: String,
    measured: String,
    target: String,
    met: Option<bool>,
}

#[derive(Debug, Default)]
pub struct Table(Vec<Row>);

impl Table {
    /// A figure that has a target.
    pub(super) fn judged(
        &mut self,
        figure: &str,
        measured: impl Into<String>,
        target: &str,
        met: bool,
    ) {
        self.add(figure, measured, target, Some(met));
    }

    /// A figure that is only told.
    pub(super) fn told(&mut self, figure: &str, measured: impl Into<String>) {
        self.add(figure, measured, "", None);
    }

    fn add(&mut self, figure: &str, measured: impl Into<String>, target: &str, met: Option<bool>) {
        let row = Row {
            figure: figure.to_owned(),
            measured: measured.into(),
            target: target.to_owned(),
            met,
        };
        eprintln!("  {}: {}", row.figure, row.measured);
        self.0.push(row);
    }

    pub fn missed(&self) -> usize {
        self.0.iter().filter(|row| row.met == Some(false)).count()
    }
}

/// As Markdown, so that it can be kept.
impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = |cell: fn(&Row) -> &str, heading: &str| {
            let cells = self.0.iter().map(|row| cell(row).chars().count());
            cells.chain([heading.len()]).max().unwrap_or_default()
        };
        let figure = width(|row| &row.figure, "figure");
        let measured = width(|row| &row.measured, "measured");
        let target = width(|row| &row.target, "target");
        let mut line = |cells: [&str; 4]| {
            let [a, b, c, d] = cells;
            writeln!(
                f,
                "| {a:<figure$} | {b:<measured$} | {c:<target$} | {d:<3} |"
            )
        };
        line(["figure", "measured", "target", "met"])?;
        line(["---", "---", "---", "---"])?;
        for row in &self.0 {
            let met = match row.met {
                Some(true) => "yes",
                Some(false) => "NO",
                None => "",
            };
            line([&row.figure, &row.measured, &row.target, met])?;
        }
        Ok(())
    }
}
