-- Answers of requests with an Idempotency-Key, for a day. Sealed with a key of the settings: what they say cannot be read
-- with what this database holds.
create table kept_answers (
    -- The tenant; the nil id for what an operator does to none.
    scope_id uuid not null,
    -- Of the caller and the key.
    key_sha256 bytea not null,
    request_sha256 bytea not null,
    created_at timestamptz not null,
    -- Null only inside the transaction that does the work.
    answer bytea,
    constraint kept_answers_pkey primary key (scope_id, key_sha256)
);

create index kept_answers_oldest on kept_answers (created_at);

select protect_tenant_table('kept_answers', 'scope_id');
