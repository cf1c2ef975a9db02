-- What somebody did, newest first, as there are lists by action and by target.
-- writers wait: a second or two for each million entries, of which there is one for each change that somebody made, and no call
create index audit_log_by_actor on audit_log (tenant_id, actor, seq desc);
