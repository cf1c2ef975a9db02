//! People and their sessions. They belong to no tenant, so they are reached by system transactions alone.

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, to_db};
use super::{StoreError, SystemTx};
use crate::domain::identity::Identity;
use crate::domain::ids::{PersonId, SessionId};

/// Somebody whom the identity provider vouched for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    pub id: PersonId,
    pub name: Option<String>,
    pub email: Option<String>,
    /// The provider made sure that the address is theirs.
    pub email_verified: bool,
}

#[derive(Debug)]
pub struct NewSession<'a> {
    pub id: SessionId,
    pub person: PersonId,
    pub secret_sha256: &'a [u8],
    pub is_operator: bool,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// A session that goes on.
#[derive(Debug, Clone)]
pub struct FoundSession {
    pub id: SessionId,
    pub person: Person,
    pub is_operator: bool,
    pub used_at: Timestamp,
}

struct Row {
    id: Uuid,
    is_operator: bool,
    used_at: OffsetDateTime,
    person_id: Uuid,
    name: Option<String>,
    email: Option<String>,
    email_verified: bool,
}

impl SystemTx {
    /// The person of this identity, made or brought up to date.
    pub async fn person_sign_in(
        &mut self,
        new_id: PersonId,
        identity: &Identity,
        now: Timestamp,
    ) -> Result<Person, StoreError> {
        let id = sqlx::query_scalar!(
            "insert into people (id, issuer, subject, name, email, email_verified, created_at, signed_in_at)
             values ($1, $2, $3, $4, $5, $6, $7, $7)
             on conflict on constraint people_known_once do update
             set name = excluded.name, email = excluded.email, email_verified = excluded.email_verified,
                 signed_in_at = excluded.signed_in_at
             returning id",
            new_id.0,
            identity.issuer,
            identity.subject,
            identity.name,
            identity.email,
            identity.email_verified,
            to_db(now),
        )
        .fetch_one(self.connection())
        .await?;
        Ok(Person {
            id: PersonId(id),
            name: identity.name.clone(),
            email: identity.email.clone(),
            email_verified: identity.email_verified,
        })
    }

    pub async fn session_insert(&mut self, session: &NewSession<'_>) -> Result<(), StoreError> {
        sqlx::query!(
            "insert into sessions (id, person_id, secret_sha256, is_operator, created_at, used_at, expires_at)
             values ($1, $2, $3, $4, $5, $5, $6)",
            session.id.0,
            session.person.0,
            session.secret_sha256,
            session.is_operator,
            to_db(session.created_at),
            to_db(session.expires_at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// The session with this hash, if it has neither ended nor lain idle since `idle_since`.
    pub async fn session_find(
        &mut self,
        secret_sha256: &[u8],
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<Option<FoundSession>, StoreError> {
        let row = sqlx::query_as!(
            Row,
            "select s.id, s.is_operator, s.used_at, p.id as person_id, p.name, p.email, p.email_verified
             from sessions s join people p on p.id = s.person_id
             where s.secret_sha256 = $1 and s.expires_at > $2 and s.used_at > $3",
            secret_sha256,
            to_db(now),
            to_db(idle_since),
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(|row| {
            Ok(FoundSession {
                id: SessionId(row.id),
                is_operator: row.is_operator,
                used_at: from_db(row.used_at)?,
                person: Person {
                    id: PersonId(row.person_id),
                    name: row.name,
                    email: row.email,
                    email_verified: row.email_verified,
                },
            })
        })
        .transpose()
    }

    /// Never backwards: processes write in any order.
    pub async fn session_used(&mut self, id: SessionId, at: Timestamp) -> Result<(), StoreError> {
        sqlx::query!(
            "update sessions set used_at = $2 where id = $1 and used_at < $2",
            id.0,
            to_db(at),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Whether there was such a session.
    pub async fn session_end(&mut self, id: SessionId) -> Result<bool, StoreError> {
        let done = sqlx::query!("delete from sessions where id = $1", id.0)
            .execute(self.connection())
            .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Forgets people who have not signed in since then, are nobody's member and have no session; at most so many. Whoever is
    /// signing in just now is passed over.
    pub async fn people_forget(&mut self, before: Timestamp, most: i64) -> Result<u64, StoreError> {
        let done = sqlx::query!(
            "delete from people where id in (
                 select p.id from people p
                 where p.signed_in_at < $1
                     and not exists (select from members m where m.person_id = p.id)
                     and not exists (select from sessions s where s.person_id = p.id)
                 order by p.signed_in_at limit $2 for update skip locked
             )",
            to_db(before),
            most,
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected())
    }

    /// Takes out sessions that have ended by themselves, a bounded number at a time.
    pub async fn session_sweep(
        &mut self,
        now: Timestamp,
        idle_since: Timestamp,
    ) -> Result<(), StoreError> {
        sqlx::query!(
            "delete from sessions where id in (
                 select id from sessions where expires_at <= $1 or used_at <= $2
                 order by expires_at limit 100 for update skip locked
             )",
            to_db(now),
            to_db(idle_since),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}
