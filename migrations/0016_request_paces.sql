-- When the next request may go out in an account and region, per quota that Connect counts there. All processes go by
-- it, so that together they stay within their share. `task_starts` is left for processes of the version before.
create table request_paces (
    account_id text not null,
    region text not null,
    quota text not null,
    next_at timestamptz not null,
    -- After the service throttled: until when nobody asks, and how long that is before it is spread.
    paused_until timestamptz,
    pause_micros bigint not null default 0,
    constraint request_paces_pkey primary key (account_id, region, quota),
    constraint request_paces_quota_known check (quota in ('operations', 'contacts', 'tasks')),
    constraint request_paces_pause_positive check (pause_micros >= 0)
);

insert into request_paces (account_id, region, quota, next_at)
select account_id, region, 'tasks', next_free_at from task_starts;

-- Who is being worked on: one installation of an account and region at a time.
create index installations_leased on installations (lease_expires_at) where lease_expires_at is not null;

grant select, insert, update on request_paces to ringfence_system;
