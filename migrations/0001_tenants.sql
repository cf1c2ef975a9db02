create table tenants (
    id uuid constraint tenants_pkey primary key,
    name text not null,
    home_region text not null,
    status text not null,
    created_at timestamptz not null,
    constraint tenants_name_length check (char_length(name) between 1 and 200),
    constraint tenants_status_known check (status in ('active', 'suspended'))
);
