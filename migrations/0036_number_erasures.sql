-- Numbers whose data are being erased, and what came of it. The number itself is kept only while a worker still needs it.
create table number_erasures (
    tenant_id uuid not null constraint number_erasures_tenant_known references tenants (id),
    id uuid not null,
    -- Null once everything is erased.
    number text,
    masked text not null,
    -- Attempts up to then are erased.
    asked_at timestamptz not null,
    erased_at timestamptz,
    -- What the answer named as staying.
    kept text[] not null,
    decisions bigint not null,
    meters bigint not null,
    next_due_at timestamptz not null,
    -- Tries in a row that failed, and why the last one did.
    attempts integer not null,
    error text,
    constraint number_erasures_pkey primary key (tenant_id, id),
    constraint number_erasures_once unique (tenant_id, number),
    constraint number_erasures_ends_nameless check ((number is null) = (erased_at is not null))
);

create index number_erasures_due on number_erasures (next_due_at) where erased_at is null;

select protect_tenant_table('number_erasures');

-- Its number was erased: a copy of its record that comes again changes nothing in it.
alter table decisions add column erased boolean not null default false;
