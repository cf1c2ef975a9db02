//! What is to be expected of each operation.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use serde_json::{Value, json};

use crate::operations::Operation;
use crate::scene::{arn, token_issuer, webhook};

/// Who may.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Least {
    Nobody,
    Viewer,
    Editor,
    Admin,
    Owner,
    Operator,
    /// Only somebody who is signed in in a browser: no key does it, not the operator's either.
    Person,
}

use Least::{Admin, Editor, Nobody, Operator as OperatorOnly, Person, Viewer};

/// What is to be expected of an operation in a tenant that has one of everything.
#[derive(Debug, Clone)]
pub struct Row {
    pub least: Least,
    pub body: Option<Value>,
    /// What a caller who may is answered.
    pub answer: u16,
    /// What a caller who may is answered in a tenant that has nothing. Only asked where the path names nothing.
    pub answer_elsewhere: u16,
}

/// The ids of operations, and what is to be expected of each of them.
fn table() -> Vec<(&'static str, Row)> {
    let read = |least, answer| Row {
        least,
        body: None,
        answer,
        answer_elsewhere: answer,
    };
    let write = |least, body, answer| Row {
        body: Some(body),
        ..read(least, answer)
    };
    let key = json!({ "name": "robot", "role": "viewer" });
    let number = json!({ "number": "+12065550199", "reason": "asked" });
    let policy = json!({ "rules": [] });
    vec![
        (
            "healthz readyz customer_template fallback_template",
            read(Nobody, 200),
        ),
        ("metrics", read(OperatorOnly, 200)),
        ("me_get", read(Viewer, 200)),
        ("sign_in_options", read(Nobody, 200)),
        // Nobody signs in where no identity provider is set up.
        ("sign_in_begin sign_in_callback", read(Nobody, 404)),
        ("session_end", read(Person, 403)),
        ("members_list", read(Viewer, 200)),
        (
            "members_change",
            write(Admin, json!({ "role": "viewer" }), 200),
        ),
        ("members_remove", read(Admin, 204)),
        (
            "invitations_create",
            write(Admin, json!({ "role": "viewer" }), 201),
        ),
        ("invitations_list", read(Admin, 200)),
        ("invitations_withdraw", read(Admin, 204)),
        (
            "invitations_accept",
            write(Person, json!({ "token": "x" }), 403),
        ),
        (
            "token_issuers_create",
            write(Admin, token_issuer("https://other.example"), 201),
        ),
        ("token_issuers_list", read(Admin, 200)),
        ("token_issuers_remove", read(Admin, 204)),
        (
            "tenants_create",
            write(OperatorOnly, json!({ "name": "Fabrikam" }), 201),
        ),
        ("tenants_list tenants_get", read(OperatorOnly, 200)),
        (
            "tenants_update",
            write(OperatorOnly, json!({ "name": "Fabrikam" }), 200),
        ),
        (
            "tenants_api_keys_create",
            write(OperatorOnly, key.clone(), 201),
        ),
        ("api_keys_create", write(Admin, key, 201)),
        ("api_keys_list", read(Admin, 200)),
        ("api_keys_revoke", read(Admin, 204)),
        ("api_keys_rotate", write(Admin, json!({}), 200)),
        (
            "instances_register",
            write(Admin, json!({ "instance_arn": arn(u32::MAX) }), 201),
        ),
        ("instances_list instances_get", read(Viewer, 200)),
        // Something is installed.
        ("instances_delete", read(Admin, 409)),
        // Both ask AWS, which nobody answers for here.
        ("instances_verify", write(Admin, json!({}), 502)),
        ("instances_queues_list", read(Viewer, 502)),
        ("instances_coverage_get", read(Viewer, 200)),
        ("instances_coverage_refresh", read(Editor, 202)),
        ("connections_list connections_get", read(Viewer, 200)),
        ("connections_rotate_external_id", read(Admin, 200)),
        ("installation_get", read(Viewer, 200)),
        ("installation_reconcile", read(Editor, 202)),
        (
            "installation_put",
            write(Editor, json!({ "queues": "all" }), 202),
        ),
        ("installation_delete", read(Editor, 202)),
        ("policies_default_get", read(Viewer, 200)),
        (
            "policies_default_version",
            Row {
                answer_elsewhere: 404,
                ..read(Viewer, 200)
            },
        ),
        ("policies_own_get policies_own_version", read(Viewer, 200)),
        (
            "policies_default_versions policies_own_versions",
            read(Viewer, 200),
        ),
        (
            "policies_default_put policies_own_put",
            write(Editor, policy.clone(), 200),
        ),
        ("policies_own_remove", read(Editor, 204)),
        ("policies_validate", write(Viewer, policy, 200)),
        (
            "policies_default_diff",
            Row {
                answer_elsewhere: 404,
                ..read(Viewer, 200)
            },
        ),
        ("policies_own_diff presets_list", read(Viewer, 200)),
        (
            "policies_default_roll_back",
            Row {
                answer_elsewhere: 404,
                ..write(Editor, json!({ "version": 1 }), 200)
            },
        ),
        (
            "policies_own_roll_back",
            write(Editor, json!({ "version": 1 }), 200),
        ),
        ("decisions_list decisions_get", read(Viewer, 200)),
        ("decisions_export decisions_live", read(Viewer, 200)),
        ("stats_decisions stats_top numbers_get", read(Viewer, 200)),
        (
            "checks_create",
            write(
                Viewer,
                json!({ "instance_id": "ins_01890000000070008000000000000000", "customer_number": "+12065550100" }),
                404,
            ),
        ),
        (
            "numbers_reset",
            write(Editor, json!({ "reason": "asked" }), 200),
        ),
        ("numbers_erase", read(Admin, 202)),
        ("number_erasures_get", read(Viewer, 200)),
        (
            "policies_replay",
            write(Viewer, json!({ "policy": { "rules": [] } }), 200),
        ),
        (
            "exemptions_list exemptions_get blocks_list blocks_get",
            read(Viewer, 200),
        ),
        (
            "exemptions_create blocks_create",
            write(Editor, number, 201),
        ),
        ("exemptions_remove blocks_remove", read(Editor, 204)),
        // The document is JSON here, which is no CSV.
        (
            "exemptions_import blocks_import",
            write(Editor, json!({}), 415),
        ),
        (
            "audit_log_list audit_log_export audit_log_verify",
            read(Admin, 200),
        ),
        (
            "operator_audit_log_list operator_audit_log_export operator_audit_log_verify",
            read(OperatorOnly, 200),
        ),
        ("webhooks_create", write(Admin, webhook(), 201)),
        ("webhooks_list webhooks_get", read(Admin, 200)),
        (
            "webhooks_update",
            write(Admin, json!({ "description": "Ours" }), 200),
        ),
        ("webhooks_rotate_secret", write(Admin, json!({}), 200)),
        ("webhooks_test webhook_deliveries_resend", read(Admin, 202)),
        ("webhooks_delete", read(Admin, 204)),
        (
            "webhook_deliveries_list webhook_deliveries_get",
            read(Admin, 200),
        ),
        ("usage_list quotas_list", read(Viewer, 200)),
        ("shards_list shard_moves_list", read(OperatorOnly, 200)),
        (
            "shards_update",
            write(OperatorOnly, json!({ "draining": false }), 200),
        ),
        // Nothing is placed where no worker runs.
        (
            "shard_moves_begin",
            write(
                OperatorOnly,
                json!({ "instance_id": "ins_01890000000070008000000000000000" }),
                404,
            ),
        ),
        (
            "usage_tenants_list tenants_quotas_get",
            read(OperatorOnly, 200),
        ),
        (
            "tenants_quotas_put",
            write(OperatorOnly, json!({ "webhooks": 3 }), 200),
        ),
        // Something is installed.
        ("tenants_delete", read(OperatorOnly, 409)),
    ]
}

/// By the operations' ids.
pub static ROWS: LazyLock<BTreeMap<&str, Row>> = LazyLock::new(|| {
    let mut rows = BTreeMap::new();
    for (operations, row) in table() {
        for operation in operations.split(' ') {
            let before = rows.insert(operation, row.clone());
            assert!(before.is_none(), "{operation} is in the table twice");
        }
    }
    rows
});

pub fn known_row(operation: &Operation) -> Row {
    let row = ROWS.get(operation.id.as_str());
    row.unwrap_or_else(|| panic!("{} is not in the table", operation.id))
        .clone()
}
