-- We are deleting this flow, or have done so and never heard of it: that it is gone is no change of somebody else's.
alter table installed_flows add column removing boolean not null default false;

-- What of the customer's access was changed, as far as AWS tells.
alter table installation_drift drop constraint installation_drift_kind_known;
alter table installation_drift add constraint installation_drift_kind_known check (kind in (
    'flow_edited', 'flow_deleted', 'queue_repointed', 'queue_not_covered', 'permission_removed', 'role_refused',
    'role_permission_lost', 'external_id_not_enforced', 'access_lost'
)) not valid;
alter table installation_drift validate constraint installation_drift_kind_known;

-- How far a look at the instance has come: queues read, of how many. Null: nobody looks.
alter table installations add column looked integer, add column to_look integer;
