-- What an installation has reached of the state last asked for, queue by queue and flow by flow: what differs of that since is
-- drift, whatever else is still missing. 0: nothing.
alter table installation_queues add column settled_generation bigint not null default 0;
alter table installed_flows add column settled_generation bigint not null default 0;
-- The generation in which the instance was last looked at. A queue that is unknown after that was made since.
alter table installations add column looked_generation bigint not null default 0;

-- Digests of what a flow of ours does: as it was published last, and as it is about to be, should the answer to that be lost.
-- What does neither was changed by somebody else.
alter table installed_flows
    add column actions_sha256 text,
    add column sending_sha256 text;
