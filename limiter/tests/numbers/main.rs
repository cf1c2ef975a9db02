//! What numbers are read as, held against another implementation of the same rules.
//!
//! `vectors.jsonl` is written by `generate.py`: numbers of every region, spelt in many ways, with short codes, emergency
//! numbers and texts that are no numbers.

mod properties;
mod vectors;
