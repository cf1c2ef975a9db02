//! Sign-in of people with the operator's OpenID provider: authorization code with PKCE.
//!
//! A sign-in is bound to the browser that began it: state, nonce and the code's verifier stay in that browser
//! ([`Attempt`]) and all three must fit what comes back. Who somebody is, is the provider's word (issuer and subject);
//! names and mail addresses are for show, save that an invitation may demand a verified address.
//!
//! Failure: the provider is read when it is needed, not at the start, so that its outage stops nothing but signing in.

mod attempt;
mod identity;
mod provider;
mod settings;
mod wire;

use jiff::Timestamp;
use openidconnect::core::{CoreAuthenticationFlow, CoreProviderMetadata};
use openidconnect::{
    AuthorizationCode, CsrfToken, Nonce, PkceCodeChallenge, PkceCodeVerifier, RedirectUrl, Scope,
};
use url::Url;

pub use self::attempt::{ATTEMPT_LASTS, Attempt};
pub use self::settings::{OidcSettings, OidcSettingsError, OperatorMark};

use self::identity::verify;
use self::provider::Provider;
use self::wire::{Client, Tokens};
use super::provider_client::ProviderClient;
use crate::clock::IdSource;
use crate::domain::identity::Identity;

/// Why a sign-in fails. `Refused` is a fault of the browser or of a provider that answers wrongly, told for the log.
#[derive(Debug, thiserror::Error)]
pub enum OidcError {
    #[error("the sign-in was not begun in this browser, or too long ago")]
    Stranger,
    #[error("the identity provider cannot be reached: {0}")]
    Unavailable(String),
    #[error("the identity provider's answer is not accepted: {0}")]
    Refused(String),
}

/// What the provider sent back through the browser.
#[derive(Debug)]
pub struct Returned {
    pub code: String,
    pub state: String,
    /// Who says that it answers (RFC 9207), where it says so.
    pub issuer: Option<String>,
}

/// Signs people in. Shared by all requests.
#[derive(Debug)]
pub struct Oidc {
    settings: OidcSettings,
    provider: Provider,
    http: ProviderClient,
    /// Where the provider sends people back to.
    redirect: RedirectUrl,
}

impl Oidc {
    #[must_use]
    pub fn new(settings: OidcSettings, http: ProviderClient, redirect: Url) -> Self {
        Self {
            provider: Provider::new(settings.issuer.clone(), http.clone()),
            settings,
            http,
            redirect: RedirectUrl::from_url(redirect),
        }
    }

    /// Where to send a browser that wants to sign in, and what it has to bring back.
    pub async fn begin(
        &self,
        ids: &IdSource,
        return_to: String,
        now: Timestamp,
    ) -> Result<(Url, Attempt), OidcError> {
        let attempt = Attempt::new(ids, return_to, now);
        let metadata = self.provider.known(now).await?;
        let client = self.client(&metadata);
        let verifier = PkceCodeVerifier::new(attempt.verifier.clone());
        let (state, nonce) = (attempt.state.clone(), attempt.nonce.clone());
        let (url, _, _) = client
            .authorize_url(
                CoreAuthenticationFlow::AuthorizationCode,
                move || CsrfToken::new(state),
                move || Nonce::new(nonce),
            )
            .add_scopes(self.settings.scopes.iter().cloned().map(Scope::new))
            .set_pkce_challenge(PkceCodeChallenge::from_code_verifier_sha256(&verifier))
            .url();
        Ok((url, attempt))
    }

    /// Whom the provider vouches for.
    pub async fn finish(
        &self,
        attempt: &Attempt,
        returned: Returned,
        now: Timestamp,
    ) -> Result<Identity, OidcError> {
        if !attempt.is_answered_by(&returned.state, now) {
            return Err(OidcError::Stranger);
        }
        let issuer = self.settings.issuer.as_str();
        if returned.issuer.is_some_and(|said| said != issuer) {
            return Err(OidcError::Refused("another issuer answered".to_owned()));
        }
        let metadata = self.provider.known(now).await?;
        let tokens = self.exchange(&metadata, attempt, returned.code).await?;
        let verified = verify(
            &self.client(&metadata),
            &self.settings,
            &tokens,
            attempt,
            now,
        );
        let verified = match verified {
            // The provider may have changed its keys since we read them.
            Err(identity::Unverified::UnknownKey) => {
                let metadata = self.provider.read_again(now).await?;
                verify(
                    &self.client(&metadata),
                    &self.settings,
                    &tokens,
                    attempt,
                    now,
                )
            }
            verified => verified,
        };
        let claims = verified.map_err(|err| OidcError::Refused(err.to_string()))?;
        let client = self.client(&metadata);
        let about = identity::ask(&client, &tokens, &claims, &self.http);
        Ok(identity::read(
            &self.settings,
            &claims,
            about.await?.as_ref(),
        ))
    }

    async fn exchange(
        &self,
        metadata: &CoreProviderMetadata,
        attempt: &Attempt,
        code: String,
    ) -> Result<Tokens, OidcError> {
        let client = self.client(metadata);
        let request = client
            .exchange_code(AuthorizationCode::new(code))
            .map_err(|err| OidcError::Refused(err.to_string()))?
            .set_pkce_verifier(PkceCodeVerifier::new(attempt.verifier.clone()));
        request.request_async(&self.http).await.map_err(wire::told)
    }

    fn client(&self, metadata: &CoreProviderMetadata) -> Client {
        Client::from_provider_metadata(
            metadata.clone(),
            self.settings.client_id.clone(),
            self.settings.client_secret.clone(),
        )
        .set_redirect_uri(self.redirect.clone())
    }
}
