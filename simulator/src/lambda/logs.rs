//! What functions wrote, newest last, bounded.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

const KEPT_LINES: usize = 5000;

/// One line of a function's output.
#[derive(Debug, Clone, Serialize)]
pub struct LogLine {
    pub stream: &'static str,
    pub line: String,
}

/// The output of one function's processes.
#[derive(Debug, Default)]
pub struct Logs(Mutex<VecDeque<LogLine>>);

impl Logs {
    pub fn push(&self, stream: &'static str, line: String) {
        let mut lines = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if lines.len() == KEPT_LINES {
            lines.pop_front();
        }
        lines.push_back(LogLine { stream, line });
    }

    pub fn lines(&self) -> Vec<LogLine> {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .iter()
            .cloned()
            .collect()
    }
}
