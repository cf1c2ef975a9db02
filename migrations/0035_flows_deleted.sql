-- We deleted this flow. It is remembered until a look finds no queue that names it: somebody may have pointed one at it
-- between the look before and the deletion.
alter table installed_flows add column deleted boolean not null default false;
