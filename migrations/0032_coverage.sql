-- Which queues agents can dial from, as their routing profiles say. Reading them takes half an hour where there are many, so it is
-- done bit by bit: each part is kept with the time at which it was read, and whoever goes on reads what is older than the
-- reading's beginning.
create table coverage_readings (
    tenant_id uuid not null,
    instance_id uuid not null,
    next_due_at timestamptz not null,
    -- When somebody last wished for a reading.
    asked_at timestamptz,
    -- Of the reading under way; null: there is none.
    began_at timestamptz,
    -- When it had listed profiles and queues.
    listed_at timestamptz,
    -- Permissions that it lacked so far.
    refused text[] not null default '{}',
    -- Why it does not go on for the moment.
    problem text not null default '',
    attempts integer not null default 0,
    -- Of the last whole reading.
    computed_at timestamptz,
    missing_permissions text[] not null default '{}',
    lease_token uuid,
    lease_expires_at timestamptz,
    constraint coverage_readings_pkey primary key (tenant_id, instance_id),
    constraint coverage_readings_instance_known foreign key (tenant_id, instance_id)
        references instances (tenant_id, id) on delete cascade
);

create index coverage_readings_due on coverage_readings (next_due_at);

create table coverage_profiles (
    tenant_id uuid not null,
    instance_id uuid not null,
    profile_id text not null,
    name text not null,
    -- The queue that its agents dial from unless they choose another.
    default_queue_id text,
    queue_ids text[] not null default '{}',
    read_at timestamptz,
    constraint coverage_profiles_pkey primary key (tenant_id, instance_id, profile_id),
    constraint coverage_profiles_reading_known foreign key (tenant_id, instance_id)
        references coverage_readings (tenant_id, instance_id) on delete cascade
);

-- Standard queues. Their whisper is read only where nobody knows it to be ours.
create table coverage_queues (
    tenant_id uuid not null,
    instance_id uuid not null,
    queue_id text not null,
    name text not null,
    whisper_flow_id text,
    read_at timestamptz,
    constraint coverage_queues_pkey primary key (tenant_id, instance_id, queue_id),
    constraint coverage_queues_reading_known foreign key (tenant_id, instance_id)
        references coverage_readings (tenant_id, instance_id) on delete cascade
);

select protect_tenant_table('coverage_readings');
select protect_tenant_table('coverage_profiles');
select protect_tenant_table('coverage_queues');
