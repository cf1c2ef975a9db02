//! What the database may answer. A named constraint is a domain error, decided by the database alone, so that races end
//! in the same answer as checks; everything else is a fault of ours or an outage.

use super::constraint::{Constraint, Meaning, meaning};

/// What PostgreSQL says of a statement that took longer than it may.
const GIVEN_UP: &str = "57014";

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("refused by the database: {0:?}")]
    Constraint(Constraint),
    /// A mistake of ours that the schema caught.
    #[error("a statement would have broken {0}")]
    Guard(&'static str),
    /// Postgres cannot be reached, or gave up.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
    /// It was given up, and nothing was done.
    #[error("a statement took too long")]
    TooSlow(#[source] sqlx::Error),
    #[error("the database refused a statement")]
    Database(#[source] sqlx::Error),
    /// A row that does not parse; never to be mistaken for one that is not there.
    #[error("stored data cannot be read: {what}: {detail}")]
    Corrupt { what: &'static str, detail: String },
    #[error("the migrations failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
}

impl From<sqlx::Error> for StoreError {
    fn from(err: sqlx::Error) -> Self {
        let name = err.as_database_error().and_then(|err| err.constraint());
        match name.and_then(meaning) {
            Some(Meaning::Caller(constraint)) => return Self::Constraint(constraint),
            Some(Meaning::Guard(name)) => return Self::Guard(name),
            None => {}
        }
        match err {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(err),
            sqlx::Error::Database(ref database)
                if database.code().is_some_and(|code| passes(&code)) =>
            {
                Self::Unavailable(err)
            }
            sqlx::Error::Database(ref database) if database.code().as_deref() == Some(GIVEN_UP) => {
                Self::TooSlow(err)
            }
            other => Self::Database(other),
        }
    }
}

/// Postgres that stops or starts (57P, 08), that has no connection left (53), that is a standby since a moment ago (25006)
/// or takes our login no more (28), or that ended one of two transactions which waited for each other (40): all of it
/// passes, or is for the operator to mend, and nothing was done.
fn passes(code: &str) -> bool {
    ["57P", "08", "53", "25006", "28", "40"]
        .iter()
        .any(|class| code.starts_with(class))
}
