-- Looking for the decisions of a number, a caller id, an agent or a queue, newest first, and what stands beside them: the
-- notice and the agent. As columns, not as expressions over the record: under row security an index is used only for
-- comparisons that leak nothing, and PostgreSQL does not hold `->>` to be one of them.
--
-- The table is written anew: who reads or writes it waits for about as long as a copy of it takes. The limiters do neither,
-- and the workers that read decisions back go on where they were. The version before names none of the columns.
alter table decisions
    add column customer_number text generated always as (record ->> 'customer_number') stored,
    add column caller_id text generated always as (record ->> 'caller_id') stored,
    add column agent_arn text generated always as (record ->> 'agent_arn') stored,
    add column queue_arn text generated always as (record ->> 'queue_arn') stored,
    add column notice_token text generated always as (record #>> '{deferred_notice,client_token}') stored;
-- writers wait: only the workers that read decisions back, which go on where they were
create index decisions_newest_of_customer on decisions (tenant_id, customer_number, at desc, id desc);
-- writers wait: as above
create index decisions_newest_of_caller_id on decisions (tenant_id, caller_id, at desc, id desc);
-- writers wait: as above
create index decisions_newest_of_agent on decisions (tenant_id, agent_arn, at desc, id desc);
-- writers wait: as above
create index decisions_newest_of_queue on decisions (tenant_id, queue_arn, at desc, id desc);
