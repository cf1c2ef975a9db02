insert into policy_versions (tenant_id, policy_id, version, document, created_at, created_by)
values ($1, $2, $3, $4, $5, $6)
