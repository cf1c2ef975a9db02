//! What holds for any text.

use proptest::prelude::*;
use ringfence_limiter::number::Reading;
use ringfence_policy::Number;

use crate::read;

fn country() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::sample::select(vec![
            "US", "GB", "DE", "IT", "BR", "JP", "AR", "ZZ", "001", ""
        ])
        .prop_map(str::to_owned),
        "[A-Z]{2}",
    ]
}

/// Texts of what stands in numbers, so that many are numbers, and texts of anything.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        3 => r"[+＋]?[0-9０-９ ().\-/]{0,20}(;ext=[0-9]{1,4}|x[0-9]{1,4}|;phone-context=[+0-9a-z.]{1,6})?",
        1 => r"(tel:|sip:)?[+0-9*#A-Za-z;=@. ]{0,24}",
        1 => any::<String>(),
    ]
}

proptest! {
    #[test]
    fn no_text_and_no_country_makes_reading_fail(text in text(), country in country()) {
        let found = read(&text, &country);
        let key = found.number.as_str();
        match &found.number {
            Number::E164(_) => {
                prop_assert!(key.starts_with('+') && key.len() > 3 && key.len() <= 18, "{key}");
                prop_assert!(key[1..].bytes().all(|byte| byte.is_ascii_digit()), "{key}");
            }
            Number::Raw(_) => {
                prop_assert!(key.chars().count() <= 100 && text.trim().starts_with(key));
                prop_assert_eq!(found.country, None);
            }
        }
        prop_assert!(!Reading::of(&text, &country).dialled().is_empty());
    }

    /// A key that is read again, by whichever tenant's default country, is the same key.
    #[test]
    fn what_was_read_as_a_number_reads_as_itself(text in text(), country in country(), other in country()) {
        let found = read(&text, &country);
        if let Number::E164(key) = &found.number {
            prop_assert_eq!(&read(key, &other), &found);
        }
    }

    /// No text that is no number can be made to share a number's count.
    #[test]
    fn what_is_no_number_never_has_a_numbers_key(text in text(), country in country()) {
        let found = read(&text, &country);
        if let Number::Raw(key) = &found.number {
            let again = read(key, &country).number;
            prop_assert!(!matches!(again, Number::E164(number) if number == *key));
        }
    }

    #[test]
    fn decoration_changes_no_key(number in r"\+(1206|44207|4930|39066)[0-9]{7}", marks in prop::collection::vec("[ .()-]{0,2}", 12)) {
        let decorated: String = number
            .chars()
            .enumerate()
            .map(|(place, c)| if place < 3 { c.to_string() } else { format!("{c}{}", marks[place % marks.len()]) })
            .collect();
        prop_assert_eq!(read(&decorated, "US"), read(&number, "GB"));
    }
}
