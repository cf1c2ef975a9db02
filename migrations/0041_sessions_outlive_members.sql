-- Whoever is removed from a tenant stays signed in: what they may do is read with every request, and the other tenants that they
-- belong to have nothing to do with it. The trigger stays until no version is in use that was made with it.
create or replace function end_sessions_of_member() returns trigger language plpgsql security definer
    set search_path = pg_catalog, public as $$
begin
    return null;
end
$$;
