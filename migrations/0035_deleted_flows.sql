-- Flows that were ours: we deleted them, or others stand in their place. A queue may name one still, because somebody pointed it
-- there between the look before and the deletion; it is remembered until a look finds none.
create table deleted_flows (
    tenant_id uuid not null,
    instance_id uuid not null,
    flow_id text not null,
    -- As in installed_flows.
    flow_key text not null,
    constraint deleted_flows_pkey primary key (tenant_id, instance_id, flow_id),
    constraint deleted_flows_installation_known foreign key (tenant_id, instance_id)
        references installations (tenant_id, instance_id) on delete cascade
);

select protect_tenant_table('deleted_flows');
