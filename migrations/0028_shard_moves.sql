-- A draining function gets no new instances, and those that it has move to others.
alter table shards add column draining boolean not null default false;

-- An instance on its way from one function to another: function_arn is where it goes, and both let it in until the calls
-- that began before are over. It takes a place on both.
alter table shard_assignments
    add column leaving_arn text constraint shard_assignments_leaving_known references shards (function_arn),
    add column moving_since timestamptz,
    -- No flow calls the former function any more.
    add column repointed_at timestamptz,
    add constraint shard_assignments_leaves_another check (leaving_arn <> function_arn),
    add constraint shard_assignments_move_whole check (
        (leaving_arn is null) = (moving_since is null) and (leaving_arn is not null or repointed_at is null)
    );

create index shard_assignments_leaving on shard_assignments (leaving_arn) where leaving_arn is not null;
