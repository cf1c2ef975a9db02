//! Attacks on bearer tokens: every way in which a token could be wrong, against a provider that really serves its keys.

mod claims;
mod forged;
mod keys;
mod provider;
