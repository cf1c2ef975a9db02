-- Secrets are random and long, so an unsalted hash is enough: there is nothing to guess.
create table operator_keys (
    id uuid constraint operator_keys_pkey primary key,
    secret_sha256 bytea not null,
    created_at timestamptz not null,
    last_used_at timestamptz,
    constraint operator_keys_secret_unique unique (secret_sha256)
);

create table api_keys (
    tenant_id uuid not null constraint api_keys_tenant_known references tenants (id),
    id uuid not null,
    name text not null,
    role text not null,
    prefix text not null,
    secret_sha256 bytea not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz,
    last_used_at timestamptz,
    constraint api_keys_pkey primary key (tenant_id, id),
    constraint api_keys_secret_unique unique (secret_sha256),
    constraint api_keys_name_length check (char_length(name) between 1 and 200),
    constraint api_keys_role_known check (role in ('owner', 'admin', 'editor', 'viewer'))
);
