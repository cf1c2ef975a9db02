//! One file per resource.

mod api_keys;
mod decisions;
mod headers;
mod installation;
mod instances;
mod me;
mod numbers;
mod once;
mod policies;
mod problems;
mod quotas;
mod rate;
mod service;
mod tenants;
mod tokens;
mod webhooks;
