//! An oracle that is as naive as can be: it keeps plain lists, looks through all of them, and never sees a log.

use std::collections::BTreeMap;

use jiff::Timestamp;
use jiff::civil::Date;
use ringfence_policy::{Dimension, Limit, Period, Policy, Rule, RuleMode, Verdict, Zone};

use crate::dials::Dial;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kept {
    Admitted,
    Denied,
}

/// What a rule shares with others: everything that was ever counted for it, and the latest time anybody wrote.
#[derive(Default)]
pub struct Shelf {
    pub latest: i64,
    pub kept: Vec<(i64, Kept)>,
}

impl Shelf {
    pub fn admitted(&self) -> Vec<i64> {
        let admitted = self.kept.iter().filter(|(_, kept)| *kept == Kept::Admitted);
        admitted.map(|(at, _)| *at).collect()
    }
}

#[derive(Default)]
pub struct Oracle {
    pub shelves: BTreeMap<String, Shelf>,
}

pub struct Said {
    pub rule: String,
    pub count: u32,
    pub denied: bool,
}

pub fn date(zone: &Zone, at: i64) -> Date {
    let at = Timestamp::from_millisecond(at).unwrap();
    zone.time_zone().to_datetime(at).date()
}

fn days_apart(earlier: Date, later: Date) -> i64 {
    let day = |date: Date| {
        date.at(0, 0, 0, 0)
            .to_zoned_datetime(jiff::tz::TimeZone::UTC)
            .unwrap()
            .timestamp()
            .as_second()
            / 86_400
    };
    day(later) - day(earlier)
}

fn period_of(period: Period, date: Date) -> (i16, i16) {
    match period {
        Period::Day => (date.year(), date.day_of_year()),
        Period::Week => {
            let week = date.iso_week_date();
            (week.year(), week.week().into())
        }
        Period::Month => (date.year(), date.month().into()),
    }
}

/// How many of these admissions a limit of a window counts for an attempt at this time.
pub fn in_window(limit: &Limit, admitted: &[i64], now: i64) -> u32 {
    let counts = |at: &&i64| match limit {
        Limit::Sliding { window_seconds, .. } => now - **at < i64::from(*window_seconds) * 1000,
        Limit::ConsecutiveDays {
            days, time_zone, ..
        } => days_apart(date(time_zone, **at), date(time_zone, now)) < i64::from(*days),
        Limit::Calendar {
            period, time_zone, ..
        } => period_of(*period, date(time_zone, **at)) == period_of(*period, date(time_zone, now)),
        _ => unreachable!("no window"),
    };
    admitted.iter().filter(counts).count() as u32
}

/// The microseconds that one attempt takes.
pub fn interval_us(max: u32, per_seconds: u32) -> i64 {
    let (all, max) = (i64::from(per_seconds) * 1_000_000, i64::from(max));
    all / max + i64::from(all % max > 0)
}

/// A bucket that leaks: how full it is, in microseconds of leaking.
fn level_us(admitted: &[i64], now: i64, interval_us: i64, burst: i64) -> i64 {
    let mut level = 0;
    let mut before = admitted.first().copied().unwrap_or(now);
    for at in admitted {
        level = (level - (at - before) * 1000).max(0);
        level = (level + interval_us).min(burst * interval_us);
        before = *at;
    }
    (level - (now - before) * 1000).max(0)
}

pub fn count(limit: &Limit, shelf: &Shelf, now: i64) -> (u32, bool) {
    match limit {
        Limit::UntilQuiet {
            block_at,
            quiet_seconds,
        } => {
            let mut number = 1_u32;
            let mut times: Vec<i64> = shelf.kept.iter().map(|(at, _)| *at).collect();
            times.push(now);
            for pair in times.windows(2) {
                let quiet = pair[1] - pair[0] > i64::from(*quiet_seconds) * 1000;
                number = if quiet { 1 } else { number + 1 };
            }
            (number - 1, number >= *block_at)
        }
        Limit::Pace {
            max,
            per_seconds,
            burst,
        } => {
            let interval_us = interval_us(*max, *per_seconds);
            let level = level_us(&shelf.admitted(), now, interval_us, i64::from(*burst));
            let taken = level / interval_us + i64::from(level % interval_us > 0);
            (taken as u32, level > (i64::from(*burst) - 1) * interval_us)
        }
        Limit::Sliding { max, .. }
        | Limit::ConsecutiveDays { max, .. }
        | Limit::Calendar { max, .. } => {
            let count = in_window(limit, &shelf.admitted(), now);
            (count, count >= *max)
        }
    }
}

impl Oracle {
    pub fn shelf_name(rule: &Rule, dial: &Dial) -> Option<String> {
        if rule.when().destination_prefixes().next().is_some() && !dial.customer.starts_with("+1") {
            return None;
        }
        let mut name = format!(
            "{:?} {}",
            rule.when(),
            matches!(rule.limit(), Limit::Pace { .. })
        );
        if rule.counts_per(&Dimension::Customer) {
            name += &format!(" to {}", dial.customer);
        }
        if rule.counts_per(&Dimension::CallerId) {
            if dial.caller_id.is_empty() {
                return None;
            }
            name += &format!(" from {}", dial.caller_id);
        }
        Some(name)
    }

    fn said(&mut self, rule: &Rule, dial: &Dial, now: i64) -> Option<Said> {
        let shelf = self
            .shelves
            .entry(Self::shelf_name(rule, dial)?)
            .or_default();
        let (count, denied) = count(rule.limit(), shelf, shelf.latest.max(now));
        Some(Said {
            rule: rule.id().to_string(),
            count,
            denied,
        })
    }

    pub fn dial(&mut self, policy: &Policy, dial: &Dial, now: i64) -> (Verdict, Vec<Said>) {
        let said: Vec<Said> = policy
            .rules()
            .iter()
            .filter_map(|rule| self.said(rule, dial, now))
            .collect();
        let denies = |rule: &Rule| {
            said.iter()
                .any(|said| said.rule == rule.id().as_str() && said.denied)
        };
        let enforced = |rule: &&Rule| rule.mode() == RuleMode::Enforce && denies(rule);
        let denied = policy.rules().iter().any(|rule| enforced(&rule));
        // Where a series denied, the attempt goes on with it.
        let stays: Vec<String> = policy
            .rules()
            .iter()
            .filter(enforced)
            .filter(|rule| matches!(rule.limit(), Limit::UntilQuiet { .. }))
            .filter_map(|rule| Self::shelf_name(rule, dial))
            .collect();
        let mut names: Vec<String> = policy
            .rules()
            .iter()
            .filter_map(|rule| Self::shelf_name(rule, dial))
            .collect();
        names.sort();
        names.dedup();
        for name in names {
            let shelf = self.shelves.entry(name.clone()).or_default();
            shelf.latest = shelf.latest.max(now);
            let latest = shelf.latest;
            if !denied {
                shelf.kept.push((latest, Kept::Admitted));
            } else if stays.contains(&name) {
                shelf.kept.push((latest, Kept::Denied));
            }
        }
        let verdict = match (denied, said.iter().any(|said| said.denied)) {
            (true, _) => Verdict::Deny,
            (false, true) => Verdict::WouldDeny,
            (false, false) => Verdict::Allow,
        };
        (verdict, said)
    }

    /// A repeated delivery counts for nothing, yet time never runs backwards behind it.
    pub fn repeat(&mut self, policy: &Policy, dial: &Dial, now: i64) {
        for name in policy
            .rules()
            .iter()
            .filter_map(|rule| Self::shelf_name(rule, dial))
        {
            let shelf = self.shelves.entry(name).or_default();
            shelf.latest = shelf.latest.max(now);
        }
    }
}
