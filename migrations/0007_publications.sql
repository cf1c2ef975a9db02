-- What limiters have been told about an instance. `revision` counts publications and only grows; a change anywhere sets
-- `due`, in the transaction that makes the change.
create table publications (
    tenant_id uuid not null,
    instance_id uuid not null,
    revision bigint not null,
    due boolean not null,
    -- Grows with every change, so that a publication that was overtaken does not clear `due`.
    wanted bigint not null,
    attempts integer not null,
    next_due_at timestamptz not null,
    policy_id uuid,
    policy_version bigint,
    published_at timestamptz,
    error text,
    constraint publications_pkey primary key (tenant_id, instance_id),
    constraint publications_instance_known foreign key (tenant_id, instance_id) references instances (tenant_id, id)
);

-- The publisher asks for what is due.
create index publications_due on publications (next_due_at) where due;
