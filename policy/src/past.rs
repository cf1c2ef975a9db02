//! What was folded out of a meter's log: older admissions in runs, and how far ahead a pace is.
//!
//! It is stored as one binary attribute beside the log: a version byte, then numbers of seven bits a byte. Folding only
//! ever moves an admission to a later time, up to that of another one in its run, so what is read from here never lets
//! more calls out than the single entries would have. A past that cannot be read counts for nothing and is reported.

const VERSION: u8 = 1;

/// Admissions that are counted as if all of them had come at the latest one's time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) latest_ms: u64,
    pub(crate) count: u32,
}

/// How far one rate has got: an attempt fits once this time is no more than the burst allows ahead of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Paced {
    pub(crate) interval_us: u64,
    pub(crate) burst: u32,
    pub(crate) arrival_us: u64,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Past {
    /// In the order of their times.
    pub(crate) runs: Vec<Run>,
    pub(crate) paced: Vec<Paced>,
    /// The latest time among the entries that went into `paced`: no attempt in the line behind them is earlier.
    pub(crate) paced_until_ms: u64,
}

impl Past {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut bytes = vec![VERSION];
        push(&mut bytes, length(self.runs.len()));
        let mut before = 0;
        for run in &self.runs {
            push(&mut bytes, run.latest_ms.saturating_sub(before));
            push(&mut bytes, u64::from(run.count));
            before = run.latest_ms;
        }
        push(&mut bytes, self.paced_until_ms);
        for paced in &self.paced {
            push(&mut bytes, paced.interval_us);
            push(&mut bytes, u64::from(paced.burst));
            push(&mut bytes, paced.arrival_us);
        }
        bytes
    }

    pub(crate) fn decode(bytes: &[u8]) -> Option<Self> {
        let (version, mut rest) = bytes.split_first()?;
        if *version != VERSION {
            return None;
        }
        let mut past = Self::default();
        let mut latest_ms: u64 = 0;
        for _ in 0..pull(&mut rest)? {
            latest_ms = latest_ms.checked_add(pull(&mut rest)?)?;
            let count = pull_short(&mut rest)?;
            past.runs.push(Run { latest_ms, count });
        }
        past.paced_until_ms = pull(&mut rest)?;
        while !rest.is_empty() {
            past.paced.push(Paced {
                interval_us: pull(&mut rest)?,
                burst: pull_short(&mut rest)?,
                arrival_us: pull(&mut rest)?,
            });
        }
        Some(past)
    }
}

fn length(count: usize) -> u64 {
    u64::try_from(count).unwrap_or(u64::MAX)
}

/// Seven bits a byte, the low ones first; the eighth says that more follow.
fn push(bytes: &mut Vec<u8>, mut number: u64) {
    loop {
        let [low, ..] = number.to_le_bytes();
        number >>= 7;
        if number == 0 {
            bytes.push(low & 0x7f);
            return;
        }
        bytes.push(low | 0x80);
    }
}

fn pull(bytes: &mut &[u8]) -> Option<u64> {
    let mut number: u64 = 0;
    for shift in (0..u64::BITS).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        let part = u64::from(byte & 0x7f);
        let placed = part.checked_shl(shift)?;
        if placed >> shift != part {
            return None;
        }
        number |= placed;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

fn pull_short(bytes: &mut &[u8]) -> Option<u32> {
    u32::try_from(pull(bytes)?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn past() -> Past {
        let run = |latest_ms, count| Run { latest_ms, count };
        Past {
            runs: vec![
                run(0, 1),
                run(1_795_000_000_123, u32::MAX),
                run(u64::MAX, 300),
            ],
            paced: vec![Paced {
                interval_us: 1,
                burst: 1_000_000,
                arrival_us: u64::MAX,
            }],
            paced_until_ms: 1_795_000_000_124,
        }
    }

    #[test]
    fn a_past_comes_back_as_it_was_written() {
        for past in [Past::default(), past()] {
            assert_eq!(Past::decode(&past.encode()), Some(past));
        }
    }

    #[test]
    fn a_past_that_is_cut_or_of_another_version_is_none() {
        let whole = past().encode();
        let readable: Vec<usize> = (0..whole.len())
            .filter(|length| Past::decode(&whole[..*length]).is_some())
            .collect();
        let without_paced = Past {
            paced: Vec::new(),
            ..past()
        }
        .encode()
        .len();
        assert_eq!(readable, [without_paced], "cut between two parts");
        let mut other = whole.clone();
        other[0] = 2;
        assert_eq!(Past::decode(&other), None);
    }

    #[test]
    fn numbers_that_do_not_fit_are_refused() {
        let endless = [&[VERSION, 1][..], &[0xff; 10], &[1]].concat();
        assert_eq!(Past::decode(&endless), None);
        let backwards = [&[VERSION, 2][..], &[0xff; 9], &[1, 1], &[1, 1, 0]].concat();
        assert_eq!(Past::decode(&backwards), None, "past the end of time");
    }
}
