//! Conditions of a statement, and what a request offers them to look at.
//!
//! Keys are compared without regard to case. A key that the request lacks makes a positive operator fail and a negated
//! one hold, as in IAM; `…IfExists` makes either hold. Operators that are not known here are refused when a policy is
//! stored, never skipped.

use std::collections::BTreeMap;

use super::pattern::{fits, fits_arn};

/// The condition keys of a request, with their values.
#[derive(Debug, Clone, Default)]
pub struct Context(BTreeMap<String, Vec<String>>);

impl FromIterator<(String, Vec<String>)> for Context {
    fn from_iter<I: IntoIterator<Item = (String, Vec<String>)>>(keys: I) -> Self {
        Self(
            keys.into_iter()
                .map(|(key, values)| (key.to_lowercase(), values))
                .collect(),
        )
    }
}

impl Context {
    fn values(&self, key: &str) -> Option<&[String]> {
        self.0.get(&key.to_lowercase()).map(Vec::as_slice)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Test {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    ArnLike,
    Bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Quantifier {
    /// A key with one value, or any of several.
    Plain,
    ForAnyValue,
    ForAllValues,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Operator {
    Null,
    Compare {
        test: Test,
        negated: bool,
        if_exists: bool,
        quantifier: Quantifier,
    },
}

/// One operator with one key and the values it is compared with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Condition {
    operator: Operator,
    key: String,
    values: Vec<String>,
}

/// There is no such operator here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownOperator;

impl Condition {
    pub fn new(operator: &str, key: &str, values: Vec<String>) -> Result<Self, UnknownOperator> {
        Ok(Self {
            operator: Operator::parse(operator)?,
            key: key.to_owned(),
            values,
        })
    }

    pub fn holds(&self, context: &Context) -> bool {
        let found = context.values(&self.key);
        let Operator::Compare {
            test,
            negated,
            if_exists,
            quantifier,
        } = self.operator
        else {
            let wants_absence = self.values.iter().any(|value| value == "true");
            return found.is_none_or(<[String]>::is_empty) == wants_absence;
        };
        let found = match found {
            Some(found) if !found.is_empty() => found,
            _ if if_exists => return true,
            _ => {
                return if quantifier == Quantifier::Plain {
                    negated
                } else {
                    quantifier == Quantifier::ForAllValues
                };
            }
        };
        let one_holds = |value: &String| {
            self.values.iter().any(|wanted| test.matches(wanted, value)) != negated
        };
        match quantifier {
            Quantifier::Plain if negated => found.iter().all(one_holds),
            Quantifier::Plain | Quantifier::ForAnyValue => found.iter().any(one_holds),
            Quantifier::ForAllValues => found.iter().all(one_holds),
        }
    }
}

impl Operator {
    fn parse(text: &str) -> Result<Self, UnknownOperator> {
        if text == "Null" {
            return Ok(Self::Null);
        }
        let (quantifier, rest) = match text.split_once(':') {
            Some(("ForAnyValue", rest)) => (Quantifier::ForAnyValue, rest),
            Some(("ForAllValues", rest)) => (Quantifier::ForAllValues, rest),
            Some(_) => return Err(UnknownOperator),
            None => (Quantifier::Plain, text),
        };
        let (name, if_exists) = match rest.strip_suffix("IfExists") {
            Some(name) => (name, true),
            None => (rest, false),
        };
        let (test, negated) = match name {
            "StringEquals" => (Test::StringEquals, false),
            "StringNotEquals" => (Test::StringEquals, true),
            "StringEqualsIgnoreCase" => (Test::StringEqualsIgnoreCase, false),
            "StringNotEqualsIgnoreCase" => (Test::StringEqualsIgnoreCase, true),
            "StringLike" => (Test::StringLike, false),
            "StringNotLike" => (Test::StringLike, true),
            "ArnEquals" | "ArnLike" => (Test::ArnLike, false),
            "ArnNotEquals" | "ArnNotLike" => (Test::ArnLike, true),
            "Bool" => (Test::Bool, false),
            _ => return Err(UnknownOperator),
        };
        Ok(Self::Compare {
            test,
            negated,
            if_exists,
            quantifier,
        })
    }
}

impl Test {
    fn matches(self, wanted: &str, found: &str) -> bool {
        match self {
            Self::StringEquals => wanted == found,
            Self::StringEqualsIgnoreCase | Self::Bool => wanted.eq_ignore_ascii_case(found),
            Self::StringLike => fits(wanted, found),
            Self::ArnLike => fits_arn(wanted, found),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(operator: &str, wanted: &[&str], found: Option<&[&str]>) -> bool {
        let own = |texts: &[&str]| {
            texts
                .iter()
                .map(|text| (*text).to_owned())
                .collect::<Vec<_>>()
        };
        let context = found.map(|found| ("AWS:RequestTag/managed-by".to_owned(), own(found)));
        let condition = Condition::new(operator, "aws:requesttag/managed-by", own(wanted))
            .expect("a known operator");
        condition.holds(&context.into_iter().collect())
    }

    #[test]
    fn operators_compare_as_in_iam() {
        for (operator, wanted, found, expected) in [
            ("StringEquals", &["a", "b"][..], Some(&["b"][..]), true),
            ("StringEquals", &["a"], Some(&["A"]), false),
            ("StringEquals", &["a"], None, false),
            ("StringEqualsIfExists", &["a"], None, true),
            ("StringEqualsIfExists", &["a"], Some(&["b"]), false),
            ("StringEqualsIgnoreCase", &["a"], Some(&["A"]), true),
            ("StringNotEquals", &["a"], Some(&["b"]), true),
            ("StringNotEquals", &["a", "b"], Some(&["b"]), false),
            ("StringNotEquals", &["a"], None, true),
            ("StringLike", &["ring*"], Some(&["ringfence"]), true),
            ("StringNotLike", &["ring*"], Some(&["ringfence"]), false),
            (
                "ArnLike",
                &["arn:aws:connect:*:1:instance/*"],
                Some(&["arn:aws:connect:eu-west-2:1:instance/i"]),
                true,
            ),
            (
                "ArnEquals",
                &["arn:aws:connect:*:1:instance/i"],
                Some(&["arn:aws:connect:eu-west-2:1:instance/i"]),
                true,
            ),
            (
                "ArnNotLike",
                &["arn:aws:connect:*:1:*"],
                Some(&["arn:aws:connect:eu-west-2:2:instance/i"]),
                true,
            ),
            ("Bool", &["true"], Some(&["True"]), true),
            ("Null", &["true"], None, true),
            ("Null", &["true"], Some(&["x"]), false),
            ("Null", &["false"], Some(&["x"]), true),
            (
                "ForAllValues:StringEquals",
                &["a", "b"],
                Some(&["a", "b"]),
                true,
            ),
            (
                "ForAllValues:StringEquals",
                &["a"],
                Some(&["a", "b"]),
                false,
            ),
            ("ForAllValues:StringEquals", &["a"], None, true),
            ("ForAnyValue:StringEquals", &["a"], Some(&["x", "a"]), true),
            ("ForAnyValue:StringEquals", &["a"], Some(&["x"]), false),
            ("ForAnyValue:StringEquals", &["a"], None, false),
        ] {
            assert_eq!(
                holds(operator, wanted, found),
                expected,
                "{operator} {wanted:?} {found:?}"
            );
        }
    }

    #[test]
    fn unknown_operators_are_refused() {
        for operator in [
            "NumericLessThan",
            "IpAddress",
            "DateGreaterThan",
            "ForEachValue:StringEquals",
            "Stringequals",
            "",
        ] {
            assert_eq!(
                Condition::new(operator, "k", Vec::new()),
                Err(UnknownOperator),
                "{operator}"
            );
        }
    }
}
