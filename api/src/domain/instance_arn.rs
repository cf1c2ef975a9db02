//! The ARN of an Amazon Connect instance: `arn:PARTITION:connect:REGION:ACCOUNT:instance/ID`.

use std::fmt;
use std::str::FromStr;

/// A well-formed instance ARN, in parts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct InstanceArn {
    partition: String,
    region: String,
    account_id: String,
    instance_id: String,
}

/// What is wrong with the text.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidInstanceArn {
    #[error("must look like arn:aws:connect:REGION:ACCOUNT:instance/ID")]
    Shape,
    #[error("is the ARN of a {0}, not of an Amazon Connect instance")]
    OtherService(String),
    #[error("names a resource inside an instance; give the ARN of the instance itself")]
    InsideAnInstance,
}

impl InstanceArn {
    #[must_use]
    pub fn partition(&self) -> &str {
        &self.partition
    }

    #[must_use]
    pub fn region(&self) -> &str {
        &self.region
    }

    #[must_use]
    pub fn account_id(&self) -> &str {
        &self.account_id
    }

    /// Connect's own id of the instance.
    #[must_use]
    pub fn instance_id(&self) -> &str {
        &self.instance_id
    }
}

impl fmt::Display for InstanceArn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            region,
            account_id,
            instance_id,
        } = self;
        write!(
            f,
            "arn:{partition}:connect:{region}:{account_id}:instance/{instance_id}"
        )
    }
}

impl FromStr for InstanceArn {
    type Err = InvalidInstanceArn;

    fn from_str(text: &str) -> Result<Self, InvalidInstanceArn> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, service, region, account_id, resource] = parts[..] else {
            return Err(InvalidInstanceArn::Shape);
        };
        if service != "connect" {
            let service = if service.is_empty() {
                "thing without a service"
            } else {
                service
            };
            return Err(InvalidInstanceArn::OtherService(service.to_owned()));
        }
        let instance_id = resource
            .strip_prefix("instance/")
            .ok_or(InvalidInstanceArn::Shape)?;
        if instance_id.contains('/') {
            return Err(InvalidInstanceArn::InsideAnInstance);
        }
        let is_word = |text: &str| {
            !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
        };
        let well_formed = is_word(partition)
            && partition.starts_with("aws")
            && is_word(region)
            && account_id.len() == 12
            && account_id.bytes().all(|byte| byte.is_ascii_digit())
            && is_word(instance_id)
            && instance_id.len() <= 100;
        if !well_formed {
            return Err(InvalidInstanceArn::Shape);
        }
        Ok(Self {
            partition: partition.to_owned(),
            region: region.to_owned(),
            account_id: account_id.to_owned(),
            instance_id: instance_id.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_instance_arn_comes_back_as_it_was_given() {
        let text =
            "arn:aws:connect:us-east-1:123456789012:instance/c8c0e68d-2200-4265-82c0-000000000001";
        let arn: InstanceArn = text.parse().expect("an ARN");
        assert_eq!(arn.to_string(), text);
        assert_eq!(
            (arn.region(), arn.account_id()),
            ("us-east-1", "123456789012")
        );
    }

    #[test]
    fn what_is_no_instance_arn_is_refused_with_the_reason() {
        for (text, reason) in [
            ("", InvalidInstanceArn::Shape),
            (
                "arn:aws:connect:us-east-1:12345:instance/x",
                InvalidInstanceArn::Shape,
            ),
            (
                "arn:aws:connect:us-east-1:123456789012:instance/",
                InvalidInstanceArn::Shape,
            ),
            (
                "arn:aws:connect:us-east-1:123456789012:phone-number/x",
                InvalidInstanceArn::Shape,
            ),
            (
                "arn:aws:connect:us-east-1:123456789012:instance/x/queue/y",
                InvalidInstanceArn::InsideAnInstance,
            ),
            (
                "arn:aws:s3:::bucket",
                InvalidInstanceArn::OtherService("s3".to_owned()),
            ),
        ] {
            assert_eq!(text.parse::<InstanceArn>(), Err(reason), "{text}");
        }
    }
}
