-- $1 tenant, $2 instance, $3 its ARN, $4 tenant's id, $5 instance's id, $6 policy's id, $7 how many.
-- Three seconds apart, the newest first; every hundredth was denied, every ten-thousandth went out uncounted.
insert into decisions (tenant_id, id, instance_id, contact_id, at, outcome, rule_id, record)
select $1, lpad(to_hex($7 - number), 32, '0')::uuid, $2, 'contact-' || number, made.at, made.outcome,
    case made.outcome when 'denied' then 'repeat-calls' end,
    jsonb_build_object(
        'schema', 1, 'instance_arn', $3::text, 'instance_id', $5::text, 'tenant_id', $4::text,
        'contact_id', 'contact-' || number, 'at', to_char(made.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
        'outcome', made.outcome, 'mode', 'enforce', 'customer_number', '+1206555' || lpad((number % 10000)::text, 4, '0'),
        'caller_id', '+14255550100', 'agent_arn', $3::text || '/agent/' || number % 50, 'queue_arn', $3::text || '/queue/1',
        'policy_id', $6::text, 'policy_version', 1, 'revision', 1, 'decided_in_ms', 9,
        'rules', jsonb_build_array(jsonb_build_object('rule_id', 'repeat-calls', 'mode', 'enforce', 'limit', 4))
    )
from generate_series(0, $7 - 1) as number
cross join lateral (
    select timestamptz '2026-11-01T00:00:00Z' - number * interval '3 seconds' as at,
        case when number % 10000 = 1 then 'failed_open' when number % 100 = 0 then 'denied' else 'allowed' end as outcome
) as made
