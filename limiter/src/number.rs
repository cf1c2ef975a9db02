//! Reads what was dialled as a number: the only module that knows the phone number library.
//!
//! A number of possible length becomes E.164, without an extension, also where its range is not known to be in use:
//! ranges change faster than libraries. Anything else keeps its text and is marked.

use ringfence_policy::Number;
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region,
};

/// Longer than any number, short enough for a key.
const RAW_MAX: usize = 100;

/// What a text was read as.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Read {
    pub number: Number,
    /// ISO 3166 alpha-2; none for what is no number, and for numbers of no country (satellites, universal freephone).
    pub country: Option<String>,
}

pub fn read(address: &str, default_country: &str) -> Read {
    match possible(address, default_country) {
        Some(number) => Read {
            number: e164(&number),
            country: country(&number),
        },
        None => Read {
            number: raw(address),
            country: None,
        },
    }
}

/// As [`read`], without the work of telling the country.
pub fn number(address: &str, default_country: &str) -> Number {
    possible(address, default_country).map_or_else(|| raw(address), |number| e164(&number))
}

/// Makes the library's tables, which the first number would otherwise wait for.
pub(crate) fn prepare() {
    number("+12065550100", "US");
}

fn possible(address: &str, default_country: &str) -> Option<PhoneNumber> {
    let region = Region::from_code(default_country).ok();
    PhoneNumber::parse(address, region).ok().filter(|number| {
        matches!(
            number.is_possible_with_reason(),
            Ok(NumberLengthType::IsPossible)
        )
    })
}

fn e164(number: &PhoneNumber) -> Number {
    Number::E164(number.format_as(PhoneNumberFormat::E164).into_owned())
}

fn raw(address: &str) -> Number {
    Number::Raw(address.trim().chars().take(RAW_MAX).collect())
}

/// Several countries share a calling code. A range that the library does not know counts as the main one's, so that a new
/// area code does not slip past a limit on its country.
fn country(number: &PhoneNumber) -> Option<String> {
    let region = number
        .get_region_code()
        .or_else(|| PHONE_NUMBER_UTIL.get_region_for_country_code(number.country_code))?;
    (region != Region::World).then(|| region.to_string())
}

/// The digits that the agent may have meant: as they came, and without the country's calling code, which a softphone may
/// put before an emergency number.
pub fn dialled(address: &str, default_country: &str) -> Vec<String> {
    let digits: String = address.chars().filter(char::is_ascii_digit).collect();
    let calling_code = Region::from_code(default_country)
        .ok()
        .and_then(|region| PHONE_NUMBER_UTIL.get_country_code_for_region(region));
    let mut forms = Vec::new();
    if let Some(national) = calling_code.and_then(|code| digits.strip_prefix(&code.to_string())) {
        forms.push(national.to_owned());
    }
    forms.push(digits);
    forms
}
