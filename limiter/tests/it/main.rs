//! The limiter through the real SDK: an embedded DynamoDB, and a double of STS and Connect that can be told to fail.

mod cloud;
mod compacting;
mod counting;
mod denials;
mod failures;
mod hosts;
#[path = "../common/http.rs"]
mod http;
mod late;
mod lists;
mod logs;
mod metrics;
mod near;
mod notices;
mod records;
mod roles;
mod scene;
#[path = "../common/sdk.rs"]
mod sdk;
mod tenant;
mod twice;
