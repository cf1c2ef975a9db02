-- A person is whom the operator's identity provider vouches for. People belong to no tenant: members do, and one person
-- may be a member of several. Name and address are for show; members carry a copy, so that a tenant needs no look at people.
create table people (
    id uuid constraint people_pkey primary key,
    issuer text not null,
    subject text not null,
    name text,
    email text,
    email_verified boolean not null,
    created_at timestamptz not null,
    signed_in_at timestamptz not null,
    constraint people_known_once unique (issuer, subject)
);

-- Only a hash of the secret in the browser's cookie is kept.
create table sessions (
    id uuid constraint sessions_pkey primary key,
    person_id uuid not null constraint sessions_person_known references people (id),
    secret_sha256 bytea not null,
    is_operator boolean not null,
    created_at timestamptz not null,
    used_at timestamptz not null,
    expires_at timestamptz not null,
    constraint sessions_secret_unique unique (secret_sha256)
);

create index sessions_of_person on sessions (person_id);
create index sessions_by_end on sessions (expires_at);

create table members (
    tenant_id uuid not null constraint members_tenant_known references tenants (id),
    id uuid not null,
    person_id uuid not null constraint members_person_known references people (id),
    name text,
    email text,
    role text not null,
    created_at timestamptz not null,
    constraint members_pkey primary key (tenant_id, id),
    constraint members_once unique (tenant_id, person_id),
    constraint members_role_known check (role in ('owner', 'admin', 'editor', 'viewer'))
);

create index members_of_person on members (person_id);

-- Whoever removes a member, by whatever way, ends that person's sessions.
create function end_sessions_of_member() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
begin
    delete from sessions where person_id = old.person_id;
    return null;
end
$$;

create trigger members_sessions_end after delete on members
    for each row execute function end_sessions_of_member();

-- Open invitations; one that was accepted or withdrawn is gone, and the audit log tells of it.
create table invitations (
    tenant_id uuid not null constraint invitations_tenant_known references tenants (id),
    id uuid not null,
    role text not null,
    email text,
    secret_sha256 bytea not null,
    invited_by text not null,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    constraint invitations_pkey primary key (tenant_id, id),
    constraint invitations_secret_unique unique (secret_sha256),
    constraint invitations_role_known check (role in ('owner', 'admin', 'editor', 'viewer'))
);

select protect_tenant_table('members');
select protect_tenant_table('invitations');
grant select, insert, update, delete on people, sessions to ringfence_system;
