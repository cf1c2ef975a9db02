create table policies (
    tenant_id uuid not null constraint policies_tenant_known references tenants (id),
    id uuid not null,
    -- Null: the tenant's default.
    instance_id uuid,
    version bigint not null,
    created_at timestamptz not null,
    -- Set while the instance goes by the tenant's default; its versions stay, and a new one goes on counting.
    removed_at timestamptz,
    constraint policies_pkey primary key (tenant_id, id),
    constraint policies_instance_known foreign key (tenant_id, instance_id) references instances (tenant_id, id),
    constraint policies_version_positive check (version > 0)
);

create unique index policies_one_default on policies (tenant_id) where instance_id is null;
create unique index policies_one_per_instance on policies (tenant_id, instance_id);

create table policy_versions (
    tenant_id uuid not null,
    policy_id uuid not null,
    version bigint not null,
    document jsonb not null,
    created_at timestamptz not null,
    created_by text not null,
    constraint policy_versions_pkey primary key (tenant_id, policy_id, version),
    constraint policy_versions_policy_known foreign key (tenant_id, policy_id) references policies (tenant_id, id)
);
