//! The publisher's turns: what is due, what it is made of, and how far it has come.

use jiff::Timestamp;
use serde_json::{Value, json};
use uuid::Uuid;

use super::publications::{REVISION_MAX, signed, unsigned};
use super::time::to_db;
use super::{NewEvent, Store, StoreError};
use crate::domain::ids::{EventId, InstanceId, PolicyId, TenantId};
use crate::domain::instance_arn::InstanceArn;
use crate::domain::webhook::EventKind;

/// All that a snapshot is made of, read at one moment.
#[derive(Debug, Clone)]
pub struct PublicationSource {
    pub tenant: TenantId,
    pub instance: InstanceId,
    pub instance_arn: InstanceArn,
    pub suspended: bool,
    pub revision: u64,
    pub policy_id: Option<PolicyId>,
    pub policy_version: Option<u64>,
    pub document: Option<Value>,
    /// The tenant's other policies with tenant-wide rules, where this one has such rules too.
    pub other_documents: Vec<Value>,
    /// Roles and external ids that may let limiters in, the present ones first.
    pub runtime_role_arns: Vec<String>,
    pub external_ids: Vec<String>,
    pub notice_flow_id: Option<String>,
    /// Where the tenant's own meters are.
    pub home_region: String,
    /// The tenant has listed a number once.
    pub has_listed_numbers: bool,
}

struct SourceRow {
    instance_arn: String,
    status: String,
    wanted: i64,
    policy_id: Option<Uuid>,
    policy_version: Option<i64>,
    document: Option<Value>,
    other_documents: Vec<Value>,
    runtime_role_arns: Vec<String>,
    external_ids: Vec<String>,
    notice_flow_id: Option<String>,
    home_region: String,
    has_listed_numbers: bool,
}

impl Store {
    /// Takes the publication that is due longest and puts it off, so that other processes leave it alone for a while.
    pub async fn publication_take_due(
        &self,
        now: Timestamp,
        put_off_to: Timestamp,
    ) -> Result<Option<(TenantId, InstanceId)>, StoreError> {
        let mut tx = self.system("the publisher serves every tenant").await?;
        let row = sqlx::query!(
            "update publications set next_due_at = $2
             where (tenant_id, instance_id) = (
                 select tenant_id, instance_id from publications
                 where active and published < wanted and next_due_at <= $1
                 order by next_due_at limit 1 for update skip locked
             )
             returning tenant_id, instance_id",
            to_db(now),
            to_db(put_off_to),
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(row.map(|row| (TenantId(row.tenant_id), InstanceId(row.instance_id))))
    }

    /// What is to be published, in one statement and so at one moment. `None`: nothing is to be known of the instance.
    pub async fn publication_source(
        &self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<Option<PublicationSource>, StoreError> {
        let mut tx = self.tenant(tenant).await?;
        let row = sqlx::query_as!(
            SourceRow,
            r#"select i.instance_arn, t.status, p.wanted,
                    coalesce(own.id, def.id) as policy_id,
                    coalesce(own.version, def.version) as policy_version,
                    v.document as "document?",
                    case when v.document @> '{"rules":[{"scope":"tenant"}]}' then array(
                        select ov.document
                        from policies o
                        join policy_versions ov
                            on ov.tenant_id = o.tenant_id and ov.policy_id = o.id and ov.version = o.version
                        where o.tenant_id = p.tenant_id and o.removed_at is null and o.id <> v.policy_id
                            and ov.document @> '{"rules":[{"scope":"tenant"}]}'
                        order by o.id
                    ) else '{}' end as "other_documents!: Vec<Value>",
                    array_remove(array[c.runtime_role_arn, c.former_runtime_role_arn], null) as "runtime_role_arns!",
                    array_remove(array[c.external_id, c.pending_external_id, c.former_external_id], null) as "external_ids!",
                    f.flow_id as "notice_flow_id?", t.home_region,
                    exists (
                        select 1 from number_lists l where l.tenant_id = p.tenant_id
                    ) as "has_listed_numbers!"
             from publications p
             join instances i on i.tenant_id = p.tenant_id and i.id = p.instance_id
             join tenants t on t.id = p.tenant_id
             join connections c on c.tenant_id = i.tenant_id and c.id = i.connection_id
             left join policies own
                 on own.tenant_id = p.tenant_id and own.instance_id = p.instance_id and own.removed_at is null
             left join policies def
                 on def.tenant_id = p.tenant_id and def.instance_id is null and def.removed_at is null
             left join policy_versions v
                 on v.tenant_id = p.tenant_id and v.policy_id = coalesce(own.id, def.id)
                 and v.version = coalesce(own.version, def.version)
             left join installed_flows f
                 on f.tenant_id = p.tenant_id and f.instance_id = p.instance_id and f.flow_key = 'notice'
             where p.tenant_id = $1 and p.instance_id = $2 and p.active"#,
            tenant.0,
            instance.0,
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        row.map(|row| source(tenant, instance, row)).transpose()
    }

    /// Limiters can read this revision now; who wants to know is told where that means another policy. False: a later
    /// one was published meanwhile, or the instance was taken away.
    pub async fn publication_done(
        &self,
        published: &PublicationSource,
        event: EventId,
        now: Timestamp,
    ) -> Result<bool, StoreError> {
        let mut tx = self.tenant(published.tenant).await?;
        let before = sqlx::query!(
            "select policy_id, policy_version from publications
             where tenant_id = $1 and instance_id = $2 and active and published < $3 for update",
            published.tenant.0,
            published.instance.0,
            signed(published.revision),
        )
        .fetch_optional(tx.connection())
        .await?;
        let Some(before) = before else {
            return Ok(false);
        };
        sqlx::query!(
            "update publications set published = $3, policy_id = $4, policy_version = $5, published_at = $6,
                 attempts = 0, error = null, next_due_at = $6
             where tenant_id = $1 and instance_id = $2",
            published.tenant.0,
            published.instance.0,
            signed(published.revision),
            published.policy_id.map(|id| id.0),
            published.policy_version.map(signed),
            to_db(now),
        )
        .execute(tx.connection())
        .await?;
        let policy = published.policy_id.zip(published.policy_version);
        let former = before.policy_id.zip(before.policy_version);
        if let Some((policy_id, version)) = policy
            && former != Some((policy_id.0, signed(version)))
        {
            tx.event_put(&NewEvent {
                id: event,
                kind: EventKind::PolicyPublished,
                subject: &format!("{} {}", published.instance, published.revision),
                at: now,
                data: json!({
                    "instance_id": published.instance.to_string(),
                    "policy_id": policy_id.to_string(),
                    "version": version,
                    "former_policy_id": former.map(|(id, _)| PolicyId(id).to_string()),
                    "former_version": former.map(|(_, version)| version),
                }),
            })
            .await?;
        }
        tx.commit().await?;
        Ok(true)
    }

    /// Counts the failure; answers how many there were in a row.
    pub async fn publication_failed(
        &self,
        tenant: TenantId,
        instance: InstanceId,
        error: &str,
    ) -> Result<u32, StoreError> {
        let mut tx = self.tenant(tenant).await?;
        let row = sqlx::query!(
            "update publications set attempts = attempts + 1, error = $3
             where tenant_id = $1 and instance_id = $2 returning attempts",
            tenant.0,
            instance.0,
            error,
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(row.map_or(1, |row| u32::try_from(row.attempts).unwrap_or(u32::MAX)))
    }

    pub async fn publication_put_off(
        &self,
        tenant: TenantId,
        instance: InstanceId,
        to: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(tenant).await?;
        sqlx::query!(
            "update publications set next_due_at = $3 where tenant_id = $1 and instance_id = $2",
            tenant.0,
            instance.0,
            to_db(to),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    pub async fn publication_is_active(
        &self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<bool, StoreError> {
        let mut tx = self.tenant(tenant).await?;
        let row = sqlx::query!(
            "select active from publications where tenant_id = $1 and instance_id = $2",
            tenant.0,
            instance.0,
        )
        .fetch_optional(tx.connection())
        .await?;
        tx.commit().await?;
        Ok(row.is_some_and(|row| row.active))
    }

    /// What limiters read already stands at `standing`: what is wanted goes above it, and is due.
    pub async fn publication_raise(
        &self,
        tenant: TenantId,
        instance: InstanceId,
        standing: u64,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(tenant).await?;
        sqlx::query!(
            "update publications set wanted = greatest(wanted, $3::bigint + 1), next_due_at = $4
             where tenant_id = $1 and instance_id = $2 and active",
            tenant.0,
            instance.0,
            signed(standing.min(REVISION_MAX)),
            to_db(now),
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }

    /// Limiters are to forget the instance; answers its ARN and the last revision that they may have.
    pub async fn publication_deactivate(
        &self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<Option<(InstanceArn, u64)>, StoreError> {
        let mut tx = self.tenant(tenant).await?;
        let wanted = sqlx::query_scalar!(
            "update publications set active = false where tenant_id = $1 and instance_id = $2 returning wanted",
            tenant.0,
            instance.0,
        )
        .fetch_optional(tx.connection())
        .await?;
        let instance = tx.instance_get(instance).await?;
        tx.commit().await?;
        let (Some(wanted), Some(instance)) = (wanted, instance) else {
            return Ok(None);
        };
        Ok(Some((
            instance.arn,
            unsigned(wanted, "publications.wanted")?,
        )))
    }

    /// The instance is out of the limiters' table.
    pub async fn publication_gone(
        &self,
        tenant: TenantId,
        instance: InstanceId,
    ) -> Result<(), StoreError> {
        let mut tx = self.tenant(tenant).await?;
        sqlx::query!(
            "update publications set published = 0, policy_id = null, policy_version = null, published_at = null
             where tenant_id = $1 and instance_id = $2 and not active",
            tenant.0,
            instance.0,
        )
        .execute(tx.connection())
        .await?;
        tx.commit().await
    }
}

fn source(
    tenant: TenantId,
    instance: InstanceId,
    row: SourceRow,
) -> Result<PublicationSource, StoreError> {
    Ok(PublicationSource {
        tenant,
        instance,
        instance_arn: row
            .instance_arn
            .parse()
            .map_err(|err| StoreError::Corrupt {
                what: "instances.instance_arn",
                detail: format!("{instance}: {err}"),
            })?,
        suspended: row.status != "active",
        revision: unsigned(row.wanted, "publications.wanted")?,
        policy_id: row.policy_id.map(PolicyId),
        policy_version: row
            .policy_version
            .map(|version| unsigned(version, "policies.version"))
            .transpose()?,
        document: row.document,
        other_documents: row.other_documents,
        runtime_role_arns: row.runtime_role_arns,
        external_ids: row.external_ids,
        notice_flow_id: row.notice_flow_id,
        home_region: row.home_region,
        has_listed_numbers: row.has_listed_numbers,
    })
}
