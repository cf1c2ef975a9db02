//! What a customer needs to deploy the stack, in the forms that customers use.

use std::fmt;
use std::fmt::Write as _;

use serde::Serialize;
use url::Url;
use url::form_urlencoded::Serializer;
use utoipa::ToSchema;

use crate::domain::fallback::fallback_function_name;
use crate::http::state::AppState;
use crate::store::Connection;

const STACK_NAME: &str = "ringfence";
const TEMPLATE: &str = "customer.yaml";
const FALLBACK_STACK_NAME: &str = "ringfence-fallback";
const FALLBACK_TEMPLATE: &str = "customer-fallback.yaml";

#[derive(Serialize, ToSchema)]
#[serde(rename_all = "PascalCase")]
pub(in crate::http::v1) struct StackParameters {
    #[schema(example = "con_01890a5d000070008000000000000000")]
    connection_id: String,
    /// Two, with a comma between them, while one is to take the other's place.
    #[schema(example = "9Qb1nNf0u6c3h2d7")]
    external_id: String,
    #[schema(example = "arn:aws:iam::999988887777:role/ringfence-control-plane")]
    control_plane_principal: String,
    #[schema(example = "arn:aws:iam::999988887777:role/ringfence-limiter")]
    limiter_principal: String,
}

#[derive(Serialize, ToSchema)]
pub(in crate::http::v1) struct Onboarding {
    /// Issued for this connection. The roles work only with it.
    #[schema(example = "9Qb1nNf0u6c3h2d7")]
    external_id: String,
    #[schema(example = "con_01890a5d000070008000000000000000")]
    connection_id: String,
    #[schema(example = "https://ringfence.example/templates/customer.yaml")]
    template_url: String,
    stack_parameters: StackParameters,
    /// Opens the AWS console with everything filled in.
    #[schema(
        example = "https://console.aws.amazon.com/cloudformation/home#/stacks/create/review?stackName=ringfence"
    )]
    quick_create_url: String,
    #[schema(example = "aws cloudformation deploy --stack-name ringfence …")]
    cli_command: String,
    #[schema(example = "resource \"aws_cloudformation_stack\" \"ringfence\" { … }")]
    terraform: String,
    fallback: FallbackStack,
}

/// Needed only with `on_limiter_unavailable` set to `deny`: the stack with the function that stops calls about which the
/// limiter gave no answer, in the instance's region.
#[derive(Debug, Serialize, ToSchema)]
pub(in crate::http::v1) struct FallbackStack {
    #[schema(example = "ringfence-fallback-con_01890a5d000070008000000000000000")]
    function_name: String,
    #[schema(example = "https://ringfence.example/templates/customer-fallback.yaml")]
    template_url: String,
    /// Opens the AWS console with everything filled in.
    #[schema(
        example = "https://console.aws.amazon.com/cloudformation/home#/stacks/create/review?stackName=ringfence-fallback"
    )]
    quick_create_url: String,
    #[schema(example = "aws cloudformation deploy --stack-name ringfence-fallback …")]
    cli_command: String,
}

impl fmt::Debug for Onboarding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Onboarding")
            .field("connection_id", &self.connection_id)
            .finish_non_exhaustive()
    }
}

impl StackParameters {
    fn pairs(&self) -> [(&'static str, &str); 4] {
        [
            ("ConnectionId", &self.connection_id),
            ("ExternalId", &self.external_id),
            ("ControlPlanePrincipal", &self.control_plane_principal),
            ("LimiterPrincipal", &self.limiter_principal),
        ]
    }
}

impl Onboarding {
    pub fn of(app: &AppState, region: &str, connection: &Connection) -> Self {
        let served = served_template(&app.public_url, TEMPLATE);
        let template_url = app
            .settings
            .template_url
            .as_ref()
            .map_or_else(|| served.clone(), ToString::to_string);
        let parameters = StackParameters {
            connection_id: connection.id.to_string(),
            external_id: accepted(connection),
            control_plane_principal: app.settings.control_plane_principal.clone(),
            limiter_principal: app.settings.limiter_principal.clone(),
        };
        Self {
            external_id: connection.external_id.clone(),
            connection_id: connection.id.to_string(),
            quick_create_url: quick_create(region, STACK_NAME, &template_url, &parameters.pairs()),
            cli_command: cli(region, STACK_NAME, &served, &parameters.pairs()),
            fallback: FallbackStack::of(app, region, connection),
            terraform: terraform(&parameters),
            template_url,
            stack_parameters: parameters,
        }
    }
}

impl FallbackStack {
    fn of(app: &AppState, region: &str, connection: &Connection) -> Self {
        let served = served_template(&app.public_url, FALLBACK_TEMPLATE);
        // Beside the other template in its bucket.
        let in_bucket = app.settings.template_url.as_ref();
        let in_bucket = in_bucket.and_then(|url| url.join(FALLBACK_TEMPLATE).ok());
        let template_url = in_bucket.map_or_else(|| served.clone(), |url| url.to_string());
        let id = connection.id.to_string();
        let parameters = [("ConnectionId", id.as_str())];
        let name = FALLBACK_STACK_NAME;
        Self {
            function_name: fallback_function_name(connection.id),
            quick_create_url: quick_create(region, name, &template_url, &parameters),
            cli_command: cli(region, name, &served, &parameters),
            template_url,
        }
    }
}

/// What the roles are to accept: the external id, and the one that is to take its place.
fn accepted(connection: &Connection) -> String {
    match &connection.pending_external_id {
        Some(pending) => format!("{},{pending}", connection.external_id),
        None => connection.external_id.clone(),
    }
}

type Pairs<'a> = [(&'a str, &'a str)];

fn served_template(public_url: &Url, name: &str) -> String {
    let base = public_url.as_str().trim_end_matches('/');
    format!("{base}/templates/{name}")
}

fn quick_create(region: &str, stack: &str, template_url: &str, parameters: &Pairs<'_>) -> String {
    let mut query = Serializer::new(String::new());
    query
        .append_pair("templateURL", template_url)
        .append_pair("stackName", stack);
    for (name, value) in parameters {
        query.append_pair(&format!("param_{name}"), value);
    }
    let query = query.finish();
    format!(
        "https://{region}.console.aws.amazon.com/cloudformation/home?region={region}#/stacks/quickcreate?{query}"
    )
}

/// The command line takes templates from a file, so that it needs no bucket.
fn cli(region: &str, stack: &str, template_url: &str, parameters: &Pairs<'_>) -> String {
    let mut command = format!(
        "curl -fsS -o {stack}.yaml '{template_url}' && aws cloudformation deploy --region {region} \
         --stack-name {stack} --template-file {stack}.yaml --capabilities CAPABILITY_NAMED_IAM \
         --parameter-overrides"
    );
    for (name, value) in parameters {
        let _ = write!(command, " '{name}={value}'");
    }
    command
}

fn terraform(parameters: &StackParameters) -> String {
    let mut text = format!(
        "resource \"aws_cloudformation_stack\" \"ringfence\" {{\n  name          = \"{STACK_NAME}\"\n  \
         template_body = file(\"${{path.module}}/ringfence.yaml\")\n  capabilities  = [\"CAPABILITY_NAMED_IAM\"]\n\n  \
         parameters = {{\n"
    );
    for (name, value) in parameters.pairs() {
        let _ = writeln!(text, "    {name:<21} = \"{value}\"");
    }
    text.push_str("  }\n}\n");
    text
}
