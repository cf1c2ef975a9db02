//! What can go wrong around the children. Every text is for the person at the terminal and says what to do, or shows
//! the words of the program that failed.

pub type Result<T> = std::result::Result<T, DevError>;

#[derive(Debug, thiserror::Error)]
pub enum DevError {
    #[error("{0}")]
    Missing(String),
    #[error("{what}: {source}")]
    Io {
        what: String,
        source: std::io::Error,
    },
    #[error("{name} {why}; its last lines (RINGFENCE_KEEP_LOGS=1 keeps them all):\n{tail}")]
    Child {
        name: String,
        why: String,
        tail: String,
    },
    #[error("{method} {url}: {source}")]
    Unreachable {
        method: String,
        url: String,
        source: reqwest::Error,
    },
    #[error("{method} {url} answered {status}: {body}")]
    Refused {
        method: String,
        url: String,
        status: u16,
        body: String,
    },
    #[error("{0}")]
    Unexpected(String),
    #[error("waited {seconds} s for {what}; last seen: {seen}")]
    Timeout {
        what: String,
        seconds: u64,
        seen: String,
    },
    #[error("interrupted")]
    Interrupted,
}

impl DevError {
    pub fn io(what: impl Into<String>) -> impl FnOnce(std::io::Error) -> Self {
        let what = what.into();
        move |source| Self::Io { what, source }
    }

    pub fn status(&self) -> Option<u16> {
        match self {
            Self::Refused { status, .. } => Some(*status),
            _ => None,
        }
    }
}
