-- What limiters have been told about an instance. `wanted` counts its changes and only grows; it is the revision that a
-- publication carries. A change anywhere raises it, in the transaction that makes the change.
create table publications (
    tenant_id uuid not null,
    instance_id uuid not null,
    -- Limiters should know the instance. Once false, it is taken out of their table.
    active boolean not null,
    wanted bigint not null,
    -- The revision that limiters can read; zero: none.
    published bigint not null,
    attempts integer not null,
    next_due_at timestamptz not null,
    policy_id uuid,
    policy_version bigint,
    published_at timestamptz,
    error text,
    constraint publications_pkey primary key (tenant_id, instance_id),
    constraint publications_instance_known foreign key (tenant_id, instance_id) references instances (tenant_id, id),
    constraint publications_never_ahead check (published <= wanted)
);

-- The publisher asks for what is due.
create index publications_due on publications (next_due_at) where active and published < wanted;
