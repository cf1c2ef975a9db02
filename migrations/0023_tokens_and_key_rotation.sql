-- Identity providers whose tokens a tenant accepts. A row is never changed: it is taken out and made anew.
create table token_issuers (
    tenant_id uuid not null constraint token_issuers_tenant_known references tenants (id),
    id uuid not null,
    issuer text not null,
    audience text not null,
    jwks_url text not null,
    algorithms text[] not null,
    role_claim text,
    roles jsonb not null,
    default_role text,
    created_at timestamptz not null,
    constraint token_issuers_pkey primary key (tenant_id, id),
    constraint token_issuers_once unique (tenant_id, issuer),
    constraint token_issuers_default_role_known check (default_role in ('owner', 'admin', 'editor', 'viewer'))
);

select protect_tenant_table('token_issuers');

-- After a rotation the secret before goes on working for a while.
alter table api_keys
    add column previous_sha256 bytea,
    add column previous_until timestamptz,
    add column rotated_at timestamptz,
    add constraint api_keys_previous_unique unique (previous_sha256),
    add constraint api_keys_previous_whole check ((previous_sha256 is null) = (previous_until is null));

-- What of its role a key may do; null: all of it.
alter table api_keys add column scopes text[];
