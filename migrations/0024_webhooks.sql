-- Where tenants want to be told of events. What signs a message is kept sealed, since it is used again each time.
create table webhook_endpoints (
    tenant_id uuid not null constraint webhook_endpoints_tenant_known references tenants (id),
    id uuid not null,
    url text not null,
    description text not null,
    events text[] not null,
    customer_numbers text not null,
    state text not null,
    -- Null while it is enabled.
    disabled_because text,
    secret bytea not null,
    -- Signs too, until its time is over: after a rotation receivers know the new one one after the other.
    former_secret bytea,
    former_secret_until timestamptz,
    created_at timestamptz not null,
    -- Turns in a row that told nothing, and since when nothing was told.
    failures integer not null,
    failing_since timestamptz,
    next_turn_at timestamptz not null,
    lease_token uuid,
    lease_expires_at timestamptz,
    constraint webhook_endpoints_pkey primary key (tenant_id, id),
    constraint webhook_endpoints_url_length check (char_length(url) between 1 and 2048),
    constraint webhook_endpoints_description_length check (char_length(description) <= 200),
    constraint webhook_endpoints_events_some check (cardinality(events) > 0),
    constraint webhook_endpoints_customer_numbers_known check (customer_numbers in ('masked', 'full')),
    constraint webhook_endpoints_state_known check (state in ('enabled', 'disabled')),
    constraint webhook_endpoints_reason_known check (disabled_because in ('asked', 'failing', 'gone')),
    constraint webhook_endpoints_reason_given check ((state = 'disabled') = (disabled_because is not null)),
    constraint webhook_endpoints_former_secret_ends check ((former_secret is null) = (former_secret_until is null))
);

-- What happened, written in the transaction that made it so, and only where somebody wants to be told. The subject names
-- what it is about: each event is told of once, whatever is repeated.
create table webhook_events (
    tenant_id uuid not null constraint webhook_events_tenant_known references tenants (id),
    id uuid not null,
    kind text not null,
    subject text not null,
    at timestamptz not null,
    data jsonb not null,
    constraint webhook_events_pkey primary key (tenant_id, id),
    constraint webhook_events_once unique (tenant_id, kind, subject)
);

-- Old ones are forgotten.
create index webhook_events_oldest on webhook_events (at);

create table webhook_deliveries (
    tenant_id uuid not null,
    endpoint_id uuid not null,
    event_id uuid not null,
    state text not null,
    -- All that were made, and those since it was last begun anew: these say when the next one is due.
    attempts integer not null,
    tries integer not null,
    next_due_at timestamptz not null,
    settled_at timestamptz,
    constraint webhook_deliveries_pkey primary key (tenant_id, endpoint_id, event_id),
    constraint webhook_deliveries_endpoint_known foreign key (tenant_id, endpoint_id)
        references webhook_endpoints (tenant_id, id) on delete cascade,
    constraint webhook_deliveries_event_known foreign key (tenant_id, event_id)
        references webhook_events (tenant_id, id) on delete cascade,
    constraint webhook_deliveries_state_known check (state in ('waiting', 'delivered', 'failed'))
);

-- The worker asks for what is due, endpoint by endpoint.
create index webhook_deliveries_due on webhook_deliveries (tenant_id, endpoint_id, next_due_at) where state = 'waiting';
-- Forgetting an event finds its deliveries.
create index webhook_deliveries_of_event on webhook_deliveries (tenant_id, event_id);

create table webhook_attempts (
    tenant_id uuid not null,
    endpoint_id uuid not null,
    event_id uuid not null,
    number integer not null,
    at timestamptz not null,
    duration_ms integer not null,
    -- What the receiver answered; null: nothing.
    status integer,
    error text,
    -- The beginning of its answer.
    answer text,
    constraint webhook_attempts_pkey primary key (tenant_id, endpoint_id, event_id, number),
    constraint webhook_attempts_delivery_known foreign key (tenant_id, endpoint_id, event_id)
        references webhook_deliveries (tenant_id, endpoint_id, event_id) on delete cascade
);

select protect_tenant_table('webhook_endpoints');
select protect_tenant_table('webhook_events');
select protect_tenant_table('webhook_deliveries');
select protect_tenant_table('webhook_attempts');
