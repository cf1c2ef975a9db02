//! Wildcards of IAM: `*` for any run of characters, `?` for one.

/// Whether all of `text` fits the pattern.
pub fn fits(pattern: &str, text: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let text: Vec<char> = text.chars().collect();
    let (mut at, mut from) = (0, 0);
    // Where to go back to when what follows the last star does not fit: the star, and one character further.
    let mut star: Option<(usize, usize)> = None;
    while from < text.len() {
        match pattern.get(at) {
            Some('*') => {
                star = Some((at, from));
                at += 1;
            }
            Some(&wanted) if wanted == '?' || Some(&wanted) == text.get(from) => {
                at += 1;
                from += 1;
            }
            _ => match star {
                Some((place, taken)) => {
                    star = Some((place, taken + 1));
                    at = place + 1;
                    from = taken + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(at).all(|left| *left == '*')
}

/// ARNs are compared part by part, so that a star in one part does not reach into the next; the last part is the rest.
pub fn fits_arn(pattern: &str, arn: &str) -> bool {
    let (wanted, found): (Vec<&str>, Vec<&str>) = (
        pattern.splitn(6, ':').collect(),
        arn.splitn(6, ':').collect(),
    );
    if wanted.len() != 6 || found.len() != 6 {
        return pattern == "*";
    }
    wanted
        .iter()
        .zip(found)
        .all(|(wanted, found)| fits(wanted, found))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_and_question_marks_match_as_in_iam() {
        for (pattern, text, expected) in [
            ("", "", true),
            ("*", "", true),
            ("a*c", "abbbc", true),
            ("a*c", "abbbd", false),
            ("a?c", "abc", true),
            ("a?c", "ac", false),
            ("*a*b*", "xxaxxbxx", true),
            ("*ab", "abab", true),
            (
                "arn:aws:connect:*:1:instance/*",
                "arn:aws:connect:us-east-1:1:instance/i/queue/*",
                true,
            ),
            (
                "arn:aws:connect:*:1:instance/i",
                "arn:aws:connect:us-east-1:1:instance/i/queue/q",
                false,
            ),
        ] {
            assert_eq!(fits(pattern, text), expected, "{pattern} {text}");
        }
    }

    #[test]
    fn a_star_stays_within_its_part_of_an_arn() {
        assert!(fits_arn(
            "arn:aws:connect:us-east-1:1:instance/*",
            "arn:aws:connect:us-east-1:1:instance/i"
        ));
        assert!(!fits_arn(
            "arn:aws:*:1:instance/i",
            "arn:aws:connect:us-east-1:1:instance/i"
        ));
        assert!(!fits_arn(
            "arn:aws:connect:*:2:instance/*",
            "arn:aws:connect:us-east-1:1:instance/2:2:instance/i"
        ));
    }
}
