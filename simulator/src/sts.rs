//! STS: the query protocol in, XML out.
//!
//! A role that is not there, a trust policy that says no and a wrong or missing external id all get the same
//! `AccessDenied`, as AWS answers, so that a caller learns nothing about somebody else's account.

use std::collections::BTreeMap;

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};

use crate::aws::{AwsError, AwsRequest, AwsResponse, Identity};
use crate::iam::document::Policy;
use crate::iam::{self, Credentials, NewSession};
use crate::world::{Context, World};

const NAMESPACE: &str = "https://sts.amazonaws.com/doc/2011-06-15/";
const VERSION: &str = "2011-06-15";
const DURATION_SECONDS_DEFAULT: i64 = 3600;
const DURATION_SECONDS: std::ops::RangeInclusive<i64> = 900..=43200;
/// A session that was itself reached through a role lasts an hour at most.
const CHAINED_SECONDS_MAX: i64 = 3600;
const SESSION_POLICY_CHARACTERS_MAX: usize = 2048;

/// What would change who may do what, and is not simulated: refused, as ignoring it would grant something else.
const NOT_SIMULATED: &[&str] = &[
    "PolicyArns.",
    "Tags.",
    "TransitiveTagKeys.",
    "SourceIdentity",
    "SerialNumber",
    "TokenCode",
    "ProvidedContexts.",
];

/// Parameters of the query protocol, decoded.
pub type Parameters = BTreeMap<String, String>;

pub fn parameters(body: &[u8]) -> Parameters {
    url::form_urlencoded::parse(body).into_owned().collect()
}

pub fn operation(body: &[u8]) -> Option<&'static str> {
    match parameters(body).get("Action")?.as_str() {
        "AssumeRole" => Some("AssumeRole"),
        "GetCallerIdentity" => Some("GetCallerIdentity"),
        _ => None,
    }
}

pub fn handle(world: &World, request: &AwsRequest) -> Result<AwsResponse, AwsError> {
    let parameters = parameters(&request.body);
    if parameters.get("Version").map(String::as_str) != Some(VERSION) {
        return Err(AwsError::new(
            400,
            "InvalidAction",
            "Could not find operation for this version",
        ));
    }
    match request.operation.as_str() {
        "AssumeRole" => assume_role(world, request, &parameters),
        "GetCallerIdentity" => Ok(caller_identity(world, request)),
        _ => Err(AwsError::new(
            400,
            "InvalidAction",
            "Could not find operation",
        )),
    }
}

/// An error in STS's XML.
pub fn error_response(error: &AwsError, request_id: &str) -> AwsResponse {
    let fault = if error.status < 500 {
        "Sender"
    } else {
        "Receiver"
    };
    let body = format!(
        "<ErrorResponse xmlns=\"{NAMESPACE}\"><Error><Type>{fault}</Type><Code>{}</Code><Message>{}</Message></Error><RequestId>{request_id}</RequestId></ErrorResponse>",
        escape(&error.code),
        escape(&error.message),
    );
    xml(error.status, body)
}

fn assume_role(
    world: &World,
    request: &AwsRequest,
    parameters: &Parameters,
) -> Result<AwsResponse, AwsError> {
    let asked = Asked::read(parameters)?;
    let caller = &request.caller;
    let denied = || {
        let message = format!(
            "User: {} is not authorized to perform: sts:AssumeRole on resource: {}",
            caller.arn, asked.role_arn
        );
        AwsError::new(403, "AccessDenied", message)
    };
    let external_id = asked
        .external_id
        .iter()
        .map(|id| ("sts:ExternalId".to_owned(), vec![id.clone()]));
    let session_name = (
        "sts:RoleSessionName".to_owned(),
        vec![asked.session_name.clone()],
    );
    let context: Context = external_id.chain([session_name]).collect();
    let role = world.iam.role(&asked.role_arn).ok_or_else(denied)?;
    if !world.iam.may_assume(caller, &role, &context) {
        return Err(denied());
    }
    asked.check_duration(&caller.identity, role.max_session_seconds)?;
    let now = world.clock.now();
    let session = NewSession {
        name: &asked.session_name,
        policy: asked.session_policy.clone(),
        expires_at: now + SignedDuration::from_secs(asked.duration_seconds),
    };
    let credentials = world.iam.start_session(&role, session, &world.ids);
    let packed = asked.policy_characters * 100 / SESSION_POLICY_CHARACTERS_MAX;
    Ok(assumed(world, &asked, &role, &credentials, packed))
}

fn assumed(
    world: &World,
    asked: &Asked,
    role: &iam::Role,
    credentials: &Credentials,
    packed: usize,
) -> AwsResponse {
    let result = format!(
        "<Credentials><AccessKeyId>{}</AccessKeyId><SecretAccessKey>{}</SecretAccessKey><SessionToken>{}</SessionToken><Expiration>{}</Expiration></Credentials>\
         <AssumedRoleUser><AssumedRoleId>{}:{session}</AssumedRoleId><Arn>arn:aws:sts::{}:assumed-role/{}/{session}</Arn></AssumedRoleUser>\
         <PackedPolicySize>{packed}</PackedPolicySize>",
        escape(&credentials.access_key_id),
        escape(&credentials.secret_access_key),
        escape(&credentials.session_token),
        seconds(credentials.expires_at),
        escape(&role.id),
        role.account_id,
        escape(&role.name),
        session = escape(&asked.session_name),
    );
    answer(world, "AssumeRole", &result)
}

fn caller_identity(world: &World, request: &AwsRequest) -> AwsResponse {
    let caller = &request.caller;
    let user_id = match &caller.identity {
        Identity::Administrator => caller.account_id.clone(),
        Identity::Session { role_arn, .. } => {
            let role_id = world
                .iam
                .role(role_arn)
                .map(|role| role.id)
                .unwrap_or_default();
            let session = caller.arn.rsplit('/').next().unwrap_or_default();
            format!("{role_id}:{session}")
        }
    };
    let result = format!(
        "<Arn>{}</Arn><UserId>{}</UserId><Account>{}</Account>",
        escape(&caller.arn),
        escape(&user_id),
        caller.account_id
    );
    answer(world, "GetCallerIdentity", &result)
}

/// What an `AssumeRole` asks for, checked against the documented constraints.
#[derive(Debug)]
struct Asked {
    role_arn: String,
    session_name: String,
    external_id: Option<String>,
    duration_seconds: i64,
    session_policy: Option<Policy>,
    policy_characters: usize,
}

impl Asked {
    fn read(parameters: &Parameters) -> Result<Self, AwsError> {
        let not_simulated =
            |name: &&String| NOT_SIMULATED.iter().any(|start| name.starts_with(start));
        if let Some(name) = parameters.keys().find(not_simulated) {
            return Err(invalid(format!(
                "'{name}' is not supported by the simulator"
            )));
        }
        let role_arn = constrained(parameters, "RoleArn", 20..=2048, |_| true)?
            .ok_or_else(|| missing("roleArn"))?;
        if !is_role_arn(&role_arn) {
            return Err(AwsError::new(
                400,
                "ValidationError",
                format!("{role_arn} is invalid"),
            ));
        }
        let word =
            |character: char| character.is_ascii_alphanumeric() || "_+=,.@-".contains(character);
        let session_name = constrained(parameters, "RoleSessionName", 2..=64, word)?
            .ok_or_else(|| missing("roleSessionName"))?;
        let external_id = constrained(parameters, "ExternalId", 2..=1224, |character| {
            word(character) || ":/".contains(character)
        })?;
        let duration_seconds = match parameters.get("DurationSeconds") {
            None => DURATION_SECONDS_DEFAULT,
            Some(text) => text
                .parse()
                .ok()
                .filter(|seconds| DURATION_SECONDS.contains(seconds))
                .ok_or_else(|| invalid(format!("Value '{text}' at 'durationSeconds' failed to satisfy constraint: Member must be between 900 and 43200")))?,
        };
        let text = parameters.get("Policy");
        let policy_characters = text.map_or(0, |text| text.chars().count());
        if policy_characters > SESSION_POLICY_CHARACTERS_MAX {
            return Err(invalid(format!(
                "Value at 'policy' failed to satisfy constraint: Member must have length less than or equal to {SESSION_POLICY_CHARACTERS_MAX}"
            )));
        }
        let session_policy = text.map(|text| session_policy(text)).transpose()?;
        Ok(Self {
            role_arn,
            session_name,
            external_id,
            duration_seconds,
            session_policy,
            policy_characters,
        })
    }

    fn check_duration(&self, identity: &Identity, role_max_seconds: i64) -> Result<(), AwsError> {
        let chained = matches!(identity, Identity::Session { .. });
        if chained && self.duration_seconds > CHAINED_SECONDS_MAX {
            return Err(invalid(
                "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.".to_owned(),
            ));
        }
        if self.duration_seconds > role_max_seconds {
            return Err(invalid(
                "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."
                    .to_owned(),
            ));
        }
        Ok(())
    }
}

/// A role that does not exist is refused like one that may not be assumed; what can be no role is a faulty request.
fn is_role_arn(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(6, ':').collect();
    matches!(parts[..], ["arn", partition, "iam", "", account, role]
        if partition.starts_with("aws")
            && account.len() == 12
            && account.bytes().all(|byte| byte.is_ascii_digit())
            && role.len() > "role/".len()
            && role.starts_with("role/"))
}

fn session_policy(text: &str) -> Result<Policy, AwsError> {
    let malformed = |detail: String| AwsError::new(400, "MalformedPolicyDocument", detail);
    let policy = serde_json::from_str(text)
        .map_err(|_| malformed("The policy is not valid JSON.".to_owned()))?;
    Policy::identity(&policy).map_err(|error| malformed(error.to_string()))
}

fn constrained(
    parameters: &Parameters,
    name: &str,
    length: std::ops::RangeInclusive<usize>,
    allowed: impl Fn(char) -> bool,
) -> Result<Option<String>, AwsError> {
    let Some(text) = parameters.get(name) else {
        return Ok(None);
    };
    let member = format!("{}{}", name[..1].to_ascii_lowercase(), &name[1..]);
    if !length.contains(&text.chars().count()) {
        return Err(invalid(format!(
            "Value at '{member}' failed to satisfy constraint: Member must have length between {} and {}",
            length.start(),
            length.end()
        )));
    }
    if !text.chars().all(allowed) {
        return Err(invalid(format!(
            "Value at '{member}' failed to satisfy constraint: Member must satisfy its regular expression pattern"
        )));
    }
    Ok(Some(text.clone()))
}

fn missing(member: &str) -> AwsError {
    invalid(format!(
        "Value null at '{member}' failed to satisfy constraint: Member must not be null"
    ))
}

fn invalid(detail: String) -> AwsError {
    AwsError::new(
        400,
        "ValidationError",
        format!("1 validation error detected: {detail}"),
    )
}

fn answer(world: &World, operation: &str, result: &str) -> AwsResponse {
    let request_id = world.ids.uuid();
    let body = format!(
        "<{operation}Response xmlns=\"{NAMESPACE}\"><{operation}Result>{result}</{operation}Result><ResponseMetadata><RequestId>{request_id}</RequestId></ResponseMetadata></{operation}Response>"
    );
    xml(200, body)
}

fn xml(status: u16, body: String) -> AwsResponse {
    AwsResponse::new(status, "text/xml", Bytes::from(body))
}

/// ISO 8601 to the second, as STS writes times.
fn seconds(at: Timestamp) -> String {
    at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
