-- Queues that the first look of `looked_generation` could not read, nor any since, by id. They were there when the tenant asked:
-- none of them was made since.
alter table installations add column unseen_queue_ids text[] not null default '{}';
-- The generation in which the fallback function was last seen to admit the instance. 0: none.
alter table installations add column fallback_generation bigint not null default 0;
