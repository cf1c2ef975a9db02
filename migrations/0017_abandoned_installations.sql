-- The tenant gave the removal up: only Ringfence's own side is cleared, what is in the instance stays. It says something
-- only while nothing is desired.
alter table installations add column abandoned boolean not null default false;
