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

/// A text that was dialled, or called from, read with a default country.
#[derive(Debug)]
pub struct Reading<'t> {
    text: &'t str,
    default_country: &'t str,
    /// Of any length: short ones are codes that a country gives a meaning.
    parsed: Option<PhoneNumber>,
}

impl<'t> Reading<'t> {
    pub fn of(text: &'t str, default_country: &'t str) -> Self {
        let region = Region::from_code(default_country).ok();
        Self {
            text,
            default_country,
            parsed: PhoneNumber::parse(text, region).ok(),
        }
    }

    fn possible(&self) -> Option<&PhoneNumber> {
        self.parsed.as_ref().filter(|number| is_possible(number))
    }

    pub fn number(&self) -> Number {
        match self.possible() {
            Some(number) => Number::E164(e164(number)),
            None => Number::Raw(self.text.trim().chars().take(RAW_MAX).collect()),
        }
    }

    /// ISO 3166 alpha-2; none for what is no number, and for numbers of no country (satellites, universal freephone).
    pub fn country(&self) -> Option<String> {
        self.possible().and_then(country)
    }

    /// The digits that the agent may have meant: as they came; without the default country's calling code, which a
    /// softphone may put before an emergency number; and as the library reads them, whatever digits and calling code they
    /// were written with.
    pub fn dialled(&self) -> Vec<String> {
        let digits: String = self.text.chars().filter(char::is_ascii_digit).collect();
        let national = calling_code(self.default_country)
            .and_then(|code| digits.strip_prefix(&code.to_string()).map(str::to_owned));
        let read = self.parsed.as_ref().map(|number| {
            if is_possible(number) {
                e164(number)
            } else {
                number.national_number.to_string()
            }
        });
        national.into_iter().chain([digits]).chain(read).collect()
    }
}

/// Makes the library's tables, which the first number would otherwise wait for.
pub(crate) fn prepare() {
    Reading::of("+12065550100", "US").number();
}

fn is_possible(number: &PhoneNumber) -> bool {
    matches!(
        number.is_possible_with_reason(),
        Ok(NumberLengthType::IsPossible)
    )
}

fn e164(number: &PhoneNumber) -> String {
    number.format_as(PhoneNumberFormat::E164).into_owned()
}

fn calling_code(country: &str) -> Option<i32> {
    let region = Region::from_code(country).ok()?;
    PHONE_NUMBER_UTIL.get_country_code_for_region(region)
}

/// Several countries share a calling code. A range that the library does not know counts as the main one's, so that a new
/// area code does not slip past a limit on its country.
fn country(number: &PhoneNumber) -> Option<String> {
    let region = number
        .get_region_code()
        .or_else(|| PHONE_NUMBER_UTIL.get_region_for_country_code(number.country_code))?;
    (region != Region::World).then(|| region.to_string())
}
