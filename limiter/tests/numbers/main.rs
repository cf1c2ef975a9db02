//! What numbers are read as, held against another implementation of the same rules.
//!
//! `vectors.jsonl` is written by `generate.py`: numbers of every region, spelt in many ways, with short codes, emergency
//! numbers and texts that are no numbers.

mod properties;
mod vectors;

use ringfence_limiter::number::Reading;
use ringfence_policy::Number;

/// The number, and the country it belongs to.
#[derive(Debug, PartialEq)]
struct Read {
    number: Number,
    country: Option<String>,
}

fn read(text: &str, default_country: &str) -> Read {
    let reading = Reading::of(text, default_country);
    Read {
        number: reading.number(),
        country: reading.country(),
    }
}
