//! What the limiter relies on in its store, held against the store itself: the embedded one, or whichever
//! `DYNAMODB_ENDPOINT` names (`make conformance`). The same tests have to pass everywhere.
//!
//! Tables have a name of their own for each test and are deleted at its end, whatever became of it.

#[expect(dead_code, reason = "shared with tests that also lay faults")]
#[path = "../it/cloud.rs"]
mod cloud;
mod decisions;
#[path = "../common/http.rs"]
mod http;
mod items;
mod line;
mod marks;
mod place;
mod records;
mod sizes;
