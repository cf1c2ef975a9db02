//! What the database may answer. A named constraint is a domain error, decided by the database alone, so that races end
//! in the same answer as checks; everything else is a fault of ours or an outage.

/// Constraints that a caller can run into. Every other constraint guards against our own mistakes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// The tenant registered this instance before.
    InstanceRegisteredOnce,
    /// Another tenant has proved this instance.
    InstanceClaimed,
    /// Two requests made the first version of a policy at the same time.
    PolicyExists,
    /// The instance was deleted meanwhile.
    InstanceGone,
}

impl Constraint {
    fn named(name: &str) -> Option<Self> {
        match name {
            "instances_registered_once" => Some(Self::InstanceRegisteredOnce),
            "instances_claimed" => Some(Self::InstanceClaimed),
            "policies_one_default" | "policies_one_per_instance" | "policy_versions_pkey" => {
                Some(Self::PolicyExists)
            }
            "policies_instance_known" | "installations_instance_known" => Some(Self::InstanceGone),
            _ => None,
        }
    }
}

#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    #[error("refused by the database: {0:?}")]
    Constraint(Constraint),
    /// Postgres cannot be reached, or gave up.
    #[error("the database is not available")]
    Unavailable(#[source] sqlx::Error),
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
        let constraint = err
            .as_database_error()
            .and_then(|err| err.constraint())
            .and_then(Constraint::named);
        if let Some(constraint) = constraint {
            return Self::Constraint(constraint);
        }
        match err {
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(err),
            // Postgres that stops or starts answers with class 57 and 08.
            sqlx::Error::Database(ref database)
                if database
                    .code()
                    .is_some_and(|code| code.starts_with("57P") || code.starts_with("08")) =>
            {
                Self::Unavailable(err)
            }
            other => Self::Database(other),
        }
    }
}
