//! From the provider's tokens to a person.

use jiff::{SignedDuration, Timestamp};
use openidconnect::core::{CoreGenderClaim, CoreJwsSigningAlgorithm};
use openidconnect::{
    ClaimsVerificationError, IdTokenClaims, Nonce, OAuth2TokenResponse as _,
    SignatureVerificationError, TokenResponse as _, UserInfoClaims, UserInfoError,
};
use serde_json::Value;

use super::OidcError;
use super::attempt::{ATTEMPT_LASTS, Attempt};
use super::settings::{OidcSettings, OperatorMark};
use super::wire::{Client, OtherClaims, Tokens};
use crate::auth::provider_client::{ProviderClient, chain};
use crate::domain::identity::Identity;

/// The provider's clock and ours may differ by this much.
const LEEWAY: SignedDuration = SignedDuration::from_secs(30);
const LONGEST: usize = 255;

type Verified = IdTokenClaims<OtherClaims, CoreGenderClaim>;
type About = UserInfoClaims<OtherClaims, CoreGenderClaim>;

#[derive(Debug, thiserror::Error)]
pub(super) enum Unverified {
    #[error("there is no ID token")]
    Missing,
    #[error("the ID token's key is not known")]
    UnknownKey,
    #[error("the ID token is for another client")]
    AnotherClient,
    #[error("the ID token's subject cannot be used")]
    Subject,
    #[error("{0}")]
    Claims(String),
}

/// The claims of an ID token that is signed by the provider, for us, for this attempt and for now.
pub(super) fn verify(
    client: &Client,
    settings: &OidcSettings,
    tokens: &Tokens,
    attempt: &Attempt,
    now: Timestamp,
) -> Result<Verified, Unverified> {
    let token = tokens.id_token().ok_or(Unverified::Missing)?;
    let (earliest, latest) = (now - ATTEMPT_LASTS - LEEWAY, now + LEEWAY);
    let verifier = client
        .id_token_verifier()
        .set_allowed_algs([
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha256,
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha384,
            CoreJwsSigningAlgorithm::RsaSsaPkcs1V15Sha512,
            CoreJwsSigningAlgorithm::RsaSsaPssSha256,
            CoreJwsSigningAlgorithm::RsaSsaPssSha384,
            CoreJwsSigningAlgorithm::RsaSsaPssSha512,
            CoreJwsSigningAlgorithm::EcdsaP256Sha256,
            CoreJwsSigningAlgorithm::EcdsaP384Sha384,
            CoreJwsSigningAlgorithm::EdDsa,
        ])
        // Whom else it is for is judged below, with for whom it was made.
        .set_other_audience_verifier_fn(|_| true)
        .set_time_fn(move || civil(now - LEEWAY))
        .set_issue_time_verifier_fn(move |issued| {
            if issued < civil(earliest) || issued > civil(latest) {
                return Err("the ID token was not issued for this sign-in".to_owned());
            }
            Ok(())
        });
    let claims = token
        .claims(&verifier, &Nonce::new(attempt.nonce.clone()))
        .map_err(|err| match err {
            ClaimsVerificationError::SignatureVerification(
                SignatureVerificationError::NoMatchingKey,
            ) => Unverified::UnknownKey,
            err => Unverified::Claims(chain(&err)),
        })?;
    if !is_ours(claims, settings) {
        return Err(Unverified::AnotherClient);
    }
    let subject = claims.subject().as_str();
    let storable = !subject.is_empty() && subject.len() <= LONGEST;
    if !storable || subject.chars().any(char::is_control) {
        return Err(Unverified::Subject);
    }
    Ok(claims.clone())
}

/// Whether it was made for us. Where it is for others too, the provider has to say so: another client's token that merely
/// lists us among its audiences is not meant for us.
fn is_ours(claims: &Verified, settings: &OidcSettings) -> bool {
    let us = settings.client_id.as_str();
    match claims.authorized_party() {
        Some(party) => party.as_str() == us,
        None => claims
            .audiences()
            .iter()
            .all(|audience| audience.as_str() == us),
    }
}

/// What the provider tells about the person elsewhere, if it has such a place: many keep ID tokens short.
pub(super) async fn ask(
    client: &Client,
    tokens: &Tokens,
    claims: &Verified,
    http: &ProviderClient,
) -> Result<Option<About>, OidcError> {
    let subject = Some(claims.subject().clone());
    let Ok(request) = client.user_info(tokens.access_token().clone(), subject) else {
        return Ok(None);
    };
    match request.request_async(http).await {
        Ok(about) => Ok(Some(about)),
        Err(UserInfoError::Request(err)) => Err(OidcError::Unavailable(err.to_string())),
        Err(err) => Err(OidcError::Refused(chain(&err))),
    }
}

/// Who somebody is, by the verified claims and by what else the provider tells.
pub(super) fn read(settings: &OidcSettings, claims: &Verified, about: Option<&About>) -> Identity {
    let name = claims
        .name()
        .or_else(|| about.and_then(About::name))
        .and_then(|name| name.get(None))
        .map(|name| name.as_str());
    // Address and verification belong together: they are taken from the same place.
    let (email, verified) = match (claims.email(), about) {
        (Some(email), _) => (Some(email), claims.email_verified()),
        (None, Some(about)) => (about.email(), about.email_verified()),
        (None, None) => (None, None),
    };
    let email = email.and_then(|email| shown(email.as_str()));
    Identity {
        issuer: claims.issuer().to_string(),
        subject: claims.subject().to_string(),
        name: name.and_then(shown),
        email_verified: email.is_some() && verified == Some(true),
        email,
        is_operator: settings
            .operators
            .iter()
            .any(|mark| has(mark, claims, about)),
    }
}

fn has(mark: &OperatorMark, claims: &Verified, about: Option<&About>) -> bool {
    if mark.claim == "sub" {
        return mark.value == claims.subject().as_str();
    }
    let says = |claims: &OtherClaims| says(claims.0.get(&mark.claim), &mark.value);
    says(claims.additional_claims()) || about.is_some_and(|about| says(about.additional_claims()))
}

/// A text or a list of texts.
fn says(claim: Option<&Value>, value: &str) -> bool {
    match claim {
        Some(Value::String(one)) => one == value,
        Some(Value::Array(several)) => several.iter().any(|one| one == value),
        _ => false,
    }
}

/// What is only for show is left out where it could not be shown.
fn shown(text: &str) -> Option<String> {
    let text = text.trim();
    let showable = !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control);
    showable.then(|| text.to_owned())
}

fn civil(at: Timestamp) -> chrono::DateTime<chrono::Utc> {
    chrono::DateTime::from_timestamp(at.as_second(), 0).unwrap_or_default()
}
