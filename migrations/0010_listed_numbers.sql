-- Numbers that rules skip, and numbers that are always denied. A removed entry stays for a while, so that its removal
-- reaches limiters wherever they read, also from a table that was set back to an earlier day.
create table listed_numbers (
    tenant_id uuid not null constraint listed_numbers_tenant_known references tenants (id),
    id uuid not null,
    list text not null,
    number text not null,
    reason text not null,
    expires_at timestamptz,
    created_at timestamptz not null,
    created_by text not null,
    removed_at timestamptz,
    -- Which change of the tenant's lists left the entry as it is.
    revision bigint not null,
    constraint listed_numbers_pkey primary key (tenant_id, id),
    constraint listed_numbers_list_known check (list in ('exemption', 'block')),
    constraint listed_numbers_reason_length check (char_length(reason) between 1 and 200),
    constraint listed_numbers_change_once unique (tenant_id, revision)
);

-- A number stands in one list only, once.
create unique index listed_numbers_number_once on listed_numbers (tenant_id, number) where removed_at is null;

-- How many changes a tenant's lists have seen. Whoever changes them locks the row first, so that changes become visible
-- in the order of their revisions and none is missed by who reads on from the last one seen.
create table number_lists (
    tenant_id uuid constraint number_lists_pkey primary key
        constraint number_lists_tenant_known references tenants (id),
    revision bigint not null
);

-- How far each region's limiters can read the tenant's lists.
create table number_publications (
    tenant_id uuid not null constraint number_publications_tenant_known references tenants (id),
    region text not null,
    -- Every change up to this one is where limiters read.
    published bigint not null,
    -- When limiters' table was last compared with it.
    checked_at timestamptz,
    attempts integer not null,
    next_due_at timestamptz not null,
    lease_token uuid,
    lease_expires_at timestamptz,
    error text,
    constraint number_publications_pkey primary key (tenant_id, region)
);
