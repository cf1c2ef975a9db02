//! One file per resource.

mod api_keys;
mod decisions;
mod installation;
mod instances;
mod me;
mod numbers;
mod policies;
mod problems;
mod service;
mod tenants;
mod tokens;
