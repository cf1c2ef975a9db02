//! Reads what was dialled as a number: the only module that knows the phone number library.
//!
//! A number of possible length becomes E.164, also where its range is not known to be in use: ranges change faster than
//! libraries. Anything else keeps its text and is marked.

use ringfence_policy::Number;
use rlibphonenumber::{
    NumberLengthType, PHONE_NUMBER_UTIL, PhoneNumber, PhoneNumberFormat, Region,
};

/// Longer than any number, short enough for a key.
const RAW_MAX: usize = 100;

pub(crate) fn read(address: &str, default_country: &str) -> Number {
    let region = Region::from_code(default_country).ok();
    let possible = PhoneNumber::parse(address, region).ok().filter(|number| {
        matches!(
            number.is_possible_with_reason(),
            Ok(NumberLengthType::IsPossible)
        )
    });
    match possible {
        Some(number) => Number::E164(number.format_as(PhoneNumberFormat::E164).into_owned()),
        None => Number::Raw(address.trim().chars().take(RAW_MAX).collect()),
    }
}

/// The digits that the agent may have meant: as they came, and without the country's calling code, which a softphone may
/// put before an emergency number.
pub(crate) fn dialled(address: &str, default_country: &str) -> Vec<String> {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_one_number_are_one_number() {
        let expected = Number::E164("+12065550100".to_owned());
        for spelling in [
            "+12065550100",
            "12065550100",
            "2065550100",
            "(206) 555-0100",
            "+1 206-555-0100",
            "01112065550100",
        ] {
            assert_eq!(read(spelling, "US"), expected, "{spelling}");
        }
        assert_eq!(
            read("020 7946 0000", "GB"),
            Number::E164("+442079460000".to_owned())
        );
    }

    #[test]
    fn what_is_no_number_keeps_its_text() {
        for text in ["911", "sip:alice", "", "5550100", "+", "*67"] {
            assert_eq!(read(text, "US"), Number::Raw(text.to_owned()), "{text}");
        }
        assert_eq!(read(&"x".repeat(500), "ZZ").as_str().len(), RAW_MAX);
    }

    #[test]
    fn an_emergency_number_is_recognised_behind_a_calling_code() {
        assert!(dialled("+1911", "US").contains(&"911".to_owned()));
        assert!(dialled("9-1-1", "US").contains(&"911".to_owned()));
    }
}
