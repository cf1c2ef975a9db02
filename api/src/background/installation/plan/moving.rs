//! The last steps of a move to another limiter function: every flow calls the new one by then.
//!
//! Both functions let the instance in from before the first flow is repointed until the calls that began before the last
//! one was are over, so that no call finds its function closed. Both count in the same tables.

use super::super::desired::{FlowKey, Leaving};
use super::super::observed::OurFlow;
use super::Step;
use super::install::Planner;

impl Planner<'_> {
    /// A copy whose original is gone cannot be made anew; it is only to call the other function.
    pub(super) fn repointed(&self, key: &FlowKey) -> Option<String> {
        let leaving = self.desired.leaving.as_ref()?;
        let existing = self.observed.flows.get(key)?;
        calls(existing, &leaving.function_arn).then(|| {
            let from = quoted(&leaving.function_arn);
            let to = quoted(&self.desired.function_arn);
            existing.content.replace(&from, &to)
        })
    }

    pub(super) fn leave_former_function(&mut self) {
        let Some(Leaving {
            function_arn,
            is_repointed,
            calls_ended,
        }) = &self.desired.leaving
        else {
            return;
        };
        let still_called = self
            .observed
            .flows
            .values()
            .chain(&self.observed.surplus)
            .chain(&self.observed.untagged)
            .any(|flow| calls(flow, function_arn));
        // Nor is it known what of ours a queue runs that cannot be read.
        let may_be_called = self.unread_attached().next().is_some();
        if still_called || may_be_called {
            return;
        }
        if !is_repointed {
            self.plan.steps.push(Step::AwaitCalls);
        } else if *calls_ended {
            self.plan.steps.push(Step::LeaveFunction {
                function_arn: function_arn.clone(),
            });
        }
    }
}

fn calls(flow: &OurFlow, function_arn: &str) -> bool {
    flow.content.contains(&quoted(function_arn))
}

/// As a whole string of a flow's JSON: one function's ARN may begin with another's.
fn quoted(function_arn: &str) -> String {
    format!("\"{function_arn}\"")
}
