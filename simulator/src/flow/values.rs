//! Whether one parameter of an action has a value that its rule allows.

use serde_json::Value;

use super::reference::is_reference;
use super::spec::Rule;
use super::validate::Options;

/// What a rule says of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    Fine,
    Bad,
    BadId,
}

/// Judges one value.
pub fn judge(rule: Rule, value: &Value, options: Options) -> Verdict {
    let text = value.as_str();
    let reference = text.is_some_and(is_reference);
    let fine = match rule {
        Rule::Word(words) => text.is_some_and(|text| words.contains(&text)),
        Rule::Number(min, max) => number_within(text, min, max),
        Rule::NumberOrReference(min, max) => reference || number_within(text, min, max),
        Rule::Reference => reference,
        Rule::Id if reference || text.is_some_and(valid_id) => true,
        Rule::Id => return Verdict::BadId,
        Rule::LambdaArn => reference || text.is_some_and(|text| valid_lambda_arn(text, options)),
        Rule::Text => text.is_some_and(|text| !text.is_empty()),
        Rule::TextMap => value
            .as_object()
            .is_some_and(|members| members.values().all(Value::is_string)),
        Rule::Json => value.is_object() || value.is_array(),
        Rule::ResponseValidation => only_member(value, "ResponseType", |kind| {
            ["STRING_MAP", "JSON"].contains(&kind)
        }),
        Rule::CallerId => only_member(value, "Number", is_reference),
    };
    if fine { Verdict::Fine } else { Verdict::Bad }
}

fn number_within(text: Option<&str>, min: u64, max: u64) -> bool {
    text.and_then(|text| text.parse().ok())
        .is_some_and(|number: u64| (min..=max).contains(&number))
}

fn only_member(value: &Value, name: &str, fine: impl Fn(&str) -> bool) -> bool {
    let members = value.as_object().filter(|members| members.len() == 1);
    members
        .and_then(|members| members.get(name)?.as_str())
        .is_some_and(fine)
}

/// A UUID, or an ARN that ends in one.
fn valid_id(id: &str) -> bool {
    let last = id.rsplit('/').next().unwrap_or(id);
    let is_uuid = last.len() == 36 && uuid::Uuid::try_parse(last).is_ok();
    is_uuid && (last.len() == id.len() || id.starts_with("arn:"))
}

fn valid_lambda_arn(arn: &str, options: Options) -> bool {
    let word = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
    };
    let parts: Vec<&str> = arn.split(':').collect();
    let [
        "arn",
        partition,
        "lambda",
        region,
        account,
        "function",
        name,
        qualifier @ ..,
    ] = parts.as_slice()
    else {
        return false;
    };
    let qualified = match qualifier {
        [] => true,
        [qualifier] => options.qualified_lambda_arn && (word(qualifier) || *qualifier == "$LATEST"),
        _ => false,
    };
    let is_account = account.len() == 12 && account.bytes().all(|byte| byte.is_ascii_digit());
    partition.starts_with("aws") && word(region) && is_account && word(name) && qualified
}
