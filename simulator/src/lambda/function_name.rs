//! How a request names a function.

/// A function's name as the path gives it: a name, `account:function:name`, or a whole ARN, each with a qualifier.
#[derive(Debug, PartialEq, Eq)]
pub struct FunctionName {
    pub region: Option<String>,
    pub account: Option<String>,
    pub name: String,
    pub qualifier: Option<String>,
}

impl FunctionName {
    pub fn parse(label: &str) -> Option<Self> {
        let parts: Vec<&str> = label.split(':').collect();
        let (region, account, rest) = match parts.as_slice() {
            ["arn", _, "lambda", region, account, "function", rest @ ..] => {
                (Some(*region), Some(*account), rest)
            }
            [account, "function", rest @ ..] => (None, Some(*account), rest),
            rest => (None, None, rest),
        };
        let (name, qualifier) = match rest {
            [name] => (*name, None),
            [name, qualifier] => (*name, Some(*qualifier)),
            _ => return None,
        };
        let owned = |text: Option<&str>| text.map(str::to_owned);
        (!name.is_empty()).then(|| Self {
            region: owned(region),
            account: owned(account),
            name: name.to_owned(),
            qualifier: owned(qualifier),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_is_named_in_three_ways() {
        let name = |label: &str| {
            FunctionName::parse(label)
                .map(|name| (name.region, name.account, name.name, name.qualifier))
        };
        let text = |text: &str| Some(text.to_owned());
        assert_eq!(
            name("limiter"),
            Some((None, None, "limiter".to_owned(), None))
        );
        assert_eq!(
            name("limiter:s01"),
            Some((None, None, "limiter".to_owned(), text("s01")))
        );
        assert_eq!(
            name("999988887777:function:limiter"),
            Some((None, text("999988887777"), "limiter".to_owned(), None))
        );
        assert_eq!(
            name("arn:aws:lambda:us-east-1:999988887777:function:limiter:s01"),
            Some((
                text("us-east-1"),
                text("999988887777"),
                "limiter".to_owned(),
                text("s01")
            ))
        );
        assert_eq!(name("a:b:c"), None);
        assert_eq!(name(""), None);
    }
}
