-- We are deleting this flow, or have done so and never heard of it: that it is gone is no change of somebody else's.
alter table installed_flows add column removing boolean not null default false;

-- How far a look at the instance has come: queues read, of how many. Null: nobody looks.
alter table installations add column looked integer, add column to_look integer;
