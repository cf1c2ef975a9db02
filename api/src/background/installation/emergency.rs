//! Every spelling under which a call's address may name an emergency number.
//!
//! How Connect spells them is not documented; the bare number and the number behind the country's calling code are
//! both seen. Too many spellings do no harm: none of them is anybody's telephone number.

use ringfence_policy::Policy;

use crate::domain::phone::calling_code;

#[must_use]
pub fn spellings(policy: &Policy) -> Vec<String> {
    let code = calling_code(policy.default_country());
    let mut found = Vec::new();
    for number in policy.emergency() {
        let prefixed = code.as_ref().map(|code| format!("+{code}{number}"));
        for spelling in [Some(number.clone()), prefixed].into_iter().flatten() {
            if !found.contains(&spelling) {
                found.push(spelling);
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_emergency_number_is_known_with_and_without_the_calling_code() {
        let found = spellings(&Policy::default());
        assert_eq!(found, ["911", "+1911", "933", "+1933", "112", "+1112"]);
    }

    #[test]
    fn every_spelling_of_as_many_numbers_as_a_policy_may_have_is_known() {
        let numbers: Vec<String> = (100..150).map(|number| number.to_string()).collect();
        let document = json!({ "default_country": "GB", "emergency": numbers, "rules": [] });
        let policy: Policy = serde_json::from_value(document).expect("a policy");
        let found = spellings(&policy);
        for number in &numbers {
            assert!(found.contains(number), "{number}");
            assert!(found.contains(&format!("+44{number}")), "{number}");
        }
    }
}
