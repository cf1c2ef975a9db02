//! All SQL. Tenant tables are reached only through a [`TenantTx`], which only a principal or a leased worker can open;
//! what crosses tenants needs a [`SystemTx`], opened with a stated reason.
//!
//! Durable: everything here but `shards` (from the settings), `publications` and `number_publications` (what limiters are
//! told can be made again from policies, instances and lists). Decisions can be read again from their stream for a day only.

mod api_keys;
mod audit;
mod audit_log;
mod backlog;
mod connection_views;
mod connections;
mod decisions;
mod error;
mod ingest;
mod installation_parts;
mod installations;
mod instance_checks;
mod instance_views;
mod instances;
mod listed_numbers;
mod notice_agents;
mod notices;
mod number_publications;
mod operator_keys;
mod paces;
mod policies;
mod publications;
mod quotas;
mod shards;
mod tenants;
mod time;
mod tx;
mod usage;
mod webhook_deliveries;
mod webhook_endpoints;
mod webhook_events;
mod webhook_turns;

pub use api_keys::{ApiKey, NewApiKey};
pub use audit::Change;
pub use audit_log::{AuditEntry, AuditFilter, AuditHead};
pub use backlog::{Backlog, ShardUse};
pub use connection_views::{CheckedInstance, ConnectionView};
pub use connections::Connection;
pub use decisions::{Cursor, DecisionFilter, StoredDecision};
pub use error::{Constraint, StoreError};
pub use ingest::{Checkpoint, NewDecision, ShardName, Stored};
pub use installation_parts::{InstallationQueue, InstallationStep, InstalledFlow};
pub use installations::{Installation, LeasedInstallation, PassResult};
pub use instance_checks::{ConnectionHealth, DueCheck, InstanceCheck};
pub use instance_views::{InstanceView, PolicyAt};
pub use instances::{Instance, NewInstance};
pub use listed_numbers::{EntryPut, ListQuery};
pub use notice_agents::NoticeAgent;
pub use notices::{LeasedNotice, NewNotice, NoticeEnd, NoticeTask};
pub use number_publications::{ChangedNumber, LeasedNumbers, NumberChanges};
pub use policies::{PolicyVersion, Put, PutPolicy};
pub use publications::{InForce, PublicationSource, PublicationState};
pub use tx::{PoolUse, Store, SystemTx, TenantTx};
pub use usage::{TenantUsage, UsageCount};
pub use webhook_deliveries::{Delivery, DeliveryAttempt};
pub use webhook_endpoints::Webhook;
pub use webhook_events::NewEvent;
pub use webhook_turns::{AttemptRecord, DeliveryEnd, DueDelivery, LeasedWebhook, TurnEnd};
