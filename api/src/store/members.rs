//! Members: people in tenants.

use jiff::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::time::{from_db, to_db};
use super::{Person, StoreError, SystemTx, TenantTx};
use crate::domain::ids::{MemberId, PersonId, TenantId};
use crate::domain::role::Role;
use crate::domain::tenant::{Tenant, TenantStatus};

#[derive(Debug, Clone)]
pub struct Member {
    pub id: MemberId,
    pub name: Option<String>,
    pub email: Option<String>,
    pub role: Role,
    pub created_at: Timestamp,
}

/// A tenant that a person is a member of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Membership {
    pub member: MemberId,
    pub tenant: Tenant,
    pub role: Role,
}

/// A member who was called otherwise before.
#[derive(Debug, Clone)]
pub struct RenamedMember {
    pub tenant: TenantId,
    pub member: MemberId,
    pub is_name: bool,
    pub is_email: bool,
}

struct Row {
    id: Uuid,
    name: Option<String>,
    email: Option<String>,
    role: String,
    created_at: OffsetDateTime,
}

impl TryFrom<Row> for Member {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let id = MemberId(row.id);
        Ok(Self {
            id,
            name: row.name,
            email: row.email,
            role: role(&row.role, id)?,
            created_at: from_db(row.created_at)?,
        })
    }
}

fn role(text: &str, id: MemberId) -> Result<Role, StoreError> {
    text.parse().map_err(|_| StoreError::Corrupt {
        what: "members.role",
        detail: id.to_string(),
    })
}

impl TenantTx {
    /// In the order of their joining.
    pub async fn member_list(
        &mut self,
        after: Option<MemberId>,
        limit: i64,
    ) -> Result<Vec<Member>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let rows = sqlx::query_as!(
            Row,
            "select id, name, email, role, created_at from members
             where tenant_id = $1 and ($2::uuid is null or id > $2) order by id limit $3",
            tenant_id,
            after.map(|id| id.0),
            limit,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Member::try_from).collect()
    }

    pub async fn member_get(&mut self, id: MemberId) -> Result<Option<Member>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let row = sqlx::query_as!(
            Row,
            "select id, name, email, role, created_at from members where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        row.map(Member::try_from).transpose()
    }

    /// The member's role, which nobody changes before this transaction ends.
    pub async fn member_hold(&mut self, id: MemberId) -> Result<Option<Role>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let text = sqlx::query_scalar!(
            "select role from members where tenant_id = $1 and id = $2 for share",
            tenant_id,
            id.0,
        )
        .fetch_optional(self.connection())
        .await?;
        text.map(|text| role(&text, id)).transpose()
    }

    /// How many owners there are. It means something only while the tenant is locked: two owners who remove each other
    /// at the same time would both see two.
    pub async fn member_count_owners(&mut self) -> Result<i64, StoreError> {
        let tenant_id = self.tenant_id().0;
        let count = sqlx::query_scalar!(
            r#"select count(*) as "count!" from members where tenant_id = $1 and role = 'owner'"#,
            tenant_id,
        )
        .fetch_one(self.connection())
        .await?;
        Ok(count)
    }

    pub async fn member_set_role(&mut self, id: MemberId, role: Role) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "update members set role = $3 where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
            role.as_str(),
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }

    /// Ends the person's sessions as well: a trigger sees to it.
    pub async fn member_remove(&mut self, id: MemberId) -> Result<(), StoreError> {
        let tenant_id = self.tenant_id().0;
        sqlx::query!(
            "delete from members where tenant_id = $1 and id = $2",
            tenant_id,
            id.0,
        )
        .execute(self.connection())
        .await?;
        Ok(())
    }
}

struct MembershipRow {
    member_id: Uuid,
    role: String,
    tenant_id: Uuid,
    tenant_name: String,
    home_region: String,
    status: String,
    created_at: OffsetDateTime,
}

impl TryFrom<MembershipRow> for Membership {
    type Error = StoreError;

    fn try_from(row: MembershipRow) -> Result<Self, StoreError> {
        let (id, member) = (TenantId(row.tenant_id), MemberId(row.member_id));
        let status = TenantStatus::parse(&row.status).ok_or(StoreError::Corrupt {
            what: "tenants.status",
            detail: id.to_string(),
        })?;
        Ok(Self {
            member,
            role: role(&row.role, member)?,
            tenant: Tenant {
                id,
                name: row.tenant_name,
                home_region: row.home_region,
                status,
                created_at: from_db(row.created_at)?,
            },
        })
    }
}

impl SystemTx {
    /// All tenants that somebody is a member of. One that is being deleted is not there any more for its people.
    pub async fn membership_list(
        &mut self,
        person: PersonId,
    ) -> Result<Vec<Membership>, StoreError> {
        let rows = sqlx::query_as!(
            MembershipRow,
            "select m.id as member_id, m.role, t.id as tenant_id, t.name as tenant_name, t.home_region, t.status,
                 t.created_at
             from members m join tenants t on t.id = m.tenant_id
             where m.person_id = $1 and t.status not in ('deleting', 'deleted') order by t.name, t.id",
            person.0,
        )
        .fetch_all(self.connection())
        .await?;
        rows.into_iter().map(Membership::try_from).collect()
    }

    /// Calls the person everywhere as they are called now; those who were called otherwise.
    pub async fn members_rename(
        &mut self,
        person: &Person,
    ) -> Result<Vec<RenamedMember>, StoreError> {
        let rows = sqlx::query!(
            r#"with former as (
                 select tenant_id, id, name, email from members
                 where person_id = $1 and (name is distinct from $2 or email is distinct from $3)
                 order by tenant_id for update
             )
             update members m set name = $2, email = $3 from former
             where m.tenant_id = former.tenant_id and m.id = former.id
             returning m.tenant_id, m.id, former.name is distinct from $2 as "is_name!",
                 former.email is distinct from $3 as "is_email!""#,
            person.id.0,
            person.name,
            person.email,
        )
        .fetch_all(self.connection())
        .await?;
        let renamed = rows.into_iter().map(|row| RenamedMember {
            tenant: TenantId(row.tenant_id),
            member: MemberId(row.id),
            is_name: row.is_name,
            is_email: row.is_email,
        });
        Ok(renamed.collect())
    }

    /// False where the person is a member already.
    pub async fn member_insert(
        &mut self,
        tenant: TenantId,
        id: MemberId,
        person: &Person,
        role: Role,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let done = sqlx::query!(
            "insert into members (tenant_id, id, person_id, name, email, role, created_at)
             values ($1, $2, $3, $4, $5, $6, $7) on conflict on constraint members_once do nothing",
            tenant.0,
            id.0,
            person.id.0,
            person.name,
            person.email,
            role.as_str(),
            to_db(now),
        )
        .execute(self.connection())
        .await?;
        Ok(done.rows_affected() == 1)
    }
}
