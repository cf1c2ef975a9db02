-- Notices that a limiter could not send at once. The token names the notice at Connect: one per stretch of denials.
create table deferred_notices (
    tenant_id uuid not null,
    instance_id uuid not null,
    client_token text not null,
    -- The call that was denied; the task is related to it.
    contact_id text not null,
    denied_at timestamptz not null,
    -- From then on it would only confuse.
    expires_at timestamptz not null,
    -- What the task says. It names a customer's number, so it is kept only for as long as it may be sent.
    task jsonb,
    state text not null,
    attempts integer not null,
    next_due_at timestamptz not null,
    lease_token uuid,
    lease_expires_at timestamptz,
    error text,
    task_contact_id text,
    settled_at timestamptz,
    constraint deferred_notices_pkey primary key (tenant_id, instance_id, client_token),
    constraint deferred_notices_instance_known foreign key (tenant_id, instance_id) references instances (tenant_id, id),
    constraint deferred_notices_state_known check (state in ('waiting', 'sent', 'failed', 'expired'))
);

-- The worker asks for what is due, and for what has waited too long.
create index deferred_notices_waiting on deferred_notices (denied_at) where state = 'waiting';

-- When the next task may be started in an account and region. Connect counts there, so all worker processes go by it.
create table task_starts (
    account_id text not null,
    region text not null,
    next_free_at timestamptz not null,
    constraint task_starts_pkey primary key (account_id, region)
);

-- Whether the agents who are sent notices take tasks at all. Asked when a notice goes to an agent, and not too often.
create table notice_agents (
    tenant_id uuid not null,
    instance_id uuid not null,
    agent_arn text not null,
    -- Null: not known.
    takes_tasks boolean,
    -- The last time that the agent was seen to take tasks.
    took_tasks_at timestamptz,
    checked_at timestamptz,
    -- Null: nobody has asked for it since.
    due_at timestamptz,
    constraint notice_agents_pkey primary key (tenant_id, instance_id, agent_arn),
    constraint notice_agents_instance_known foreign key (tenant_id, instance_id) references instances (tenant_id, id)
);

create index notice_agents_due on notice_agents (due_at) where due_at is not null;
