//! The documents that travel between the control plane and the limiter, by version.
//!
//! Members unknown to a reader are ignored; a schema number unknown to it is refused. The golden documents in
//! `policy/golden` stay for as long as a deployed program may write or read them.

pub mod v1;
