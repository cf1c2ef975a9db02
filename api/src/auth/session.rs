//! Sessions of people's browsers: a random secret in a cookie, of which only a hash is kept.
//!
//! A session ends when its user signs out, after a time without use, after a day in any case, and when its user is
//! removed from a tenant. It is accepted as a cookie only, never as a bearer credential.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::{SignedDuration, Timestamp};
use sha2::{Digest, Sha256};

use super::keys::NewKey;
use crate::clock::IdSource;
use crate::domain::identity::Identity;
use crate::domain::ids::{PersonId, SessionId};
use crate::store::{Membership, NewSession, Person, RenamedMember, StoreError, SystemTx};

pub const SESSION_LASTS: SignedDuration = SignedDuration::from_hours(24);
const IDLE_ENDS: SignedDuration = SignedDuration::from_hours(8);

/// Somebody who is signed in, and all tenants that they are a member of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SignedIn {
    pub session: SessionId,
    pub person: Person,
    pub is_operator: bool,
    pub memberships: Vec<Membership>,
}

/// Sessions that were last used before are over.
#[must_use]
pub fn idle_since(now: Timestamp) -> Timestamp {
    now.checked_sub(IDLE_ENDS).unwrap_or(now)
}

/// What unsafe requests must bring beside the cookie. It can be computed from the cookie's secret, which no other site
/// can read, and tells nothing of it.
#[must_use]
pub fn csrf_token(secret: &str) -> String {
    let digest = Sha256::new()
        .chain_update(b"ringfence csrf token\0")
        .chain_update(secret.as_bytes())
        .finalize();
    URL_SAFE_NO_PAD.encode(digest)
}

/// A session that was opened.
#[derive(Debug)]
pub struct Opened {
    /// For the cookie.
    pub secret: NewKey,
    pub signed_in: SignedIn,
    /// What the person is called is the provider's to say, and is taken over wherever they are a member.
    pub renamed: Vec<RenamedMember>,
}

/// Opens a session for whom the provider vouched for.
pub async fn open(
    tx: &mut SystemTx,
    ids: &IdSource,
    identity: &Identity,
    now: Timestamp,
) -> Result<Opened, StoreError> {
    tx.session_sweep(now, idle_since(now)).await?;
    let new_person = PersonId(ids.uuid());
    let person = tx.person_sign_in(new_person, identity, now).await?;
    let memberships = tx.membership_list(person.id).await?;
    tx.tenants_hold(&memberships).await?;
    let renamed = tx.members_rename(&person).await?;
    let secret = NewKey::session(ids);
    let session = SessionId(ids.uuid());
    tx.session_insert(&NewSession {
        id: session,
        person: person.id,
        secret_sha256: &secret.sha256(),
        is_operator: identity.is_operator,
        created_at: now,
        expires_at: now.checked_add(SESSION_LASTS).unwrap_or(now),
    })
    .await?;
    let memberships = tx.membership_list(person.id).await?;
    let signed_in = SignedIn {
        session,
        person,
        is_operator: identity.is_operator,
        memberships,
    };
    Ok(Opened {
        secret,
        signed_in,
        renamed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_csrf_token_belongs_to_one_secret_and_is_not_its_stored_hash() {
        let token = csrf_token("rf_ses_one");
        assert_eq!(token, csrf_token("rf_ses_one"));
        assert_ne!(token, csrf_token("rf_ses_other"));
        let stored = URL_SAFE_NO_PAD.encode(super::super::keys::sha256("rf_ses_one"));
        assert_ne!(token, stored);
    }
}
