//! The front door as AWS's own Python SDK sees it: signatures, roles, tables and streams, quotas, faults, the record.
//!
//! What is asserted is in `python/`, one file for each test here; a simulator of its own serves each.

mod expiry;
mod support;

use support::Simulator;

#[tokio::test]
async fn only_what_a_known_key_signed_is_served() {
    Simulator::start().await.check("signatures.py").await;
}

#[tokio::test]
async fn a_role_is_given_to_those_it_trusts_alone() {
    Simulator::start().await.check("trust.py").await;
}

#[tokio::test]
async fn a_session_may_do_what_all_its_policies_allow() {
    Simulator::start().await.check("rights.py").await;
}

#[tokio::test]
async fn tables_and_their_streams_work_for_each_account_apart() {
    Simulator::start().await.check("tables.py").await;
}

#[tokio::test]
async fn quotas_faults_and_the_record_are_as_told() {
    Simulator::start().await.check("limits.py").await;
}

#[tokio::test]
async fn the_customer_template_makes_the_roles_it_says() {
    Simulator::start().await.check("stacks.py").await;
}

#[tokio::test]
async fn tables_are_kept_where_a_folder_is_given_and_the_end_is_clean() {
    let simulator = Simulator::start_keeping().await;
    simulator.check_only("kept.py", &["Before"]).await;
    let simulator = simulator.restart().await;
    simulator.check_only("kept.py", &["After"]).await;
}
