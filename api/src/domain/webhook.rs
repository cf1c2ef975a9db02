//! Webhooks: what tenants can be told of, how numbers are shown to them, and when an attempt is made again. Pure.

use std::time::Duration;

use super::words::words;

words! {
    /// What a tenant can be told of.
    EventKind {
        /// A call was not let out.
        CallDenied => "call.denied",
        /// Ringfence cannot work in the tenant's account any more.
        ConnectionUnhealthy => "connection.unhealthy",
        /// Somebody changed what Ringfence had installed.
        InstallationDrifted => "installation.drifted",
        /// A call took a rule's count across four fifths of its limit.
        LimitNear => "limit.near",
        /// Limiters can read a version of a policy.
        PolicyPublished => "policy.published",
        /// Sent when asked for, to the one endpoint.
        WebhookTest => "webhook.test",
    }

    /// How an endpoint is shown its tenant's customers' numbers.
    CustomerNumbers {
        Masked => "masked",
        Full => "full",
    }

    EndpointState {
        Enabled => "enabled",
        Disabled => "disabled",
    }

    /// Why an endpoint is told nothing.
    DisabledBecause {
        /// Somebody of the tenant wanted it so.
        Asked => "asked",
        /// Nothing could be delivered for a long time.
        Failing => "failing",
        /// It answered that it is gone for good.
        Gone => "gone",
    }

    DeliveryState {
        Waiting => "waiting",
        Delivered => "delivered",
        Failed => "failed",
    }
}

impl EventKind {
    /// Those that an endpoint can be set up for.
    pub fn to_choose() -> impl Iterator<Item = Self> {
        Self::ALL
            .into_iter()
            .filter(|kind| *kind != Self::WebhookTest)
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
/// Seconds after each attempt that failed: about 28 hours in all.
const PAUSES: [u64; 10] = [
    5,
    30,
    2 * MINUTE,
    10 * MINUTE,
    30 * MINUTE,
    HOUR,
    2 * HOUR,
    4 * HOUR,
    8 * HOUR,
    12 * HOUR,
];

/// How long to wait after so many attempts have failed; none: it is given up. `spread` takes a pause and answers one
/// from half of it to one and a half: a fifth of each pause goes through it, so that all together they stay above 24
/// hours.
#[must_use]
pub fn pause_after(tries: u32, spread: impl FnOnce(Duration) -> Duration) -> Option<Duration> {
    let index = usize::try_from(tries.checked_sub(1)?).ok()?;
    let pause = Duration::from_secs(*PAUSES.get(index)?);
    let loose = pause / 5;
    Some(pause - loose + spread(loose))
}

/// The country's code and the last two digits stay. What is no number is hidden whole.
#[must_use]
pub fn masked(number: &str) -> String {
    const CLEAR_AT_END: usize = 2;
    const CLEAR_AT_START: usize = 3;
    let is_number = number.starts_with('+') && number.chars().skip(1).all(|c| c.is_ascii_digit());
    let length = number.chars().count();
    let hidden_until = length.saturating_sub(CLEAR_AT_END);
    if !is_number || hidden_until <= CLEAR_AT_START + CLEAR_AT_END {
        return "•".repeat(6);
    }
    number
        .chars()
        .enumerate()
        .map(|(index, digit)| match index {
            index if index < CLEAR_AT_START || index >= hidden_until => digit,
            _ => '•',
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_is_masked_so_that_it_cannot_be_dialled() {
        for (number, shown) in [
            ("+12065550100", "+12•••••••00"),
            ("+442079460018", "+44••••••••18"),
            ("+4930901820", "+49••••••20"),
            ("+12345", "••••••"),
            ("911", "••••••"),
            ("sip:someone@example.com", "••••••"),
            ("", "••••••"),
        ] {
            assert_eq!(masked(number), shown, "{number}");
        }
    }

    #[test]
    fn nobody_is_given_up_before_a_day_and_everybody_in_the_end() {
        let total = |factor: f64| -> Duration {
            (1..)
                .map_while(|tries| pause_after(tries, |pause| pause.mul_f64(factor)))
                .sum()
        };
        assert!(total(0.5) >= Duration::from_hours(24), "{:?}", total(0.5));
        assert!(total(1.5) <= Duration::from_hours(32), "{:?}", total(1.5));
        assert_eq!(pause_after(0, |pause| pause), None);
        assert_eq!(pause_after(u32::MAX, |pause| pause), None);
    }

    proptest! {
        #[test]
        fn a_masked_number_shows_at_most_five_characters_of_it(number in "\\+[0-9]{0,20}|.{0,20}") {
            let shown = masked(&number);
            let clear = shown.chars().filter(|c| *c != '•').count();
            prop_assert!(clear <= 5);
        }

        #[test]
        fn pauses_grow(tries in 1_u32..10, factor in 0.5_f64..1.5) {
            let pause = |tries| pause_after(tries, |pause| pause.mul_f64(factor)).expect("a pause");
            prop_assert!(pause(tries + 1) > pause(tries));
        }
    }
}
