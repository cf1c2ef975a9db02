//! Registering an instance by its ARN. Nothing is proved by it.

use axum::http::StatusCode;
use jiff::Timestamp;
use serde_json::json;
use utoipa::ToSchema;
use uuid::Uuid;

use super::body::Instance;
use crate::auth::ManageInstances;
use crate::domain::ids::{ConnectionId, InstanceId};
use crate::domain::instance_arn::InstanceArn;
use crate::domain::quota::Quota;
use crate::http::body::Body;
use crate::http::caller::{Caller, states};
use crate::http::fields::{Fields, FromFields};
use crate::http::once::OnceResult;
use crate::http::problem::{ApiError, ApiResult, FieldFault};
use crate::http::quota::must_fit;
use crate::http::state::AppState;
use crate::http::v1::connections::{Onboarding, new_external_id};
use crate::store::{Connection, NewInstance};

const NAME_MAX: usize = 200;
const ARN_MAX: usize = 256;
const ARN_FIELD: &str = "instance_arn";
/// China and GovCloud need limiters and an operator's account of their own.
const PARTITION: &str = "aws";

#[derive(Debug, ToSchema)]
#[schema(as = NewInstance)]
pub(super) struct Registration {
    #[schema(
        value_type = String,
        example = "arn:aws:connect:us-east-1:111122223333:instance/5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b"
    )]
    instance_arn: InstanceArn,
    /// The last part of the ARN if not given.
    #[schema(max_length = 200, example = "northwind-us")]
    name: Option<String>,
}

impl FromFields for Registration {
    fn from_fields(fields: &mut Fields) -> Option<Self> {
        let arn = fields.text(ARN_FIELD, ARN_MAX);
        let name = fields.optional_text("name", NAME_MAX);
        match read_arn(&arn?) {
            Ok(instance_arn) => Some(Self { instance_arn, name }),
            Err(problem) => {
                fields.fault(ARN_FIELD, "invalid", problem);
                None
            }
        }
    }
}

fn read_arn(text: &str) -> Result<InstanceArn, String> {
    let arn: InstanceArn = text.parse().map_err(|err| format!("{err}"))?;
    if arn.partition() != PARTITION {
        return Err(format!(
            "is in the partition {}; instances of the partition {PARTITION} are served",
            arn.partition()
        ));
    }
    // Connect's own ids are always of this form; anything else is a slip of copying.
    if arn.instance_id().len() != 36 || Uuid::try_parse(arn.instance_id()).is_err() {
        return Err(
            "must end in the id of an instance, such as 5f1d2c3b-4a59-4687-9a8b-7c6d5e4f3a2b"
                .to_owned(),
        );
    }
    Ok(arn)
}

/// Register an instance
///
/// The answer tells how to deploy the stack with the two roles that Ringfence works through. The instance is yours once
/// it is verified; until then the registration keeps nobody else from it.
#[utoipa::path(
    post, path = "/v1/instances", operation_id = "instances_register", tag = "instances",
    security(("bearer" = [ManageInstances::NAME])),
    extensions(("x-errors" = json!(["instance_registered", "instance_claimed", "quota_exceeded"]))),
    request_body = Registration, responses((status = 201, body = Instance))
)]
pub(in crate::http) async fn register(
    caller: Caller<ManageInstances>,
    Body(new): Body<Registration>,
) -> OnceResult {
    let (app, arn) = (&caller.app, &new.instance_arn);
    must_be_served(app, arn)?;
    let id = InstanceId(app.ids.uuid());
    let name = new.name.unwrap_or_else(|| arn.instance_id().to_owned());
    let now = caller.now();
    let mut tx = caller.begin_once().await?;
    let connection = tx
        .connection_find_or_insert(&new_connection(app, arn, now))
        .await?;
    tx.instance_insert(&NewInstance {
        id,
        connection_id: connection.id,
        arn,
        name: &name,
        created_at: now,
    })
    .await?;
    must_fit(&mut tx, Quota::Instances, now).await?;
    let after = json!({ "instance_arn": arn.to_string(), "name": name });
    tx.audit_append(&states(
        caller.change("instance.register", id),
        None,
        Some(after),
    ))
    .await?;
    let view = tx
        .instance_view_get(id)
        .await?
        .ok_or_else(ApiError::not_found)?;
    let onboarding = Onboarding::of(app, arn.region(), &view.connection);
    let instance = Instance::try_from(view)?.with_onboarding(onboarding);
    Ok(tx.answer(StatusCode::CREATED, &instance).await?)
}

fn must_be_served(app: &AppState, arn: &InstanceArn) -> ApiResult<()> {
    let regions: Vec<&str> = app.settings.regions().collect();
    if regions.contains(&arn.region()) {
        return Ok(());
    }
    let detail = format!(
        "is in {}; regions that are served: {}",
        arn.region(),
        regions.join(", ")
    );
    Err(ApiError::validation(vec![FieldFault::new(
        format!("/{ARN_FIELD}"),
        "not_supported",
        detail,
    )]))
}

/// With an external id that nobody can guess, and the names that the template gives its roles.
fn new_connection(app: &AppState, arn: &InstanceArn, now: Timestamp) -> Connection {
    let id = ConnectionId(app.ids.uuid());
    let role = |kind: &str| {
        format!(
            "arn:{PARTITION}:iam::{}:role/ringfence-{kind}-{id}",
            arn.account_id()
        )
    };
    Connection {
        id,
        account_id: arn.account_id().to_owned(),
        external_id: new_external_id(&app.ids),
        installer_role_arn: role("installer"),
        runtime_role_arn: role("runtime"),
        pending_external_id: None,
        former_external_id: None,
        former_runtime_role_arn: None,
        access_changed_at: None,
        created_at: now,
    }
}
