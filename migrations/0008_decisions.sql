create table decisions (
    tenant_id uuid not null constraint decisions_tenant_known references tenants (id),
    id uuid not null,
    instance_id uuid not null,
    contact_id text not null,
    at timestamptz not null,
    outcome text not null,
    rule_id text,
    record jsonb not null,
    constraint decisions_pkey primary key (tenant_id, id),
    constraint decisions_contact_once unique (tenant_id, instance_id, contact_id),
    constraint decisions_instance_known foreign key (tenant_id, instance_id) references instances (tenant_id, id)
);

-- Lists, newest first, alone and by instance.
create index decisions_newest on decisions (tenant_id, at desc, id desc);
create index decisions_newest_of_instance on decisions (tenant_id, instance_id, at desc, id desc);

-- Moves in the transaction that stores what was read, so that nothing is lost or taken twice.
create table stream_checkpoints (
    region text not null,
    stream_arn text not null,
    shard_id text not null,
    sequence_number text,
    finished boolean not null,
    updated_at timestamptz not null,
    constraint stream_checkpoints_pkey primary key (region, stream_arn, shard_id)
);
