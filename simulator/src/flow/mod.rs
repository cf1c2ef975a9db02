//! Flows: their types, their language, the check that publishing makes, and how they run.
//!
//! Pure: nothing here knows accounts, HTTP or time. A [`run::Run`] hands every effect (a Lambda to invoke, a call
//! to dial, a task to create) to whoever drives it and is told the result.
//!
//! Failure: content that does not pass [`validate::validate`] is never run; content that does always parses as a
//! [`model::Flow`].

pub mod flow_type;
pub mod model;
pub mod reference;
pub mod run;
pub mod spec;
pub mod validate;
mod values;

pub use flow_type::FlowType;
pub use model::Flow;
pub use run::{Effect, LambdaCall, NewTask, Run, Step};
pub use validate::{Options, Problem, validate};
