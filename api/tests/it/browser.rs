//! A person's browser: keeps cookies, and says where its requests come from.

use std::collections::BTreeMap;

use axum::body::Body;
use axum::http::{Method, Request};
use serde_json::{Value, json};

use crate::harness::{Answer, World};
use crate::openid::OpenId;

pub const SESSION: &str = "__Host-ringfence_session";

pub struct Browser<'a> {
    world: &'a World,
    pub cookies: BTreeMap<String, String>,
    pub csrf_token: String,
}

impl<'a> Browser<'a> {
    pub fn new(world: &'a World) -> Self {
        Self {
            world,
            cookies: BTreeMap::new(),
            csrf_token: String::new(),
        }
    }

    /// Somebody who has signed in, and the page that they came to.
    pub async fn signed_in(world: &'a World, openid: &OpenId, who: &Value) -> Self {
        let mut browser = Self::new(world);
        let end = browser.sign_in(openid, who, "/auth/sign-in").await;
        assert_eq!(end.header("location"), "/", "{end:?}");
        browser
    }

    /// From the sign-in address to where the provider sends it back to, and the answer there.
    pub async fn sign_in(&mut self, openid: &OpenId, who: &Value, begin: &str) -> Answer {
        let away = self.go(begin).await.ok(303);
        let back = openid.approve(away.header("location"), who);
        let end = self.go(&back).await.ok(303);
        if self.cookies.contains_key(SESSION) {
            let me = self.go("/v1/me").await.ok(200);
            self.csrf_token = me.text("/csrf_token");
        }
        end
    }

    /// As a browser goes to an address: with its cookies, and taking those that come.
    pub async fn go(&mut self, path: &str) -> Answer {
        let answer = self.send(Method::GET, path, None, &[]).await;
        for cookie in answer.headers.get_all("set-cookie") {
            let cookie = cookie.to_str().expect("text");
            let (pair, rest) = cookie.split_once("; ").expect("attributes");
            let (name, value) = pair.split_once('=').expect("a value");
            assert!(
                rest.contains("HttpOnly") && rest.contains("SameSite=Lax"),
                "{cookie}"
            );
            assert!(
                rest.contains("Secure") && rest.contains("Path=/"),
                "{cookie}"
            );
            if rest.contains("Max-Age=0") {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        answer
    }

    /// As a page of ours asks.
    pub async fn call(&self, method: Method, path: &str, body: Option<Value>) -> Answer {
        self.call_for(method, path, body, &[]).await
    }

    pub async fn call_for(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        more: &[(&str, &str)],
    ) -> Answer {
        let mut headers = vec![
            ("x-csrf-token", self.csrf_token.as_str()),
            ("sec-fetch-site", "same-origin"),
        ];
        headers.extend(more);
        self.send(method, path, body, &headers).await
    }

    /// Exactly these headers beside the cookies.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<Value>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        if !self.cookies.is_empty() {
            let cookies = self.cookies.iter();
            let cookies: Vec<String> = cookies
                .map(|(name, value)| format!("{name}={value}"))
                .collect();
            request = request.header("cookie", cookies.join("; "));
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = match body {
            Some(body) => request
                .header("content-type", "application/json")
                .body(Body::from(body.to_string())),
            None => request.body(Body::empty()),
        };
        self.world.send(request.expect("a request")).await
    }
}

/// Somebody, as the provider tells of them.
pub fn person(name: &str) -> Value {
    let email = format!("{}@example.com", name.to_lowercase());
    json!({ "sub": format!("id-of-{name}"), "name": name, "email": email, "email_verified": true })
}
