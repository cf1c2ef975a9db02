//! One thing that a verification tried, and how an answer of AWS becomes a verdict. Pure.

use crate::aws::{AwsError, AwsErrorKind};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckStatus {
    Passed,
    Failed,
    /// Works as it is, and somebody should do something about it all the same.
    Warning,
    Skipped,
}

impl CheckStatus {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Warning => "warning",
            Self::Skipped => "skipped",
        }
    }
}

/// Which of the tenant's statements a check speaks of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    InstallerRole,
    RuntimeRole,
    Instance,
}

impl Subject {
    #[must_use]
    pub fn pointer(self) -> &'static str {
        match self {
            Self::InstallerRole => "/installer_role_arn",
            Self::RuntimeRole => "/runtime_role_arn",
            Self::Instance => "/instance_arn",
        }
    }

    pub(super) fn role(self) -> &'static str {
        match self {
            Self::RuntimeRole => "runtime role",
            Self::InstallerRole | Self::Instance => "installer role",
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Check {
    pub name: String,
    pub subject: Subject,
    pub status: CheckStatus,
    /// Machine-readable reason of a failure.
    pub code: Option<&'static str>,
    pub detail: String,
    pub fix: Option<String>,
}

impl Check {
    pub(super) fn passed(name: &str, subject: Subject, detail: &str) -> Self {
        Self {
            name: name.to_owned(),
            subject,
            status: CheckStatus::Passed,
            code: None,
            detail: detail.to_owned(),
            fix: None,
        }
    }

    pub(super) fn skipped(name: &str, subject: Subject, detail: &str) -> Self {
        Self {
            status: CheckStatus::Skipped,
            ..Self::passed(name, subject, detail)
        }
    }

    pub(in crate::app) fn warning(name: &str, subject: Subject, detail: &str, fix: &str) -> Self {
        Self {
            status: CheckStatus::Warning,
            fix: Some(fix.to_owned()),
            ..Self::passed(name, subject, detail)
        }
    }

    /// What fails is not needed as things are.
    pub(super) fn only_warns(self) -> Self {
        match self.status {
            CheckStatus::Failed => Self {
                status: CheckStatus::Warning,
                code: None,
                ..self
            },
            _ => self,
        }
    }

    pub(super) fn failed(
        name: &str,
        subject: Subject,
        code: &'static str,
        detail: String,
        fix: &str,
    ) -> Self {
        Self {
            status: CheckStatus::Failed,
            code: Some(code),
            fix: Some(fix.to_owned()),
            detail,
            ..Self::passed(name, subject, "")
        }
    }
}

/// Any answer but "access denied" shows that the permission is there. An outage shows nothing.
pub(super) fn permission(
    action: &str,
    subject: Subject,
    answer: Result<(), AwsError>,
) -> Result<Check, AwsError> {
    match answer {
        Err(err) if err.is_retryable() => Err(err),
        Err(err) if err.kind == AwsErrorKind::AccessDenied => {
            let lacking = err.refused_action();
            let detail = format!("the {} lacks {lacking}", subject.role());
            let fix = format!(
                "Add {lacking} to the {}'s policy, as the template has it.",
                subject.role()
            );
            Ok(Check::failed(
                action,
                subject,
                "permission_missing",
                detail,
                &fix,
            ))
        }
        Ok(()) | Err(_) => Ok(Check::passed(action, subject, "permitted")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACTION: &str = "connect:CreateContactFlow";

    fn err(kind: AwsErrorKind, message: &str) -> Result<(), AwsError> {
        Err(AwsError {
            action: ACTION,
            kind,
            message: message.to_owned(),
        })
    }

    #[test]
    fn only_access_denied_means_that_a_permission_is_missing() {
        for answer in [
            Ok(()),
            err(AwsErrorKind::NotFound, ""),
            err(AwsErrorKind::Invalid, ""),
            err(AwsErrorKind::InvalidFlow(Vec::new()), ""),
            err(AwsErrorKind::Duplicate, ""),
        ] {
            let check = permission(ACTION, Subject::InstallerRole, answer).expect("an answer");
            assert_eq!(check.status, CheckStatus::Passed);
        }
        let denied = err(AwsErrorKind::AccessDenied, "");
        let check = permission(ACTION, Subject::InstallerRole, denied).expect("an answer");
        assert_eq!(check.status, CheckStatus::Failed);
        assert_eq!(check.code, Some("permission_missing"));
        assert_eq!(
            check.detail,
            "the installer role lacks connect:CreateContactFlow"
        );
    }

    #[test]
    fn the_action_that_aws_names_is_the_one_to_add() {
        let message = "User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: connect:TagResource on resource: x";
        let denied = err(AwsErrorKind::AccessDenied, message);
        let check = permission(ACTION, Subject::InstallerRole, denied).expect("an answer");
        assert_eq!(check.name, ACTION);
        assert_eq!(check.detail, "the installer role lacks connect:TagResource");
        assert!(
            check
                .fix
                .is_some_and(|fix| fix.contains("Add connect:TagResource"))
        );
    }

    #[test]
    fn an_outage_is_neither_a_pass_nor_a_failure() {
        for kind in [AwsErrorKind::Throttled, AwsErrorKind::Transient] {
            assert!(permission(ACTION, Subject::InstallerRole, err(kind, "")).is_err());
        }
    }
}
