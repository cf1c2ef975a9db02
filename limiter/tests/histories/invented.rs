//! Policies made up by dice, and the times at which they are put to the test: at the edges of their windows and days.

use jiff::{Timestamp, ToSpan};
use rand::RngExt;
use rand::rngs::StdRng;
use rand::seq::IndexedRandom;

use crate::lists::{Entry, List};
use crate::rules::{Dimension, Kind, Mode, Period, Policy, Rule};

const ZONES: [&str; 4] = [
    "UTC",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
];

/// Days on which clocks change, months and years end, and ordinary ones; in the hours about them.
const DAYS: [&str; 6] = [
    "2026-11-25T18:00:00Z",
    "2026-11-01T05:30:00Z",
    "2027-03-14T06:30:00Z",
    "2026-12-31T23:30:00Z",
    "2027-02-28T12:00:00Z",
    "2026-10-03T15:00:00Z",
];

/// How large the limits are, and how many dial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Size {
    /// A handful of calls puts the limits to the test.
    Usual,
    /// Enough for meters to be compacted.
    Crowd,
    /// More than a meter keeps singly.
    Multitude,
}

impl Size {
    pub fn draw(dice: &mut StdRng) -> Self {
        match dice.random_range(0..400) {
            0 => Self::Multitude,
            1..16 => Self::Crowd,
            _ => Self::Usual,
        }
    }

    fn most(self, dice: &mut StdRng) -> u32 {
        dice.random_range(match self {
            Self::Usual => 1..=4,
            Self::Crowd => 5..=40,
            Self::Multitude => 257..=270,
        })
    }

    fn seconds(self, dice: &mut StdRng) -> u32 {
        let seconds: &[u32] = match self {
            Self::Usual => &[1, 2, 5, 10, 60, 600, 86_400],
            Self::Crowd => &[10, 60, 600, 86_400],
            Self::Multitude => &[86_400],
        };
        *seconds.choose(dice).unwrap()
    }

    pub fn rounds(self, dice: &mut StdRng) -> u32 {
        dice.random_range(match self {
            Self::Usual => 2..=4,
            Self::Crowd => 6..=9,
            Self::Multitude => 14..=16,
        })
    }

    pub fn dials(self, dice: &mut StdRng) -> u32 {
        dice.random_range(match self {
            Self::Usual => 1..=5,
            Self::Crowd => 6..=12,
            Self::Multitude => 18..=24,
        })
    }
}

pub fn start(dice: &mut StdRng) -> i64 {
    let day: Timestamp = DAYS.choose(dice).unwrap().parse().unwrap();
    day.as_millisecond() + dice.random_range(0..3_600_000)
}

/// One policy, or several that follow one another while calls go on.
pub fn policies(dice: &mut StdRng, size: Size) -> Vec<Policy> {
    let mut policies = vec![policy(dice, size)];
    if size == Size::Usual && dice.random_bool(0.25) {
        for version in 2..=dice.random_range(2..=3) {
            let before = policies.last().unwrap().clone();
            policies.push(changed(before, version, dice));
        }
    }
    if dice.random_bool(0.2) {
        read_lists(&mut policies, dice);
    }
    policies
}

/// Numbers are looked up from one of the policies on; the first time that a tenant lists one comes with a policy of its
/// own.
fn read_lists(policies: &mut Vec<Policy>, dice: &mut StdRng) {
    if dice.random_bool(0.3) {
        let last = policies.last().unwrap();
        policies.push(Policy {
            version: last.version + 1,
            ..last.clone()
        });
    }
    let from = policies.len() - 1 - usize::from(policies.len() > 2);
    let from = if dice.random_bool(0.5) { 0 } else { from };
    for policy in &mut policies[from..] {
        policy.reads_lists = true;
    }
}

/// What a number is listed as just now; nothing: it is taken off.
pub fn entry(dice: &mut StdRng, now_ms: i64) -> Option<Entry> {
    let list = match dice.random_range(0..10) {
        0..4 => List::Block,
        4..8 => List::Exemption,
        _ => return None,
    };
    let lasts = [None, None, Some(1), Some(300), Some(2_000), Some(60_000)];
    let lasts = *lasts.choose(dice).unwrap();
    Some(Entry {
        list,
        expires_at_ms: lasts.map(|ms| now_ms + ms),
    })
}

fn policy(dice: &mut StdRng, size: Size) -> Policy {
    let count = match size {
        Size::Multitude => 1,
        Size::Usual | Size::Crowd => dice.random_range(1..=3),
    };
    let rules = (0..count).map(|number| rule(number, dice, size)).collect();
    let mode = if dice.random_bool(0.05) {
        Mode::Shadow
    } else {
        Mode::Enforce
    };
    Policy {
        version: 1,
        mode,
        denies_uncounted: dice.random_bool(0.3),
        reads_lists: false,
        rules,
    }
}

fn rule(number: usize, dice: &mut StdRng, size: Size) -> Rule {
    use Dimension::{Agent, CallerId, Campaign, Customer, Queue};
    let per: &[&[Dimension]] = &[
        &[Customer],
        &[Customer],
        &[Customer],
        &[CallerId],
        &[CallerId],
        &[Customer, CallerId],
        &[Agent],
        &[Customer, Queue],
        &[Campaign],
    ];
    Rule {
        id: format!("rule-{number}"),
        per: per.choose(dice).unwrap().to_vec(),
        tenant_wide: dice.random_bool(0.2),
        prefix: dice.random_bool(0.2).then_some("+1206"),
        kind: kind(dice, size),
        shadow: dice.random_bool(0.15),
    }
}

fn kind(dice: &mut StdRng, size: Size) -> Kind {
    let max = size.most(dice);
    let seconds = size.seconds(dice);
    let zone = *ZONES.choose(dice).unwrap();
    if size == Size::Multitude {
        return Kind::Sliding {
            max,
            window_seconds: seconds,
        };
    }
    match dice.random_range(0..7) {
        0 | 1 => Kind::Sliding {
            max,
            window_seconds: seconds,
        },
        2 | 3 => Kind::UntilQuiet {
            block_at: max + 1,
            quiet_seconds: seconds,
        },
        4 => Kind::ConsecutiveDays {
            max,
            days: dice.random_range(1..=7),
            zone,
        },
        5 => Kind::Calendar {
            max,
            period: *[Period::Day, Period::Week, Period::Month]
                .choose(dice)
                .unwrap(),
            zone,
        },
        _ => Kind::Pace {
            max,
            per_seconds: *[1, 3, 10, 60].choose(dice).unwrap(),
            burst: dice.random_range(1..=3),
        },
    }
}

fn changed(mut policy: Policy, version: u64, dice: &mut StdRng) -> Policy {
    policy.version = version;
    let index = dice.random_range(0..policy.rules.len());
    match dice.random_range(0..6) {
        0 => policy.rules[index].shadow = !policy.rules[index].shadow,
        1 => {
            let new = Rule {
                id: format!("rule-of-{version}"),
                ..rule(0, dice, Size::Usual)
            };
            policy.rules.push(new);
        }
        2 => {
            policy.rules.remove(index);
        }
        3 => {
            policy.mode = *[Mode::Enforce, Mode::Shadow, Mode::Off]
                .choose(dice)
                .unwrap();
        }
        _ => change_limit(&mut policy.rules[index].kind, dice),
    }
    if policy.rules.is_empty() {
        policy.rules.push(rule(9, dice, Size::Usual));
    }
    policy
}

fn change_limit(kind: &mut Kind, dice: &mut StdRng) {
    match kind {
        Kind::Sliding {
            max,
            window_seconds,
        } => {
            *max = dice.random_range(1..=4);
            *window_seconds = *[1, 5, 60, 600].choose(dice).unwrap();
        }
        Kind::UntilQuiet { block_at, .. } => *block_at = dice.random_range(2..=5),
        Kind::ConsecutiveDays { max, .. } | Kind::Calendar { max, .. } => {
            *max = dice.random_range(1..=4);
        }
        Kind::Pace { max, burst, .. } => {
            *max = dice.random_range(1..=4);
            *burst = dice.random_range(1..=3);
        }
    }
}

/// How much time goes by: often exactly as much as one of the policy's rules makes a difference of.
pub fn pause(dice: &mut StdRng, policy: &Policy, now_ms: i64) -> i64 {
    let Some(rule) = policy.rules.choose(dice) else {
        return dice.random_range(0..1000);
    };
    let span = rule.kind.span_ms();
    match dice.random_range(0..9) {
        0 => 0,
        1 => dice.random_range(1..20),
        2 => dice.random_range(0..3000),
        3 => (span - 1).max(0),
        4 => span,
        5 => span + 1,
        6 => span / 2,
        7 => dice.random_range(0..=span),
        _ => match rule.kind {
            Kind::ConsecutiveDays { zone, .. } | Kind::Calendar { zone, .. } => {
                next_midnight(now_ms, zone) - now_ms + dice.random_range(-1..=1)
            }
            _ => span / i64::from(dice.random_range(1..=5_u8)),
        },
    }
}

fn next_midnight(now_ms: i64, zone: &str) -> i64 {
    let now = Timestamp::from_millisecond(now_ms).unwrap();
    let today = now.in_tz(zone).unwrap().date();
    let tomorrow = today.checked_add(1.day()).unwrap();
    let midnight = tomorrow.in_tz(zone).unwrap();
    midnight.timestamp().as_millisecond()
}
