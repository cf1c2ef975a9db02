//! Ringfence's control plane: tenants register Amazon Connect instances and limits over REST; workers install flows in
//! the customers' accounts, publish policies to the limiters and bring decisions back.
//!
//! `http` turns requests into calls of `app` and `store`; `store` holds all SQL; `aws` holds all SDK calls; `flow` makes
//! contact flows; `background` reconciles; `domain` holds the types between them. Errors: `StoreError` and `AwsError`
//! below, `ApiError` (in `http`) at the border, nothing in between.

pub mod app;
pub mod auth;
pub mod aws;
pub mod background;
pub mod clock;
pub mod config;
pub mod domain;
pub mod flow;
pub mod http;
pub mod metrics;
pub mod outbound;
pub mod sealer;
pub mod store;
pub mod strict_json;
