create table connections (
    tenant_id uuid not null constraint connections_tenant_known references tenants (id),
    id uuid not null,
    account_id text not null,
    external_id text not null,
    installer_role_arn text not null,
    runtime_role_arn text not null,
    health text not null,
    checks jsonb not null,
    checked_at timestamptz,
    created_at timestamptz not null,
    constraint connections_pkey primary key (tenant_id, id),
    constraint connections_account_unique unique (tenant_id, account_id),
    constraint connections_external_id_unique unique (external_id),
    constraint connections_account_shape check (account_id ~ '^[0-9]{12}$'),
    constraint connections_health_known check (health in ('unknown', 'healthy', 'unhealthy'))
);

create table instances (
    tenant_id uuid not null,
    id uuid not null,
    connection_id uuid not null,
    instance_arn text not null,
    region text not null,
    name text not null,
    verified_at timestamptz,
    created_at timestamptz not null,
    constraint instances_pkey primary key (tenant_id, id),
    constraint instances_connection_known foreign key (tenant_id, connection_id) references connections (tenant_id, id),
    constraint instances_registered_once unique (tenant_id, instance_arn),
    constraint instances_name_length check (char_length(name) between 1 and 200)
);

-- An instance belongs to the tenant that proved it; a claim without proof blocks nobody.
create unique index instances_claimed on instances (instance_arn) where verified_at is not null;
