//! Telephone numbers in E.164: the only module here that knows the phone number library.
//!
//! Invariant: a number that is read here has the spelling under which the limiter counts it, whatever country its policy
//! names, for both ask the same library and a number with its country code leaves nothing to assume.

use std::fmt;

use ringfence_policy::Number;
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber as Parsed, PhoneNumberFormat, Region,
};

/// Far more than any spelling of a number needs.
const TEXT_MAX: usize = 40;
/// As limiters cut what is no number.
const RAW_MAX: usize = 100;

/// A number of possible length. `Debug` does not show it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PhoneNumber(String);

impl PhoneNumber {
    /// Reads `+` and digits, with the marks that people put between them.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        let digits = text.strip_prefix('+')?;
        let is_plain = text.len() <= TEXT_MAX
            && digits
                .chars()
                .all(|char| char.is_ascii_digit() || " ()-./".contains(char));
        if !is_plain {
            return None;
        }
        let parsed = Parsed::parse(text, None).ok()?;
        is_possible(&parsed).then(|| Self(e164(&parsed)))
    }

    /// One that was read before.
    #[must_use]
    pub fn stored(text: String) -> Self {
        Self(text)
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PhoneNumber(…)")
    }
}

/// What was dialled, as limiters read it: a number of possible length becomes E.164, anything else keeps its text.
#[derive(Clone)]
pub struct Dialled {
    pub number: Number,
    /// ISO 3166 alpha-2; none for what is no number, and for numbers of no country.
    pub country: Option<String>,
    /// The digits that the agent may have meant: as they came, without the country's calling code, and as the library reads
    /// them.
    pub forms: Vec<String>,
}

impl Dialled {
    #[must_use]
    pub fn read(address: &str, default_country: &str) -> Self {
        let region = Region::from_code(default_country).ok();
        let parsed = Parsed::parse(address, region).ok();
        let possible = parsed.as_ref().filter(|number| is_possible(number));
        Self {
            number: match possible {
                Some(number) => Number::E164(e164(number)),
                None => Number::Raw(address.trim().chars().take(RAW_MAX).collect()),
            },
            country: possible.and_then(country_of),
            forms: forms(address, default_country, parsed.as_ref()),
        }
    }
}

/// A number as limiters recorded it: in E.164, or the text of what was none.
#[must_use]
pub fn recorded(text: &str) -> Number {
    match PhoneNumber::read(text) {
        Some(number) if number.as_str() == text => Number::E164(number.0),
        _ => Number::Raw(text.to_owned()),
    }
}

impl fmt::Debug for Dialled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dialled(…)")
    }
}

/// A range that the library does not know counts as the main country's of its calling code.
fn country_of(number: &Parsed) -> Option<String> {
    let region = number
        .get_region_code()
        .or_else(|| PHONE_NUMBER_UTIL.get_region_for_country_code(number.country_code))?;
    (region != Region::World).then(|| region.to_string())
}

fn forms(address: &str, default_country: &str, parsed: Option<&Parsed>) -> Vec<String> {
    let digits: String = address.chars().filter(char::is_ascii_digit).collect();
    let calling_code = calling_code(default_country);
    let national = calling_code.and_then(|code| digits.strip_prefix(&code).map(str::to_owned));
    let read = parsed.map(|number| {
        if is_possible(number) {
            e164(number)
        } else {
            number.national_number.to_string()
        }
    });
    national.into_iter().chain([digits]).chain(read).collect()
}

fn is_possible(number: &Parsed) -> bool {
    matches!(
        number.is_possible_with_reason(),
        Ok(NumberLengthType::IsPossible)
    )
}

fn e164(number: &Parsed) -> String {
    number.format_as(PhoneNumberFormat::E164).into_owned()
}

/// What stands before a country's numbers.
#[must_use]
pub fn calling_code(country: &str) -> Option<String> {
    let region = Region::from_code(country).ok()?;
    PHONE_NUMBER_UTIL
        .get_country_code_for_region(region)
        .map(|code| code.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_with_the_country_code_are_one_number() {
        for (text, number) in [
            ("+12065550100", "+12065550100"),
            (" +1 (206) 555-0100 ", "+12065550100"),
            ("+44 (0)20 7946 0000", "+442079460000"),
            ("+442079460000", "+442079460000"),
        ] {
            let read = PhoneNumber::read(text);
            assert_eq!(
                read.as_ref().map(PhoneNumber::as_str),
                Some(number),
                "{text}"
            );
        }
    }

    #[test]
    fn what_leaves_something_to_assume_or_is_no_number_is_not_read() {
        for text in [
            "",
            "+",
            "2065550100",
            "0012065550100",
            "+1",
            "+1206",
            "+999123456789",
            "+1206555010012345",
            "+1800FLOWERS",
            "tel:+12065550100",
            "+12065550100;ext=5",
            "+1\u{0}2065550100",
        ] {
            assert_eq!(PhoneNumber::read(text), None, "{text:?}");
        }
    }

    /// The limiter is held to the same vectors: what is listed is what is counted, in every region.
    #[test]
    fn a_number_is_read_as_the_limiter_counts_it() {
        type Row = (String, String, String, Option<String>, Option<String>);
        let vectors = include_str!("../../../limiter/tests/numbers/vectors.jsonl");
        let mut compared = 0;
        for line in vectors.lines() {
            let (_, what, text, key, _): Row = serde_json::from_str(line).expect("a vector");
            let Some(read) = PhoneNumber::read(&text) else {
                continue;
            };
            assert_eq!(Some(read.as_str()), key.as_deref(), "{what}: {text}");
            compared += 1;
        }
        assert!(compared > 1_500, "only {compared} vectors are read here");
    }

    #[test]
    fn a_number_does_not_show_where_things_are_printed() {
        let number = PhoneNumber::read("+12065550100");
        assert!(!format!("{number:?}").contains("206"));
    }
}
