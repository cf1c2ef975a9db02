-- Who changes the policy of a function at the moment: Lambda loses one of two changes that are made at once. The holder is known
-- by its statement, as an installation is worked on by one process at a time.
create table function_policy_leases (
    function_arn text not null,
    statement_id text not null,
    expires_at timestamptz not null,
    constraint function_policy_leases_pkey primary key (function_arn)
);
grant select, insert, update, delete on function_policy_leases to ringfence_system;

-- Lambda counts requests, too.
alter table request_paces drop constraint request_paces_quota_known;
alter table request_paces add constraint request_paces_quota_known
    check (quota in ('operations', 'contacts', 'tasks', 'function_policy_reads', 'function_changes')) not valid;
alter table request_paces validate constraint request_paces_quota_known;

-- When all that was let through at once is made up for. Behind `next_at` where requests went ahead of it or went out together.
alter table request_paces add column level_at timestamptz;
