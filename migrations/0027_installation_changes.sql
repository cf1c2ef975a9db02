-- What a step is about to change in the customer's account, from before it does until that is in the audit log: a worker
-- that dies in between leaves it here, for the next one to tell.
alter table installation_steps add column change jsonb;

-- What somebody else changed of what was installed, each since it was first seen and until it was as it should be again. The
-- same thing changed once more takes the place of its former entry.
create table installation_drift (
    tenant_id uuid not null,
    instance_id uuid not null,
    kind text not null,
    -- What it is about: a flow's key, a queue's id, or nothing.
    target text not null,
    name text not null,
    -- Whether it is being mended; otherwise it is only told.
    mended boolean not null,
    since timestamptz not null,
    ended_at timestamptz,
    constraint installation_drift_pkey primary key (tenant_id, instance_id, kind, target),
    constraint installation_drift_installation_known foreign key (tenant_id, instance_id)
        references installations (tenant_id, instance_id) on delete cascade,
    constraint installation_drift_kind_known check (kind in (
        'flow_edited', 'flow_deleted', 'queue_repointed', 'queue_not_covered', 'permission_removed', 'access_lost'
    ))
);

select protect_tenant_table('installation_drift');
