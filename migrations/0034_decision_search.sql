-- Looking for the decisions of a number, a caller id or an agent, newest first. What the record says is indexed as it stands.
-- writers wait: only the workers that read decisions back, which go on where they were
create index decisions_newest_of_customer on decisions (tenant_id, (record ->> 'customer_number'), at desc, id desc);
-- writers wait: as above
create index decisions_newest_of_caller_id on decisions (tenant_id, (record ->> 'caller_id'), at desc, id desc);
-- writers wait: as above
create index decisions_newest_of_agent on decisions (tenant_id, (record ->> 'agent_arn'), at desc, id desc);
