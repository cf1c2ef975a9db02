-- Rebuilt from the settings at every start; an assignment stays when its shard is taken out of service.
create table shards (
    function_arn text constraint shards_pkey primary key,
    region text not null,
    capacity integer not null,
    in_service boolean not null,
    constraint shards_capacity_positive check (capacity > 0)
);

create table shard_assignments (
    tenant_id uuid not null,
    instance_id uuid not null,
    function_arn text not null constraint shard_assignments_shard_known references shards (function_arn),
    assigned_at timestamptz not null,
    constraint shard_assignments_pkey primary key (tenant_id, instance_id),
    constraint shard_assignments_instance_known foreign key (tenant_id, instance_id) references instances (tenant_id, id)
);

-- How full a shard is.
create index shard_assignments_by_function on shard_assignments (function_arn);
