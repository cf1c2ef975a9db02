//! Use cases over more than one aggregate. No HTTP, no SQL.

pub mod check_call;
pub mod check_connection;
pub mod coverage;
pub mod instance_queues;
pub mod list_numbers;
pub mod number_csv;
pub mod number_meters;
pub mod other_instances;
pub mod policy_diff;
pub mod presets;
pub mod record_check;
pub mod record_verification;
pub mod replay;
pub mod verify_instance;
