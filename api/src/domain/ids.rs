//! One type per id: a prefix and a time-ordered UUID as 32 hexadecimal digits. A wrong prefix does not parse.

use std::fmt;
use std::str::FromStr;

use uuid::Uuid;

/// The text is not an id of this kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not an id of this kind")]
pub struct NotAnId;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $prefix:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!($prefix, "_{}"), self.0.simple())
            }
        }

        impl FromStr for $name {
            type Err = NotAnId;

            fn from_str(text: &str) -> Result<Self, NotAnId> {
                let digits = text.strip_prefix(concat!($prefix, "_")).ok_or(NotAnId)?;
                let canonical = digits.len() == 32
                    && digits.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
                if !canonical {
                    return Err(NotAnId);
                }
                Uuid::try_parse(digits).map(Self).map_err(|_| NotAnId)
            }
        }
    };
}

id!(
    /// A customer organisation.
    TenantId,
    "ten"
);
id!(
    /// A key of a tenant.
    ApiKeyId,
    "key"
);
id!(
    /// A key of the operator.
    OperatorKeyId,
    "opk"
);
id!(
    /// Somebody whom the identity provider vouches for.
    PersonId,
    "per"
);
id!(
    /// A person in a tenant.
    MemberId,
    "mem"
);
id!(
    /// An invitation to become a member.
    InvitationId,
    "inv"
);
id!(
    /// A browser in which somebody is signed in.
    SessionId,
    "ses"
);
id!(
    /// An identity provider whose tokens a tenant accepts.
    TokenIssuerId,
    "iss"
);
id!(
    /// A tenant's AWS account.
    ConnectionId,
    "con"
);
id!(
    /// An Amazon Connect instance as a tenant registered it.
    InstanceId,
    "ins"
);
id!(
    /// A policy: a tenant's default or an instance's own.
    PolicyId,
    "pol"
);
id!(
    /// A decision on one attempt.
    DecisionId,
    "dec"
);
id!(
    /// A number on one of a tenant's lists.
    EntryId,
    "ent"
);
id!(
    /// An erasure of a number.
    NumberErasureId,
    "era"
);
id!(
    /// Where a tenant wants to be told of events.
    WebhookId,
    "whk"
);
id!(
    /// Something that a tenant is told of.
    EventId,
    "evt"
);
id!(
    /// One HTTP request.
    RequestId,
    "req"
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_comes_back_from_its_text_and_from_no_other() {
        let id = TenantId(Uuid::from_u128(0x0198_0000_0000_7000_8000_0000_0000_0001));
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in [
            "",
            "ten_",
            "ins_01980000000070008000000000000001",
            "ten_0198000000007000800000000000000",
            "ten_01980000-0000-7000-8000-000000000001",
            "ten_0198000000007000800000000000000A",
        ] {
            assert_eq!(text.parse::<TenantId>(), Err(NotAnId), "{text}");
        }
    }
}
