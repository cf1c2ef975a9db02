//! The workers against a real database, a real DynamoDB protocol, and an instance that can fail at any request.

mod audit;
mod centre;
mod checks;
mod coverage;
mod deleted_flows;
mod drift;
mod dynamo;
mod erasure;
mod fake;
mod fallback;
mod ingest;
mod install;
mod interruptions;
mod merge;
mod moves;
mod notices;
mod numbers;
mod own_changes;
mod pace;
mod properties;
mod publish;
mod removal;
mod shards;
mod webhooks;
mod world;
