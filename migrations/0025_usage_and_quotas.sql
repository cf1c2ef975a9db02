-- Decisions per tenant, month (UTC, by its first day) and outcome. Counted in the transaction that stores a decision, and
-- kept when decisions are not.
create table usage_decisions (
    tenant_id uuid not null constraint usage_decisions_tenant_known references tenants (id),
    month date not null,
    outcome text not null,
    decisions bigint not null,
    constraint usage_decisions_pkey primary key (tenant_id, month, outcome)
);

select protect_tenant_table('usage_decisions');

set local role ringfence_system;
insert into usage_decisions (tenant_id, month, outcome, decisions)
select tenant_id, date_trunc('month', at at time zone 'UTC')::date, outcome, count(*) from decisions group by 1, 2, 3;
reset role;

-- What the operator has set for a tenant; what is not here is as the program has it.
create table tenant_quotas (
    tenant_id uuid not null constraint tenant_quotas_tenant_known references tenants (id),
    quota text not null,
    -- Null: no limit.
    most bigint,
    constraint tenant_quotas_pkey primary key (tenant_id, quota),
    constraint tenant_quotas_known check (
        quota in ('instances', 'api_keys', 'webhooks', 'listed_numbers', 'decisions_per_month')
    ),
    constraint tenant_quotas_not_negative check (most >= 0)
);

select protect_tenant_table('tenant_quotas');

-- A tenant that is deleted leaves its row, its audit log and its usage; the rest is erased bit by bit.
alter table tenants
    drop constraint tenants_status_known,
    add constraint tenants_status_known check (status in ('active', 'suspended', 'deleting', 'deleted'));
