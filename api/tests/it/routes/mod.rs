//! One file per resource.

mod api_keys;
mod customer_numbers;
mod decision_plans;
mod decisions;
mod headers;
mod installation;
mod instances;
mod invitations;
mod me;
mod members;
mod numbers;
mod once;
mod policies;
mod problems;
mod quotas;
mod races;
mod rate;
mod service;
pub mod sessions;
mod shards;
mod sign_in;
mod stats;
mod tenants;
mod token_issuers;
mod tokens;
mod turns;
mod webhooks;
