//! Whom a trust policy names, and who is asking.

use super::pattern::fits;

/// Who asks to become a role.
#[derive(Debug, Clone, Copy)]
pub struct Asker<'a> {
    pub account_id: &'a str,
    /// A user's ARN, or the ARN of the *role* of a session.
    pub arn: &'a str,
    /// The session's own ARN, for sessions of a role.
    pub session_arn: Option<&'a str>,
    /// An AWS service that acts for itself.
    pub service: Option<&'a str>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Principal {
    Everyone,
    /// All of an account; who in it, that account's own policies say.
    Account(String),
    Arn(String),
    Service(String),
}

/// How a principal names somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Named {
    Not,
    ByAccount,
    Directly,
}

/// Why a principal cannot be stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownPrincipal(pub String);

impl Principal {
    /// From an element of `Principal.AWS`.
    pub fn aws(text: &str) -> Result<Self, UnknownPrincipal> {
        let unknown = || UnknownPrincipal(text.to_owned());
        if text == "*" {
            return Ok(Self::Everyone);
        }
        if is_account(text) {
            return Ok(Self::Account(text.to_owned()));
        }
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "iam" | "sts", "", account, resource] = parts[..] else {
            return Err(unknown());
        };
        if !partition.starts_with("aws") || !is_account(account) {
            return Err(unknown());
        }
        if resource == "root" {
            return Ok(Self::Account(account.to_owned()));
        }
        // IAM takes no wildcards in a principal's ARN.
        let kind = resource.split('/').next().unwrap_or_default();
        if !matches!(kind, "user" | "role" | "assumed-role") || text.contains(['*', '?']) {
            return Err(unknown());
        }
        Ok(Self::Arn(text.to_owned()))
    }

    pub fn service(name: &str) -> Result<Self, UnknownPrincipal> {
        match name.ends_with(".amazonaws.com") {
            true => Ok(Self::Service(name.to_owned())),
            false => Err(UnknownPrincipal(name.to_owned())),
        }
    }

    pub fn names(&self, asker: &Asker<'_>) -> Named {
        let directly = match self {
            Self::Everyone => asker.service.is_none(),
            Self::Account(account) if asker.service.is_none() && account == asker.account_id => {
                return Named::ByAccount;
            }
            Self::Account(_) => false,
            Self::Arn(arn) => {
                asker.service.is_none()
                    && (arn == asker.arn || Some(arn.as_str()) == asker.session_arn)
            }
            Self::Service(name) => asker.service.is_some_and(|service| fits(name, service)),
        };
        if directly {
            Named::Directly
        } else {
            Named::Not
        }
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITER: Asker<'_> = Asker {
        account_id: "999988887777",
        arn: "arn:aws:iam::999988887777:role/ringfence-limiter",
        session_arn: Some("arn:aws:sts::999988887777:assumed-role/ringfence-limiter/s"),
        service: None,
    };

    #[test]
    fn sessions_are_named_by_role_session_account_or_everyone() {
        for (text, expected) in [
            ("*", Named::Directly),
            ("999988887777", Named::ByAccount),
            ("arn:aws:iam::999988887777:root", Named::ByAccount),
            (
                "arn:aws:iam::999988887777:role/ringfence-limiter",
                Named::Directly,
            ),
            (
                "arn:aws:sts::999988887777:assumed-role/ringfence-limiter/s",
                Named::Directly,
            ),
            (
                "arn:aws:iam::999988887777:role/ringfence-limiter-2",
                Named::Not,
            ),
            (
                "arn:aws:iam::111122223333:role/ringfence-limiter",
                Named::Not,
            ),
            ("111122223333", Named::Not),
        ] {
            assert_eq!(
                Principal::aws(text).map(|principal| principal.names(&LIMITER)),
                Ok(expected),
                "{text}"
            );
        }
        let lambda = Asker {
            service: Some("lambda.amazonaws.com"),
            ..LIMITER
        };
        let service = Principal::service("lambda.amazonaws.com").expect("a service");
        assert_eq!(service.names(&lambda), Named::Directly);
        assert_eq!(service.names(&LIMITER), Named::Not);
        assert_eq!(Principal::Everyone.names(&lambda), Named::Not);
    }

    #[test]
    fn what_iam_does_not_take_is_refused() {
        for text in [
            "",
            "12345",
            "arn:aws:iam::999988887777:role/*",
            "arn:aws:s3:::bucket",
            "arn:aws:iam::1:root",
            "ringfence",
        ] {
            assert!(Principal::aws(text).is_err(), "{text}");
        }
        assert!(Principal::service("lambda").is_err());
    }
}
