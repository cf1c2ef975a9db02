//! Signed requests to the AWS side, for the little that an operator or a customer does there by hand: tables, and a
//! look at an instance. Not an SDK: one JSON request, one JSON answer.

use std::time::SystemTime;

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
use aws_sigv4::sign::v4::SigningParams;
use reqwest::Method;
use serde_json::Value;

use super::{DevError, Result};

#[derive(Clone)]
pub struct Keys {
    pub access_key_id: String,
    pub secret_access_key: String,
    pub session_token: Option<String>,
}

/// The secret stays out of what is printed.
impl std::fmt::Debug for Keys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Keys")
            .field("access_key_id", &self.access_key_id)
            .finish_non_exhaustive()
    }
}

impl Keys {
    /// As the control API hands them out.
    pub fn read(answer: &Value) -> Result<Self> {
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        match (text("access_key_id"), text("secret_access_key")) {
            (Some(access_key_id), Some(secret_access_key)) => Ok(Self {
                access_key_id,
                secret_access_key,
                session_token: text("session_token"),
            }),
            _ => Err(DevError::Unexpected(
                "the simulator answered without access keys".into(),
            )),
        }
    }

    /// The environment from which every SDK reads them, with what could point it elsewhere switched off.
    pub fn environment(&self, region: &str, endpoint: &str) -> Vec<(String, String)> {
        let mut pairs = vec![
            ("AWS_ACCESS_KEY_ID", self.access_key_id.as_str()),
            ("AWS_SECRET_ACCESS_KEY", self.secret_access_key.as_str()),
            ("AWS_REGION", region),
            ("AWS_DEFAULT_REGION", region),
            ("AWS_ENDPOINT_URL", endpoint),
            ("AWS_EC2_METADATA_DISABLED", "true"),
            ("AWS_CONFIG_FILE", "/dev/null"),
            ("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"),
        ];
        if let Some(token) = &self.session_token {
            pairs.push(("AWS_SESSION_TOKEN", token));
        }
        pairs
            .into_iter()
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .collect()
    }
}

#[derive(Debug, Clone)]
pub struct Aws {
    http: reqwest::Client,
    endpoint: String,
    keys: Keys,
}

impl Aws {
    pub fn new(endpoint: &str, keys: Keys) -> Self {
        Self {
            http: reqwest::Client::new(),
            endpoint: endpoint.to_owned(),
            keys,
        }
    }

    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    pub async fn dynamodb(&self, region: &str, operation: &str, body: &Value) -> Result<Value> {
        let headers = [
            ("content-type", "application/x-amz-json-1.0".to_owned()),
            ("x-amz-target", format!("DynamoDB_20120810.{operation}")),
        ];
        self.send(
            "dynamodb",
            region,
            Method::POST,
            "/",
            &headers,
            body.to_string(),
        )
        .await
    }

    pub async fn connect(
        &self,
        region: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let headers = [("content-type", "application/json".to_owned())];
        let body = body.map(Value::to_string).unwrap_or_default();
        self.send("connect", region, method, path, &headers, body)
            .await
    }

    pub async fn lambda(
        &self,
        region: &str,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Value> {
        let headers = [("content-type", "application/json".to_owned())];
        let body = body.map(Value::to_string).unwrap_or_default();
        let path = format!("/2015-03-31/functions/{path}");
        self.send("lambda", region, method, &path, &headers, body)
            .await
    }

    async fn send(
        &self,
        service: &str,
        region: &str,
        method: Method,
        path: &str,
        headers: &[(&str, String)],
        body: String,
    ) -> Result<Value> {
        let url = format!("{}{path}", self.endpoint);
        let signed = self.signature(
            service,
            region,
            method.as_str(),
            &url,
            headers,
            body.as_bytes(),
        )?;
        let mut request = self.http.request(method.clone(), &url).body(body);
        for (name, value) in headers {
            request = request.header(*name, value);
        }
        for (name, value) in &signed {
            request = request.header(name, value);
        }
        super::rest::answer(method.as_str(), &url, request).await
    }

    fn signature(
        &self,
        service: &str,
        region: &str,
        method: &str,
        url: &str,
        headers: &[(&str, String)],
        body: &[u8],
    ) -> Result<Vec<(String, String)>> {
        let failed = |what: &str, err: String| {
            DevError::Unexpected(format!("signing a request: {what}: {err}"))
        };
        let Keys {
            access_key_id,
            secret_access_key,
            session_token,
        } = self.keys.clone();
        let identity =
            Credentials::new(access_key_id, secret_access_key, session_token, None, "dev").into();
        let params = SigningParams::builder()
            .identity(&identity)
            .region(region)
            .name(service)
            .time(now())
            .settings(SigningSettings::default())
            .build()
            .map_err(|err| failed("parameters", err.to_string()))?
            .into();
        let headers = headers.iter().map(|(name, value)| (*name, value.as_str()));
        let request = SignableRequest::new(method, url, headers, SignableBody::Bytes(body))
            .map_err(|err| failed("request", err.to_string()))?;
        let (instructions, _) = sign(request, &params)
            .map_err(|err| failed("signature", err.to_string()))?
            .into_parts();
        Ok(instructions
            .headers()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a signature carries the real time, and this is the only clock of the tools"
)]
fn now() -> SystemTime {
    SystemTime::now()
}
