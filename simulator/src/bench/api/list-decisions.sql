select d.id, d.instance_id, d.at, d.record, n.state as "notice_state?", n.error as notice_error,
    n.task_contact_id as notice_task_contact_id, a.takes_tasks as "takes_tasks?", a.took_tasks_at
from decisions d
left join deferred_notices n on n.tenant_id = d.tenant_id and n.instance_id = d.instance_id
    and n.client_token = d.record #>> '{deferred_notice,client_token}'
left join notice_agents a on a.tenant_id = d.tenant_id and a.instance_id = d.instance_id
    and a.agent_arn = d.record ->> 'agent_arn'
where d.tenant_id = $1
    and ($2::uuid is null or d.instance_id = $2)
    and ($3::text is null or d.outcome = $3)
    and ($4::text is null or d.rule_id = $4)
    and ($5::timestamptz is null or (d.at, d.id) < ($5, $6::uuid))
order by d.at desc, d.id desc limit $7
