select v.policy_id, v.version, v.document, v.created_at, v.created_by
from policies p
join policy_versions v on v.tenant_id = p.tenant_id and v.policy_id = p.id and v.version = p.version
where p.tenant_id = $1 and p.instance_id is not distinct from $2 and p.removed_at is null
