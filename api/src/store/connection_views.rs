//! Connections with all that is shown beside them.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::time::from_db_opt;
use super::{Connection, ConnectionHealth, StoreError, TenantTx};
use crate::domain::ids::{ConnectionId, InstanceId};

/// How the roles did in one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckedInstance {
    pub id: InstanceId,
    pub name: String,
    pub health: ConnectionHealth,
    pub checked_at: Option<Timestamp>,
}

#[derive(Debug, Clone)]
pub struct ConnectionView {
    pub connection: Connection,
    /// Of its first instance; empty where it has none any more.
    pub region: String,
    pub instances: Vec<CheckedInstance>,
    /// Limiters read what is wanted, in all of the instances that they know.
    pub is_published: bool,
}

impl TenantTx {
    /// In the order in which they were made, those after `after`.
    pub async fn connection_view_list(
        &mut self,
        after: Option<ConnectionId>,
        limit: i64,
    ) -> Result<Vec<ConnectionView>, StoreError> {
        let connections = self.connection_list(after, limit).await?;
        self.viewed(connections).await
    }

    pub async fn connection_view_get(
        &mut self,
        id: ConnectionId,
    ) -> Result<Option<ConnectionView>, StoreError> {
        let found = self.connection_get(id).await?;
        Ok(self.viewed(found.into_iter().collect()).await?.pop())
    }

    async fn viewed(
        &mut self,
        connections: Vec<Connection>,
    ) -> Result<Vec<ConnectionView>, StoreError> {
        let tenant_id = self.tenant_id().0;
        let ids: Vec<uuid::Uuid> = connections.iter().map(|found| found.id.0).collect();
        let rows = sqlx::query!(
            r#"select i.connection_id, i.id, i.name, i.region, i.health, i.checked_at,
                    coalesce(not p.active or p.published = p.wanted, true) as "is_published!"
             from instances i
             left join publications p on p.tenant_id = i.tenant_id and p.instance_id = i.id
             where i.tenant_id = $1 and i.connection_id = any($2) order by i.id"#,
            tenant_id,
            &ids,
        )
        .fetch_all(self.connection())
        .await?;
        let mut views: BTreeMap<ConnectionId, ConnectionView> = connections
            .into_iter()
            .map(|connection| (connection.id, empty(connection)))
            .collect();
        for row in rows {
            let id = InstanceId(row.id);
            let Some(view) = views.get_mut(&ConnectionId(row.connection_id)) else {
                continue;
            };
            if view.instances.is_empty() {
                view.region = row.region;
            }
            view.is_published &= row.is_published;
            view.instances.push(CheckedInstance {
                id,
                name: row.name,
                health: ConnectionHealth::parse(&row.health, id)?,
                checked_at: from_db_opt(row.checked_at)?,
            });
        }
        Ok(views.into_values().collect())
    }
}

fn empty(connection: Connection) -> ConnectionView {
    ConnectionView {
        connection,
        region: String::new(),
        instances: Vec::new(),
        is_published: true,
    }
}
