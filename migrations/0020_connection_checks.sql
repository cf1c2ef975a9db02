-- While an external id is changed the roles may accept either one, and whoever uses them is told of both; the former one
-- is kept until the roles are seen to refuse it. A former runtime role is kept while limiters may not know its successor.
alter table connections
    add column pending_external_id text,
    add column former_external_id text,
    add column former_runtime_role_arn text,
    add column access_changed_at timestamptz,
    add constraint connections_pending_external_id_unique unique (pending_external_id),
    add constraint connections_former_access_dated
        check (access_changed_at is not null or (former_external_id is null and former_runtime_role_arn is null));

-- What the last check of the roles found is kept for each instance: a role may permit something in one and not in another.
alter table instances
    add column health text not null default 'unknown',
    add column checks jsonb not null default '[]',
    add column checked_at timestamptz,
    -- When the roles are checked again; null: never yet verified.
    add column check_due_at timestamptz,
    add column check_attempts integer not null default 0,
    add constraint instances_health_known check (health in ('unknown', 'healthy', 'unhealthy'));

set local role ringfence_system;
update instances i set health = c.health, checks = c.checks, checked_at = c.checked_at, check_due_at = i.verified_at
from connections c where c.tenant_id = i.tenant_id and c.id = i.connection_id;
reset role;

alter table connections drop column health, drop column checks, drop column checked_at;

create index instances_check_due on instances (check_due_at);

alter table installations
    -- Counts the wishes to look at once, so that one that comes while a pass is at work is not taken for done.
    add column if not exists looks_asked bigint not null default 0;
