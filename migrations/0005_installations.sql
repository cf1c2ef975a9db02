create table installations (
    tenant_id uuid not null,
    instance_id uuid not null,
    -- What the tenant wants; null once everything was asked to go.
    desired jsonb,
    generation bigint not null,
    observed_generation bigint not null,
    state text not null,
    conditions jsonb not null,
    attempts integer not null,
    next_due_at timestamptz not null,
    lease_token uuid,
    lease_expires_at timestamptz,
    updated_at timestamptz not null,
    constraint installations_pkey primary key (tenant_id, instance_id),
    constraint installations_instance_known foreign key (tenant_id, instance_id) references instances (tenant_id, id),
    constraint installations_state_known check (
        state in ('pending', 'installing', 'installed', 'blocked', 'uninstalling', 'uninstalled')
    )
);

-- The reconciler asks for what is due.
create index installations_due on installations (next_due_at);

create table installation_steps (
    tenant_id uuid not null,
    instance_id uuid not null,
    generation bigint not null,
    position integer not null,
    name text not null,
    target text not null,
    status text not null,
    detail text not null,
    at timestamptz not null,
    constraint installation_steps_pkey primary key (tenant_id, instance_id, position),
    constraint installation_steps_installation_known foreign key (tenant_id, instance_id)
        references installations (tenant_id, instance_id) on delete cascade,
    constraint installation_steps_status_known check (status in ('pending', 'done', 'failed'))
);

create table installation_queues (
    tenant_id uuid not null,
    instance_id uuid not null,
    queue_id text not null,
    name text not null,
    -- Both are written before the queue is changed. The former whisper is what removal puts back; null: the queue had
    -- none of its own. A whisper of ours is null while the queue is not in our hands.
    previous_flow_id text,
    whisper_flow_id text,
    state text not null,
    detail text not null,
    constraint installation_queues_pkey primary key (tenant_id, instance_id, queue_id),
    constraint installation_queues_installation_known foreign key (tenant_id, instance_id)
        references installations (tenant_id, instance_id) on delete cascade,
    constraint installation_queues_state_known check (
        state in ('pending', 'attached', 'refused', 'restored', 'left_alone')
    )
);

create table installed_flows (
    tenant_id uuid not null,
    instance_id uuid not null,
    -- 'notice', 'whisper' or 'whisper:<id of the customer''s whisper behind it>'
    flow_key text not null,
    flow_id text not null,
    name text not null,
    content_sha256 text not null,
    service_sha256 text,
    constraint installed_flows_pkey primary key (tenant_id, instance_id, flow_key),
    constraint installed_flows_installation_known foreign key (tenant_id, instance_id)
        references installations (tenant_id, instance_id) on delete cascade
);
