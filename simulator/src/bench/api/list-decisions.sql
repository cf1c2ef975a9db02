select d.id, d.instance_id, d.at, d.record, n.state as "notice_state?", n.error as notice_error,
    n.task_contact_id as notice_task_contact_id, a.takes_tasks as "takes_tasks?", a.took_tasks_at
from decisions d
left join deferred_notices n on n.tenant_id = d.tenant_id and n.instance_id = d.instance_id
    and n.client_token = d.notice_token
left join notice_agents a on a.tenant_id = d.tenant_id and a.instance_id = d.instance_id
    and a.agent_arn = d.agent_arn
where d.tenant_id = $1
    and ($2::uuid is null or d.instance_id = $2)
    and ($3::text is null or d.outcome = $3)
    and ($4::text is null or d.rule_id = $4)
    and ($5::timestamptz is null or (d.at, d.id) < ($5, $6::uuid))
    and ($7::timestamptz is null or d.at >= $7)
    and ($8::timestamptz is null or d.at < $8)
    and ($9::text is null or d.customer_number = $9)
    and ($10::text is null or d.caller_id = $10)
    and ($11::text is null or d.agent_arn = $11)
    and ($12::text is null or d.queue_arn = $12)
order by d.at desc, d.id desc limit $13
