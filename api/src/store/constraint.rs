//! Every unique, check and foreign key constraint of the schema, and what it means when one refuses a statement.
//!
//! The two lists name all there are, which `api/tests/it/constraints.rs` compares with the database. A migration that adds
//! one adds it here: to the first list with what callers are told, or to the second where only a mistake of ours runs
//! into it.

/// Constraints that a caller can run into, alone or in a race.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Constraint {
    /// The tenant registered this instance before.
    InstanceRegisteredOnce,
    /// Another tenant has proved this instance.
    InstanceClaimed,
    /// Two requests made the same version of a policy at the same time.
    PolicyExists,
    /// The number is in one of the tenant's lists already.
    NumberListed,
    /// The instance was deleted meanwhile.
    InstanceGone,
    /// The tenant was deleted meanwhile.
    TenantGone,
    /// The webhook was deleted meanwhile.
    WebhookGone,
}

const OF_CALLERS: &[(&str, Constraint)] = &[
    ("api_keys_tenant_known", Constraint::TenantGone),
    ("audit_log_tenant_known", Constraint::TenantGone),
    ("connections_tenant_known", Constraint::TenantGone),
    ("coverage_readings_instance_known", Constraint::InstanceGone),
    ("decisions_instance_known", Constraint::InstanceGone),
    ("decisions_tenant_known", Constraint::TenantGone),
    ("deferred_notices_instance_known", Constraint::InstanceGone),
    ("installations_instance_known", Constraint::InstanceGone),
    ("invitations_tenant_known", Constraint::TenantGone),
    ("instances_claimed", Constraint::InstanceClaimed),
    (
        "instances_registered_once",
        Constraint::InstanceRegisteredOnce,
    ),
    ("listed_numbers_number_once", Constraint::NumberListed),
    ("listed_numbers_tenant_known", Constraint::TenantGone),
    ("members_tenant_known", Constraint::TenantGone),
    ("notice_agents_instance_known", Constraint::InstanceGone),
    ("number_erasures_tenant_known", Constraint::TenantGone),
    ("number_lists_tenant_known", Constraint::TenantGone),
    ("number_publications_tenant_known", Constraint::TenantGone),
    ("policies_instance_known", Constraint::InstanceGone),
    ("policies_one_default", Constraint::PolicyExists),
    ("policies_one_per_instance", Constraint::PolicyExists),
    ("policies_tenant_known", Constraint::TenantGone),
    ("policy_versions_pkey", Constraint::PolicyExists),
    ("publications_instance_known", Constraint::InstanceGone),
    ("shard_assignments_instance_known", Constraint::InstanceGone),
    ("tenant_quotas_tenant_known", Constraint::TenantGone),
    ("token_issuers_tenant_known", Constraint::TenantGone),
    ("usage_decisions_tenant_known", Constraint::TenantGone),
    ("webhook_deliveries_endpoint_known", Constraint::WebhookGone),
    ("webhook_endpoints_tenant_known", Constraint::TenantGone),
    ("webhook_events_tenant_known", Constraint::TenantGone),
];

/// Ids are made by us, forms are checked before, and steps are written under a lock: these only find our mistakes.
const GUARDS: &[&str] = &[
    "api_keys_name_length",
    "api_keys_pkey",
    "api_keys_previous_unique",
    "api_keys_previous_whole",
    "api_keys_role_known",
    "api_keys_secret_unique",
    "audit_chains_pkey",
    "audit_log_in_order",
    "audit_log_pkey",
    "audit_log_sealed_whole",
    "connections_account_shape",
    "connections_account_unique",
    "connections_external_id_unique",
    "connections_former_access_dated",
    "connections_pending_external_id_unique",
    "connections_pkey",
    "coverage_profiles_pkey",
    "coverage_profiles_reading_known",
    "coverage_queues_pkey",
    "coverage_queues_reading_known",
    "coverage_readings_pkey",
    "decisions_contact_once",
    "decisions_pkey",
    "deferred_notices_pkey",
    "deferred_notices_state_known",
    "deleted_flows_installation_known",
    "deleted_flows_pkey",
    "function_policy_leases_pkey",
    "installation_drift_installation_known",
    "installation_drift_kind_known",
    "installation_drift_pkey",
    "installation_queues_installation_known",
    "installation_queues_pkey",
    "installation_queues_state_known",
    "installation_steps_installation_known",
    "installation_steps_pkey",
    "installation_steps_status_known",
    "installations_pkey",
    "installations_state_known",
    "installed_flows_installation_known",
    "installed_flows_pkey",
    "instances_connection_known",
    "instances_health_known",
    "instances_name_length",
    "instances_pkey",
    "invitations_pkey",
    "invitations_role_known",
    "invitations_secret_unique",
    "kept_answers_pkey",
    "listed_numbers_change_once",
    "listed_numbers_list_known",
    "listed_numbers_pkey",
    "listed_numbers_reason_length",
    "members_once",
    "members_person_known",
    "members_pkey",
    "members_role_known",
    "notice_agents_pkey",
    "number_erasures_ends_nameless",
    "number_erasures_once",
    "number_erasures_pkey",
    "number_lists_pkey",
    "number_publications_pkey",
    "operator_keys_pkey",
    "operator_keys_secret_unique",
    "people_known_once",
    "people_pkey",
    "policies_pkey",
    "policies_version_positive",
    "policy_versions_policy_known",
    "publications_never_ahead",
    "publications_pkey",
    "request_paces_pause_positive",
    "request_paces_pkey",
    "request_paces_quota_known",
    "sessions_person_known",
    "sessions_pkey",
    "sessions_secret_unique",
    "shard_assignments_leaves_another",
    "shard_assignments_leaving_known",
    "shard_assignments_move_whole",
    "shard_assignments_pkey",
    "shard_assignments_shard_known",
    "shards_capacity_positive",
    "shards_pkey",
    "stream_checkpoints_pkey",
    "tenant_quotas_known",
    "tenant_quotas_not_negative",
    "tenant_quotas_pkey",
    "tenants_name_length",
    "tenants_pkey",
    "tenants_status_known",
    "token_issuers_default_role_known",
    "token_issuers_once",
    "token_issuers_pkey",
    "usage_decisions_pkey",
    "webhook_attempts_delivery_known",
    "webhook_attempts_pkey",
    "webhook_deliveries_event_known",
    "webhook_deliveries_pkey",
    "webhook_deliveries_state_known",
    "webhook_endpoints_customer_numbers_known",
    "webhook_endpoints_description_length",
    "webhook_endpoints_events_some",
    "webhook_endpoints_former_secret_ends",
    "webhook_endpoints_pkey",
    "webhook_endpoints_reason_given",
    "webhook_endpoints_reason_known",
    "webhook_endpoints_state_known",
    "webhook_endpoints_url_length",
    "webhook_events_once",
    "webhook_events_pkey",
];

/// What a constraint's name means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    Caller(Constraint),
    Guard(&'static str),
}

pub(super) fn meaning(name: &str) -> Option<Meaning> {
    let of_caller = OF_CALLERS.iter().find(|(known, _)| *known == name);
    let guard = || GUARDS.iter().find(|known| **known == name);
    of_caller
        .map(|(_, constraint)| Meaning::Caller(*constraint))
        .or_else(|| guard().map(|name| Meaning::Guard(name)))
}

/// The names in both lists.
pub fn constraint_names() -> impl Iterator<Item = &'static str> {
    let of_callers = OF_CALLERS.iter().map(|(name, _)| *name);
    of_callers.chain(GUARDS.iter().copied())
}
