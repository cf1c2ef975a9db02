-- Written in the transaction of the change it tells of. `tenant_id` is null for what the operator does to no tenant.
create table audit_log (
    id uuid constraint audit_log_pkey primary key,
    tenant_id uuid constraint audit_log_tenant_known references tenants (id),
    at timestamptz not null,
    actor text not null,
    action text not null,
    target text not null,
    before jsonb,
    after jsonb,
    request_id text
);

create index audit_log_newest on audit_log (tenant_id, at desc, id desc);
